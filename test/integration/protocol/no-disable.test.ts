/** A target where accounts cannot be shut, with endSessions as the AWS connector answers it (connectors/aws/end-sessions `told`: grants, no account). */
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ApplyContext, Connector, Operation } from '../../../src/connectors/connector.ts'
import type { Outcome } from '../../../src/domain/outcome.ts'
import { applyPolicy } from '../../../src/engine/apply-policy.ts'
import { defaultGuardLimits } from '../../../src/planning/guard.ts'
import { makeDue } from '../../../src/store/work-queue.ts'
import { bankPolicies, type House, openHouse } from '../../support/house.ts'
import { leaves, works } from './people.ts'

let house: House
let ended: number
let deleted: number
const day = 86_400_000
const all = { absolute: 1_000, percent: null }
const likeAws = (real: Connector): Connector => {
  const one = async (operation: Operation, context: ApplyContext): Promise<Outcome> => {
    if (operation.op === 'endSessions') {
      ended += 1
      const read = await real.grantsOf([operation.account], context.signal)
      return {
        kind: 'done',
        changed: true,
        evidence: { read: 'grants', code: '0', account: operation.account, entitlement: null },
        grants: read.items.map(({ entitlement }) => entitlement),
      }
    }
    if (operation.op === 'deleteAccount') {
      deleted += 1
      return {
        kind: 'done',
        changed: true,
        evidence: { read: 'account', code: '0', account: operation.account, entitlement: null } as never,
      }
    }
    return (await real.apply([operation], context))[0] as Outcome
  }
  return {
    ...real,
    manifest: { ...real.manifest, disable: 'none', endSessions: 'native', deleteAccount: 'hard' },
    apply: async (operations, context) => {
      const outcomes: Outcome[] = []
      for (const operation of operations) outcomes.push(await one(operation, context))
      return outcomes
    },
  }
}
beforeEach(async () => {
  ended = 0
  deleted = 0
  house = await openHouse({
    connector: likeAws,
    target: {
      disable: 'none',
      endSessions: 'native',
      deleteAfterMs: 30 * day,
      guard: { ...defaultGuardLimits, revokes: all, entitlementRevokes: all },
    },
  })
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  await house.tell(leaves('P-1', await house.now()))
  await house.quiesce()
})
afterEach(() => house.close())

test('whoever was signed out and emptied is not signed out again by each evaluation', async () => {
  expect(await house.groupsOf('P-1')).toEqual([])
  const before = ended
  const [person] = await house.rows<{ id: number }>('select id from muster.identity')
  for (let i = 0; i < 3; i++) {
    // As each `policy apply` and each drift does.
    await house.admin.transaction((tx) => makeDue(tx, [person?.id ?? 0]))
    await house.quiesce()
  }
  expect(ended - before).toBe(0)
})

test('the account of whoever left is deleted after its time', async () => {
  await house.shift(31 * day)
  await house.quiesce()
  expect(deleted).toBe(1)
})

test('a policy that is applied does not sign everybody out who ever left, and so hold the next leaver', async () => {
  for (const person of ['P-2', 'P-3', 'P-4']) await house.tell(works(person, (await house.now()) - 1000))
  await house.quiesce()
  for (const person of ['P-2', 'P-3']) await house.tell(leaves(person, await house.now()))
  await house.quiesce()
  await house.shift(25 * 3_600_000)
  // Nobody has left for a day: two a day may.
  const guard = { ...house.engine.targets[0]?.guard, disables: { absolute: 2, percent: null } }
  Object.assign(house.engine.targets[0] ?? {}, { guard })
  const applied = await applyPolicy(
    house.engine,
    bankPolicies(house.tree.groups).map(({ path, text }) => ({
      path,
      text: text.replaceAll('risk: low', 'risk: medium'),
    })),
    { type: 'os-user', name: 'test', authenticated: false },
  )
  expect(applied.kind).toBe('applied')
  await house.quiesce()
  await house.tell(leaves('P-4', await house.now()))
  await house.quiesce()
  expect(await house.rows(`select policies[1] as "limit" from muster.hold where kind = 'guard'`)).toEqual([])
  expect(
    await house.rows(
      `select a.kind::text, a.state::text from muster.action a join muster.identity i on i.id = a.identity_id where i.person_key = 'P-4' and a.open`,
    ),
  ).toEqual([])
})

test('one leaver counts once for the guard', async () => {
  const [{ n } = { n: 0 }] = await house.rows<{ n: number }>(
    `select count(*) as n from muster.action where kind = 'endSessions' and taken_at is not null`,
  )
  expect(n).toBe(1)
})
