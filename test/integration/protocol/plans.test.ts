/** What is read in every pass of a dispatcher is what is open or recent, never what was done long ago. */
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDispatches } from '../../../src/store/create-dispatches.ts'
import type { Statement, Transaction } from '../../../src/store/database.ts'
import { dispatchedActions } from '../../../src/store/dispatches.ts'
import { guardedTargets, tally, urgentPassed, urgentWaiting } from '../../../src/store/guard.ts'
import { heldGroups, heldPeople } from '../../../src/store/held-actions.ts'
import { overtakenIdentities } from '../../../src/store/outcomes.ts'
import { type House, openHouse } from '../../support/house.ts'

let house: House
beforeAll(async () => {
  house = await openHouse()
  await house.rows(`insert into muster.identity (person_key, lane, events_seen, events_folded, evaluated_policy, lifecycle, leaver, urgent, ended_at)
    select 'S-' || n, 'bulk', 1, 1, 1, 'terminated', true, true, muster.now() - interval '3 days' from generate_series(1, 10000) n`)
  await house.rows(`insert into muster.action (id, identity_id, target, kind, entitlement_id, lane, state, plan_version, decision_id, dispatch_id, reason,
      created_at, next_at, dispatched_at, done_at, guarded, guard_passed_at)
    select nextval('muster.action_id'), i.id, 'bank-ldap', 'revoke', e, 'leaver', 'done', 1, 1, 1, '{}', t.at, t.at, t.at, t.at, true, t.at
    from muster.identity i, generate_series(1, 4) e, (select muster.now() - interval '2 days' as at) t`)
  await house.rows('vacuum analyze muster.action')
  await house.rows('vacuum analyze muster.identity')
})
afterAll(() => house.close())

const held = (actions: number) => ({ kinds: ['disable', 'revoke'] as const, entitlements: [1], actions })

const statementOf = async (ask: (tx: Transaction) => Promise<unknown>): Promise<Statement> => {
  const seen: Statement[] = []
  const query = async (statement: Statement) => {
    seen.push(statement)
    return []
  }
  await ask({ query, defer: () => {} } as unknown as Transaction)
  const last = seen.at(-1)
  if (last === undefined || seen.slice(0, -1).some(({ text }) => !text.includes('set_config')))
    throw new Error(`${seen.length} statements`)
  return last
}

test.each<[string, (tx: Transaction) => Promise<unknown>]>([
  ['urgent leavers that passed a tripped guard', (tx) => urgentPassed(tx, 'bank-ldap')],
  ['urgent leavers that wait at it', (tx) => urgentWaiting(tx, 'bank-ldap', held(100), [], 11)],
  ['what the guard holds, by its causes', (tx) => heldGroups(tx, ['bank-ldap'], ['revoke'])],
  ['whom the guard holds', (tx) => heldPeople(tx, 'bank-ldap', ['revoke'], null, 20)],
  ["the guard's tally", (tx) => tally(tx, 'bank-ldap', 3_600_000)],
  ['targets with something to take away', (tx) => guardedTargets(tx, 'leaver')],
  [
    'dispatches to be made',
    (tx) => createDispatches(tx, 'bulk', { sizes: { 'bank-ldap': 500 }, most: 3_000 }, [], [], []),
  ],
  ['actions of a dispatch', (tx) => dispatchedActions(tx, 1)],
  ['who was overtaken', (tx) => overtakenIdentities(tx, 1)],
])('%s', async (_, ask) => {
  const { lines, read } = await readBy(ask)
  expect(Math.max(...read), lines.join('\n')).toBeLessThan(100)
})

test('of very many that wait at the guard, the first are found without reading the others, and they are the same', async () => {
  await house.rows(`insert into muster.account (identity_id, target, native_id, origin, linked_at)
    select id, 'bank-ldap', id, 'linked', muster.now() from muster.identity where id <> 4`)
  await house.rows('vacuum analyze muster.account')
  await house.rows(`insert into muster.action (id, identity_id, target, kind, entitlement_id, lane, state, plan_version, decision_id, reason,
      created_at, next_at, guarded)
    select nextval('muster.action_id'), i.id, 'bank-ldap', 'revoke', e, 'leaver', 'ready', 1, 1, '{}', t.at, t.at, true
    from muster.identity i, generate_series(1, 1) e, (select muster.now() - interval '1 day' as at) t`)
  // As after a flood: nothing has counted it yet.
  const asked = (actions: number) =>
    house.engine.db.transaction((tx) => urgentWaiting(tx, 'bank-ldap', held(actions), [3], 4))
  expect(await asked(20_000)).toEqual([1, 2, 5, 6])
  expect(await asked(100)).toEqual([1, 2, 5, 6])
  const { lines, read } = await readBy((tx) => urgentWaiting(tx, 'bank-ldap', held(20_000), [], 4))
  expect(Math.max(...read), lines.join('\n')).toBeLessThan(100)
  expect(lines.join('\n')).toMatch(/Index Scan using action_one_open on action/)
})

const literal = (value: unknown): string => {
  if (value === null) return 'null'
  const text = Array.isArray(value) ? `{${value.map((one) => JSON.stringify(one)).join()}}` : String(value)
  return pg.escapeLiteral(text)
}

/** Rows of the large tables that a statement looked at and dropped or kept, by each step of its plan. */
const readBy = async (ask: (tx: Transaction) => Promise<unknown>) => {
  const { text, values = [] } = await statementOf(ask)
  // Prepared, as the engine asks: with bound values alone, EXPLAIN plans for these values.
  const plan = await house.engine.db.transaction(async (tx) => {
    await tx.query({ text: `prepare asked as ${text}` })
    const told = await tx.query<Record<string, string>>({
      text: `explain (analyze, costs off, timing off) execute asked${values.length === 0 ? '' : `(${values.map(literal).join()})`}`,
    })
    await tx.query({ text: 'deallocate asked' })
    return told
  })
  const lines = plan.map((row) => Object.values(row).join())
  let loops = 1
  const read = lines.flatMap((line) => {
    loops = Number(/ loops=(\d+)/.exec(line)?.[1] ?? loops)
    const [, removed] = /Rows Removed by (?:Filter|Index Recheck|Join Filter): (\d+)/.exec(line) ?? []
    const [, kept] = /Scan.* on (?:action|identity)\b.*rows=([\d.]+)/.exec(line) ?? []
    return [Number(removed ?? 0) * loops, Number(kept ?? 0) * loops]
  })
  return { lines, read }
}
