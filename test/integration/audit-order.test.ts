/** What docs/auditors.md says of an engine's login: it may date an entry back, and the entry stands among later ones. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type House, openHouse } from '../support/house.ts'

let house: House
beforeAll(async () => {
  house = await openHouse()
})
afterAll(() => house.close())

const append = (more: string, value: string) =>
  house.engine.db.query({
    text: `insert into audit.entry (recorded_at, kind, bytes, leaf_hash${more}) overriding system value values (muster.now() - interval '1 day', 'outcome', '{}', sha256('\\x007b7d')${value})`,
  })

test('the order of entries is not the engine to choose, whatever time it writes', async () => {
  for (const column of ['id', 'xid'])
    await expect(append(`, ${column}`, `, '1'`), column).rejects.toMatchObject({ code: '42501' })
  const [last] = await house.rows<{ id: number; xid: number }>(
    'select max(id) as id, max(xid::text::bigint) as xid from audit.entry',
  )
  await append('', '')
  const [forged] = await house.rows<{ id: number; xid: number; old: boolean }>(
    `select id, xid::text::bigint as xid, recorded_at < muster.now() - interval '1 hour' as old from audit.entry order by id desc limit 1`,
  )
  expect(forged?.old).toBe(true)
  expect(forged?.id).toBeGreaterThan(last?.id ?? Infinity)
  expect(forged?.xid).toBeGreaterThan(last?.xid ?? Infinity)
})
