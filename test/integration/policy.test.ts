import { afterAll, beforeAll, expect, test } from 'vitest'
import { lookupKey } from '../../src/domain/lookup-key.ts'
import { applyPolicy } from '../../src/engine/apply-policy.ts'
import { createPolicyBook } from '../../src/engine/policy-book.ts'
import { type House, openHouse } from '../support/house.ts'
import { until } from '../support/until.ts'

let house: House
beforeAll(async () => {
  house = await openHouse({ policies: [{ path: 'policies/all.yaml', text: policy(['A', 'B'], { A: 'RM' }) }] })
})
afterAll(() => house.close())

const actor = { type: 'os-user', name: 'somebody', authenticated: false } as const

/** A catalogue, and for some of its entitlements the job code that gets it. */
function policy(
  entitlements: readonly string[],
  rules: Readonly<Record<string, string>>,
  lookup = (key: string) => `cn=${key},ou=groups,dc=bank,dc=example`,
): string {
  const catalogue = entitlements.map(
    (key) => `  ${key}: { target: bank-ldap, lookup: '${lookup(key)}', risk: low, owner: it, description: ${key} }`,
  )
  const birthright = Object.entries(rules).map(
    ([key, job]) => `  give-${key}: { when: { jobCode: ${job} }, grants: { entitlements: [${key}] } }`,
  )
  return ['entitlements:', ...catalogue, 'birthright:', ...birthright, ''].join('\n')
}

const apply = (text: string, options = {}) =>
  applyPolicy(house.engine, [{ path: 'policies/all.yaml', text }], actor, options)
const keysOf = (rules: readonly { readonly def: { readonly key: string } }[]) => rules.map(({ def }) => def.key)

test('the same meaning is the same version, however it is written; an empty database only takes what comes first', async () => {
  const again = await apply(`# a comment\n${policy(['B', 'A'], { A: 'RM' })}`)
  expect(again).toMatchObject({ kind: 'unchanged', version: 1 })
  expect(await apply(policy(['A'], {}), { onlyWhenNone: true })).toMatchObject({ kind: 'other-active', version: 1 })
  expect(await house.rows('select 1 from muster.policy_version')).toHaveLength(1)
})

test('a mistake changes nothing', async () => {
  expect(await apply(policy(['A'], { C: 'RM' }))).toMatchObject({
    kind: 'invalid',
    problems: [expect.objectContaining({ path: 'policies/all.yaml' })],
  })
  expect(await house.rows('select 1 from muster.policy_version')).toHaveLength(1)
})

test('a new version judges from now on, the old one the time before; books of every process notice it by themselves', async () => {
  const book = createPolicyBook()
  const before = await book.current(house.engine.db)
  expect(before.policies.map(({ activeFrom, policy: { rules } }) => [activeFrom, keysOf(rules)])).toEqual([
    [null, ['give-A']],
  ])
  expect(await book.current(house.engine.db)).toBe(before)

  await house.tell({ person: 'P-1', effectiveAt: 0, attributes: { jobCode: 'RM' } })
  await house.quiesce()
  expect(await house.rows('select 1 from muster.identity where work_due_at <= muster.now()')).toHaveLength(0)
  const at = await house.now()
  expect(await apply(policy(['A', 'C'], { C: 'RM' }))).toMatchObject({ kind: 'applied', version: 2, identities: 1 })
  expect(await house.rows('select 1 from muster.identity where work_due_at <= muster.now()')).toHaveLength(1)

  const after = await book.current(house.engine.db)
  expect(after.version).toBe(2)
  expect(after.policies.map(({ policy: { rules } }) => keysOf(rules))).toEqual([['give-A'], ['give-C']])
  expect(after.policies[0]?.activeFrom).toBeNull()
  expect(after.policies[1]?.activeFrom).toBeGreaterThanOrEqual(at)
  expect(after.policies[0]?.policy).toBe(before.policies[0]?.policy)
  const byKey = new Map([...after.entitlements.values()].map((one) => [one.key, one.managed]))
  expect(byKey).toEqual(
    new Map([
      ['A', true],
      ['B', false],
      ['C', true],
    ]),
  )
})

test('what was only seen on the target becomes the entry that names it, with its pinned id', async () => {
  const book = createPolicyBook()
  const before = await book.current(house.engine.db)
  const lookup = `cn=Seen,${house.tree.groups}`
  const [seen] = await house.rows<{ id: number }>(
    `insert into muster.entitlement (target, lookup, lookup_key, native_id, managed) values ('bank-ldap', $1, $2, 'uuid-of-it', false) returning id`,
    lookup,
    lookupKey(lookup),
  )
  const known = await book.current(house.engine.db)
  expect(known.policies).toBe(before.policies)
  expect(known.entitlements.get(seen?.id as never)).toMatchObject({ key: null, managed: false, lookup })

  await apply(
    policy(['A', 'Seen'], {}, (key) => (key === 'Seen' ? lookup.toUpperCase() : `cn=${key},${house.tree.groups}`)),
  )
  expect(await house.rows(`select id, native_id, managed from muster.entitlement where key = 'Seen'`)).toEqual([
    { id: seen?.id, native_id: 'uuid-of-it', managed: true },
  ])
})

test('two appliers at once make one version after the other: the second sees what the first did', async () => {
  const [before] = await house.rows<{ version: number }>('select version from muster.active_policy')
  const both = await house.admin.transaction(async (tx) => {
    // Whoever comes first gets as far as making its version active, and waits there.
    await tx.query({ text: 'select 1 from muster.active_policy for update' })
    const appliers = [apply(policy(['A'], { A: 'X' })), apply(policy(['A'], { A: 'X' }))]
    await until(async () => {
      const [waiting] = await house.rows<{ n: number }>(
        `select count(*) as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      )
      return waiting?.n === 2
    })
    return appliers
  })
  expect((await Promise.all(both)).map(({ kind }) => kind).sort()).toEqual(['applied', 'unchanged'])
  const [after] = await house.rows<{ version: number }>('select version from muster.active_policy')
  expect(after?.version).toBe((before?.version ?? 0) + 1)
})
