/**
 * What one grant costs: rows written and statements sent (issue 3 §5). 500 joiners whose accounts exist, three groups
 * each, from told to verified and audited. The inbox rows and identity stubs that ingest writes are counted with them.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type House, openHouse } from '../../support/house.ts'
import { asDirectoryRoot } from '../../support/stack.ts'

const joiners = 500
const groups = 3
let house: House
beforeAll(async () => {
  house = await openHouse({ settings: { evaluateBatch: 100, dispatchBatch: 500 } })
})
afterAll(() => house.close())

/** Rows inserted, updated and deleted so far in the schemas that are Muster's, by table. */
const writes = async (): Promise<ReadonlyMap<string, number>> => {
  await house.rows('select pg_stat_force_next_flush()')
  const rows = await house.rows<{ name: string; n: number }>(
    `select relname as name, n_tup_ins + n_tup_upd + n_tup_del as n from pg_stat_user_tables where schemaname in ('muster', 'audit')`,
  )
  return new Map(rows.map(({ name, n }) => [name, n]))
}
/** Every connection of the engine tells its counts when it is asked for something afterwards. */
const settled = async () => {
  for (let i = 0; i < 12; i++)
    await Promise.all(
      Array.from({ length: 12 }, () => house.engine.db.query({ text: 'select pg_stat_force_next_flush()' })),
    )
}

test('rows written and statements sent for each grant', async () => {
  await asDirectoryRoot(house.ldap, async (client) => {
    for (let i = 0; i < joiners; i++)
      await client.add(`uid=p-${i},${house.tree.people}`, {
        objectClass: 'inetOrgPerson',
        uid: `p-${i}`,
        cn: `Name P-${i}`,
        sn: `Family P-${i}`,
        givenName: 'Given',
        employeeNumber: `P-${i}`,
      })
  })
  // Warm: groups pinned, statements prepared, policy compiled.
  const start = await house.now()
  await house.tell({ person: 'W-1', effectiveAt: start - 1000, attributes: { jobCode: 'X', department: 'LENDING' } })
  await house.quiesce()
  await settled()
  const before = await writes()
  const statements = house.engine.db.counters.statements
  for (let i = 0; i < joiners; i++)
    await house.tell({
      person: `P-${i}`,
      effectiveAt: start - 1000,
      attributes: { jobCode: 'X', department: 'OPERATIONS' },
    })
  await house.quiesce()
  const sent = house.engine.db.counters.statements - statements
  await settled()
  const after = await writes()
  const grants = joiners * groups
  const [given] = await house.rows<{ n: number }>(
    `select count(*) as n from muster.action where kind = 'grant' and state = 'done'`,
  )
  expect(given?.n).toBeGreaterThanOrEqual(grants)
  const byTable = [...after].map(([name, n]) => [name, n - (before.get(name) ?? 0)] as const).filter(([, n]) => n > 0)
  const rows = byTable.reduce((sum, [, n]) => sum + n, 0)
  const report = byTable
    .sort(([, a], [, b]) => b - a)
    .map(([name, n]) => `${name} ${(n / grants).toFixed(2)}`)
    .join(', ')
  process.stderr.write(
    `a grant costs ${(rows / grants).toFixed(2)} row writes (${report}) and ${(sent / grants).toFixed(3)} statements\n`,
  )
  const [moves] = await house.rows<{ dispatched: number; inPlace: number }>(
    `select count(*) filter (where dispatched_at is not null) as dispatched,
      (select n_tup_hot_upd from pg_stat_user_tables where relid = 'muster.action'::regclass) as "inPlace" from muster.action`,
  )
  // A page has room again when nobody can see its old rows any more: hence not all. With an index on state it is none.
  expect((moves?.inPlace ?? 0) / (moves?.dispatched ?? Number.NaN)).toBeGreaterThan(0.3)
  expect(rows / grants).toBeLessThanOrEqual(9)
  expect(sent / grants).toBeLessThanOrEqual(0.2)
})
