/** Audit entries in the default partition: told urgently, and what the finding says to do mends it. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { keepPartitions } from '../../src/engine/keep-partitions.ts'
import { type House, openHouse } from '../support/house.ts'

let house: House
beforeAll(async () => {
  house = await openHouse()
})
afterAll(() => house.close())

type Found = { readonly urgent: boolean; readonly strays: number; readonly todo: string }
const open = () =>
  house.rows<Found>(
    `select urgent, (detail ->> 'strays')::int as strays, detail ->> 'todo' as todo from muster.finding
      where kind = 'audit-partition-missing' and closed_at is null`,
  )
const entries = () =>
  house.rows<{ id: number; xid: string; leaf: string }>(
    `select id, xid::text, encode(leaf_hash, 'hex') as leaf from audit.entry order by id`,
  )
const partitionOf = async (month: string) =>
  (await house.rows<{ name: string | null }>(`select to_regclass('audit.entry_' || $1)::text as name`, month))[0]?.name

test('nothing stands there: nothing is said', async () => {
  await keepPartitions(house.engine)
  expect(await open()).toEqual([])
})

test('a month whose entries came before its partition: urgent, with what to do, until that is done', async () => {
  // Nobody made partitions for so long that entries of a later month fell into the default one.
  await house.shift(2 * 365.25 * 24 * 3_600_000)
  const [now] = await house.rows<{ month: string }>(
    `select to_char(muster.now() at time zone 'UTC', 'YYYY_MM') as month`,
  )
  const month = now?.month ?? ''
  const asEngine = house.engine.db
  for (const kind of ['attempt', 'outcome'])
    await asEngine.query({
      text: `insert into audit.entry (recorded_at, kind, bytes, leaf_hash) values (muster.now(), $1, '{}', sha256('\\x007b7d'))`,
      values: [kind],
    })
  const before = await entries()

  await keepPartitions(house.engine)
  expect(await partitionOf(month)).toBeNull()
  const [found, ...others] = await open()
  expect(others).toEqual([])
  expect(found).toMatchObject({ urgent: true, strays: 2 })

  await house.admin.transaction(async (tx) => {
    for (const statement of (found?.todo ?? '').replace(/^[^:]*: /, '').split('; ')) await tx.query({ text: statement })
  })
  expect(await partitionOf(month)).toBe(`audit.entry_${month}`)
  expect(await entries()).toEqual(before)
  await keepPartitions(house.engine)
  expect(await open()).toEqual([])
  for (const change of ['delete from audit.entry', 'truncate audit.entry_default'])
    await expect(house.rows(change), change).rejects.toMatchObject({ code: '42501' })
})
