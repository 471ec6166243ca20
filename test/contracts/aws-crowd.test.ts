/**
 * Many who are let into one group: pages of its members prove it where that is fewer calls, and only what they show; a page that
 * fails. And a group that is named by its external id.
 */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Connector } from '../../src/connectors/connector.ts'
import { protecting } from '../../src/connectors/protecting.ts'
import type { EntitlementId, NativeId } from '../../src/domain/ids.ts'
import { type AwsWorld, issuer, makeAws, openAwsWorld } from './aws-world.ts'
import type { Group } from './world.ts'
import { always, freshKey, grant, said } from './world.ts'

const crowd = 8
let world: AwsWorld
let connector: Connector
let people: readonly NativeId[]
beforeAll(async () => {
  world = await openAwsWorld({ pageSize: 5 })
  connector = makeAws(world)
  people = await world.addAccounts(Array.from({ length: crowd }, () => world.person(freshKey())))
})
afterEach(() => world.faults.none())
afterAll(async () => {
  expect(world.modelProblems).toEqual([])
  await connector.close()
  await world.close()
})

const letIn = async (group: Group, accounts = people) => {
  let outcomes: readonly string[] = []
  const calls = await world.callsOf(async () => {
    const told = await connector.apply(
      accounts.map((account) => grant(account, group)),
      always,
    )
    outcomes = told.map(said)
  })
  return { outcomes, reads: calls.filter((operation) => /Membership/.test(operation) && !/^Create/.test(operation)) }
}
const lists = (count: number) => Array.from({ length: count }, () => 'ListGroupMemberships')
const asked = (count: number) => Array.from({ length: count }, () => 'GetGroupMembershipId')
const changed = (count: number) => Array.from({ length: count }, () => 'changed')

test('two pages show eight; one who was in before is told apart; a few are asked about one by one', async () => {
  const group = await world.addGroup(freshKey(), people.slice(0, 1))
  expect(await letIn(group)).toEqual({ outcomes: ['was-so', ...changed(7)], reads: lists(2) })
  expect([...(await world.membersOf(group))].sort()).toEqual([...people].sort())
  const few = await world.addGroup(freshKey())
  expect(await letIn(few, people.slice(0, 3))).toEqual({ outcomes: changed(3), reads: asked(3) })
})

test.each([
  ['may not be read', { nth: 1, phase: 'before', act: { kind: 'error', type: 'AccessDeniedException' } }, 1],
  ['has a token that comes again', { nth: 2, phase: 'after', act: { kind: 'repeat-token' } }, 2],
] as const)('the list %s: it has shown nobody, and each is asked about', async (_, fault, pages) => {
  const group = await world.addGroup(freshKey())
  world.simulator.faults.arm({ operation: 'ListGroupMemberships', ...fault })
  expect(await letIn(group)).toEqual({ outcomes: changed(crowd), reads: [...lists(pages), ...asked(crowd)] })
})

test('a long list is left after two pages, and not begun again', async () => {
  const group = await world.addGroup(freshKey(), [], 10)
  expect(await letIn(group)).toEqual({ outcomes: changed(crowd), reads: [...lists(2), ...asked(crowd)] })
  for (const account of people) {
    const membership = world.simulator.state.memberships.of(group.nativeId, account)
    if (membership !== undefined) world.simulator.state.memberships.remove(membership)
  }
  expect(await letIn(group)).toEqual({ outcomes: changed(crowd), reads: asked(crowd) })
})

test('somebody was taken out again meanwhile: no page shows them, and nobody says that they are in', async () => {
  const group = await world.addGroup(freshKey())
  const [gone] = people
  world.simulator.faults.arm({
    operation: 'ListGroupMemberships',
    nth: 1,
    phase: 'before',
    act: {
      kind: 'meanwhile',
      work: async () => {
        const membership = world.simulator.state.memberships.of(group.nativeId, gone ?? '')
        if (membership !== undefined) world.simulator.state.memberships.remove(membership)
      },
    },
  })
  expect(await letIn(group)).toEqual({ outcomes: ['pending', ...changed(7)], reads: [...lists(2), ...asked(1)] })
})

test('the lease ends: who was written is proved, who was not is not begun', async () => {
  const group = await world.addGroup(freshKey())
  let may = 3
  const outcomes = await connector.apply(
    people.map((account) => grant(account, group)),
    { signal: always.signal, mayWrite: () => may-- > 0 },
  )
  expect(Map.groupBy(outcomes, said).get('changed')).toHaveLength(3)
  expect(outcomes.filter((one) => one.kind === 'retry' && one.cause.word === 'lease')).toHaveLength(5)
  expect(await world.membersOf(group)).toHaveLength(3)
})

test.each([
  ['answers 503', [{ kind: 'status', status: 503 }], 'server-error'],
  ['breaks the connection, and does so again', [{ kind: 'drop' }, { kind: 'drop' }], 'no-answer (ECONNRESET)'],
] as const)('the second page %s: no list is complete', async (_, acts, cause) => {
  const account = people[0] as NativeId
  const group = await world.addGroup(freshKey(), people)
  for (let at = 0; at < 5; at += 1) await world.addGroup(freshKey(), [account])
  const failing = (operation: string) =>
    world.simulator.faults.arm(...acts.map((act, at) => ({ operation, nth: 2 + at, phase: 'before', act }) as const))
  const why = expect.stringContaining(cause)
  failing('ListGroupMemberships')
  const lists = []
  for await (const list of connector.membersOf([{ id: 1 as EntitlementId, ...group }], always.signal)) lists.push(list)
  expect(lists).toEqual([{ entitlement: 1, kind: 'failed', cause: why }])
  failing('ListGroupMembershipsForMember')
  expect(await connector.grantsOf([account], always.signal)).toMatchObject({ kind: 'partial', cause: why })
  failing('ListUsers')
  expect(await connector.listAccounts(always.signal)).toMatchObject({ kind: 'partial', items: [], cause: why })
})

test('a group may be named by what its provider calls it: whatever it is called, and not when another has the id', async () => {
  const [first, second] = [await world.addGroup(freshKey()), await world.addGroup(freshKey())]
  const account = people[0] as NativeId
  const id = freshKey()
  world.setExternalIds('groups', first.nativeId, [id])
  const lookup = `group/externalId:${issuer}/${id}`
  const refs = [lookup, `group/externalId:${issuer}-else/${id}`].map((one) => ({
    id: 1 as EntitlementId,
    lookup: one,
    nativeId: null,
  }))
  expect(await connector.resolveEntitlements(refs, always.signal)).toMatchObject([
    { kind: 'found', nativeId: first.nativeId },
    { kind: 'missing' },
  ])
  const named = grant(account, { lookup, nativeId: first.nativeId })
  expect(await connector.apply([named], always)).toMatchObject([{ cause: { word: 'scim-owned', awaited: [id] } }])
  // Whoever protects it does so by its name.
  expect(await connector.entitlementNames?.([first.nativeId], always.signal)).toEqual({
    kind: 'complete',
    items: [{ nativeId: first.nativeId, name: first.lookup }],
  })
  const careful = protecting(connector, { accounts: [], entitlements: [first.lookup] })
  expect((await careful.apply([named], always)).map(said)).toEqual(['refused:protected'])
  world.setExternalIds('groups', first.nativeId, [])
  world.setExternalIds('groups', second.nativeId, [id])
  expect((await connector.apply([named], always)).map(said)).toEqual(['refused:entitlement-changed-identity'])
  expect(await world.membersOf(first)).toEqual([])
})
