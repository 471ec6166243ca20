/** What is never granted, whatever the catalogue calls it: what `protect` names, and what nobody could prove. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Connector } from '../../src/connectors/connector.ts'
import { protecting } from '../../src/connectors/protecting.ts'
import type { EntitlementId, NativeId } from '../../src/domain/ids.ts'
import { sentUnproved } from '../../src/domain/outcome.ts'
import { type EntraWorld, makeEntra, openEntraWorld } from './entra-world.ts'
import { always, ensure, freshKey, type Group, grant, revoke, said } from './world.ts'

let world: EntraWorld
let connector: Connector
beforeAll(async () => {
  world = await openEntraWorld()
  connector = makeEntra(world)
})
afterAll(async () => {
  await connector?.close()
  await world?.close()
})
const addAccount = async () => (await world.addAccounts([world.person(freshKey())]))[0] as NativeId

describe('a group that `protect` names as Entra shows it', () => {
  test.each([
    ['by its id', (group: Group) => group.nativeId],
    ['as displayName:<name>', (group: Group) => group.lookup],
  ])('is not granted where the catalogue names it %s', async (_, lookupOf) => {
    const name = `Break Glass ${freshKey()}`
    const group = await world.addGroup(name)
    const account = await addAccount()
    const guarded = protecting(connector, { accounts: [], entitlements: ['break glass *'] })
    const [outcome] = await guarded.apply([grant(account, { ...group, lookup: lookupOf(group) })], always)
    expect(outcome).toMatchObject({ kind: 'refused', reason: 'protected' })
    expect(await world.membersOf(group)).toEqual([])
  })
})

test('of hidden membership nothing is granted, and what is taken away is sent and never proved; ours where the configuration says that it can be read', async () => {
  const [inside, outside] = [await addAccount(), await addAccount()]
  const id = world.graph.hand.addGroup({
    groupTypes: ['Unified'],
    mailEnabled: true,
    visibility: 'HiddenMembership',
  }) as NativeId
  world.graph.hand.addMembers(id, [inside])
  const hidden = { lookup: id, nativeId: id }
  const both = [grant(outside, hidden), revoke(inside, hidden)]
  const refused = (word: string) => ({ kind: 'refused', reason: 'not-allowed', cause: { word } })
  const answers = [refused('hidden-membership'), { ...refused(sentUnproved), todo: expect.stringContaining(inside) }]
  const writesOf = async (call: 'apply' | 'observe') => {
    const writes = await world.writesOf(async () => {
      expect(await connector[call](both, always)).toMatchObject(answers)
    })
    return writes.length
  }
  expect(await writesOf('observe')).toBe(0)
  expect(world.graph.inspector.members(id)).toEqual([inside])
  expect(await writesOf('apply')).toBe(1)
  expect(world.graph.inspector.members(id)).toEqual([])
  // Nobody is in it any more: Graph says 404, and that proves as little.
  expect(await writesOf('apply')).toBe(1)
  world.graph.hand.addMembers(id, [inside])
  // Whose answer was lost goes again: no read would ever tell.
  world.graph.faults.plan({ operation: 'removeMember', phase: 'before', effect: { kind: 'drop' } })
  expect(await connector.apply([revoke(inside, hidden)], always)).toMatchObject([{ kind: 'retry' }])
  const reading = world.connect({ hiddenMembershipGroups: true })
  expect((await reading.apply(both, always)).map(said)).toEqual(['changed', 'changed'])
  expect(world.graph.inspector.members(id)).toEqual([outside])
})

test.each([
  ['rule', 'dynamic-membership', { groupTypes: ['DynamicMembership'], membershipRule: 'user.department -eq "x"' }],
  ['sync', 'synced-from-ad', { onPremisesSyncEnabled: true }],
])('what a %s keeps is told as that by each read, and is no grant to take away', async (via, word, properties) => {
  const inside = await addAccount()
  const id = world.graph.hand.addGroup(properties) as NativeId
  const above = await world.addGroup(freshKey(), [id])
  const own = await world.addGroup(freshKey(), [inside])
  world.graph.hand.addMembers(id, [inside])
  const pinned = { id: 1 as EntitlementId, lookup: id, nativeId: id }
  const direct = { nativeId: own.nativeId, name: expect.any(String) }

  expect(await connector.observe([grant(inside, pinned)], always)).toMatchObject([
    { kind: 'refused', reason: 'not-allowed', cause: { word } },
  ])
  expect(await connector.grantsOf([inside], always.signal)).toEqual({
    kind: 'complete',
    items: [{ account: inside, entitlement: direct }],
  })
  expect(await connector.indirectGrantsOf?.([inside], always.signal)).toMatchObject({
    kind: 'complete',
    items: [
      { account: inside, entitlement: { nativeId: id }, via, path: [id] },
      { account: inside, entitlement: { nativeId: above.nativeId }, via: 'nested', path: [id, above.nativeId] },
    ],
  })
  for await (const list of connector.membersOf([pinned], always.signal))
    expect(list).toEqual({ kind: 'complete', entitlement: 1, members: [], kept: [inside] })
  const key = world.graph.inspector.user(inside)?.employeeId ?? ''
  expect(await connector.apply([ensure(world.person(key)), { op: 'disable', account: inside }], always)).toMatchObject([
    { kind: 'done', account: { origin: 'linked' }, grants: [direct] },
    { kind: 'done', grants: [direct] },
  ])
})

test('a group that is dynamic no longer, and still shows its rule, is ours to take a leaver out of', async () => {
  const inside = await addAccount()
  const id = world.graph.hand.addGroup({ membershipRule: 'user.department -eq "x"' }) as NativeId
  world.graph.hand.addMembers(id, [inside])
  expect((await connector.grantsOf([inside], always.signal)).items).toHaveLength(1)
  expect((await connector.apply([revoke(inside, { lookup: id, nativeId: id })], always)).map(said)).toEqual(['changed'])
})
