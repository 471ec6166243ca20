/** What is AWS's own among users and groups: SCIM, ownership, one attribute that proves a person, deletion for good. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Connector } from '../../src/connectors/connector.ts'
import type { EntitlementId, NativeId } from '../../src/domain/ids.ts'
import { type AwsWorld, issuer, makeAws, openAwsWorld } from './aws-world.ts'
import { accountOf, always, ensure, freshKey, grant, grantsOf, revoke, said } from './world.ts'

let world: AwsWorld
let connector: Connector
beforeAll(async () => {
  world = await openAwsWorld({ pageSize: 3 })
  connector = makeAws(world)
})
afterEach(() => world.faults.none())
afterAll(async () => {
  expect(world.modelProblems).toEqual([])
  await connector.close()
  await world.close()
})

const addAccount = async () => (await world.addAccounts([world.person(freshKey())]))[0] as NativeId
const apply = async (operations: Parameters<Connector['apply']>[0], of = connector) => of.apply(operations, always)
const saying = async (operations: Parameters<Connector['apply']>[0], of = connector) =>
  (await apply(operations, of)).map(said)
const isWrite = (operation: string) => /^(Create|Update|Delete|Put|Provision)/.test(operation)

describe('who owns a group', () => {
  test('SCIM does: never written, waited for, and done when the identity provider has brought it', async () => {
    const account = await addAccount()
    const group = await world.addGroup(freshKey())
    world.setExternalIds('groups', group.nativeId, ['entra-group'])
    expect(
      await connector.resolveEntitlements(
        [{ id: 1 as EntitlementId, lookup: group.lookup, nativeId: null }],
        always.signal,
      ),
    ).toEqual([{ kind: 'found', nativeId: group.nativeId, keptBy: 'scim-owned' }])
    const calls = await world.callsOf(async () => {
      expect(await apply([grant(account, group)])).toMatchObject([
        { kind: 'retry', retryAfterMs: 60_000, cause: { word: 'scim-owned', awaited: ['entra-group'] } },
      ])
    })
    expect(calls.filter(isWrite)).toEqual([])
    await world.simulator.ask('identitystore', 'CreateGroupMembership', {
      IdentityStoreId: world.settings.identityStoreId,
      GroupId: group.nativeId,
      MemberId: { UserId: account },
    })
    expect(await saying([grant(account, group)])).toEqual(['was-so'])
    expect(await apply([revoke(account, group)])).toMatchObject([{ kind: 'retry', cause: { word: 'scim-owned' } }])
    expect(await world.membersOf(group)).toEqual([account])
  })

  test('the configuration says that SCIM does, before SCIM has been there', async () => {
    const account = await addAccount()
    const group = await world.addGroup(`scim-${freshKey()}`)
    const careful = makeAws(world, { ownership: { groups: [{ name: 'scim-*', owner: 'scim-idp' }] } })
    expect(await apply([grant(account, group)], careful)).toMatchObject([
      { kind: 'retry', cause: { word: 'scim-owned' } },
    ])
    expect(await world.membersOf(group)).toEqual([])
    await careful.close()
  })

  test('nobody said so, or AWS does: refused, and not written', async () => {
    const account = await addAccount()
    const [ours, others, reserved] = [
      await world.addGroup(`muster-${freshKey()}`),
      await world.addGroup(`others-${freshKey()}`),
      await world.addGroup(`AWSControlTower${freshKey()}`, [account]),
    ]
    const narrow = makeAws(world, {
      ownership: { default: 'nobody', groups: [{ name: 'muster-*', owner: 'muster' }] },
    })
    expect(await saying([grant(account, ours), grant(account, others), revoke(account, reserved)], narrow)).toEqual([
      'changed',
      'refused:protected',
      'refused:protected',
    ])
    expect(await saying([revoke(account, reserved)])).toEqual(['refused:protected'])
    expect(await world.membersOf(reserved)).toEqual([account])
    // To look is allowed.
    expect((await narrow.observe([grant(account, reserved)], always)).map(said)).toEqual(['was-so'])
    await narrow.close()
  })

  test('a group that was renamed gives nothing any more, and what it gave can be taken away', async () => {
    const account = await addAccount()
    const group = await world.addGroup(freshKey(), [account])
    await world.simulator.ask('identitystore', 'UpdateGroup', {
      IdentityStoreId: world.settings.identityStoreId,
      GroupId: group.nativeId,
      Operations: [{ AttributePath: 'displayName', AttributeValue: `renamed-${freshKey()}` }],
    })
    expect(await saying([grant(await addAccount(), group)])).toEqual(['refused:entitlement-missing'])
    expect(await saying([revoke(account, group)])).toEqual(['changed'])
    expect(await world.membersOf(group)).toEqual([])
  })
})

describe('one of a pair', () => {
  test('somebody else adds the member at that moment: AWS says it is there, a read proves it, nothing is doubled', async () => {
    const account = await addAccount()
    const group = await world.addGroup(freshKey())
    world.faults.atNextWrite('before-commit', async () => {
      await world.simulator.ask('identitystore', 'CreateGroupMembership', {
        IdentityStoreId: world.settings.identityStoreId,
        GroupId: group.nativeId,
        MemberId: { UserId: account },
      })
    })
    expect(await saying([grant(account, group)])).toEqual(['was-so'])
    expect(await world.membersOf(group)).toEqual([account])
  })

  test('somebody else removes it at that moment: gone is gone', async () => {
    const account = await addAccount()
    const group = await world.addGroup(freshKey(), [account])
    const MembershipId = world.simulator.state.memberships.of(group.nativeId, account)?.id
    world.faults.atNextWrite('before-commit', async () => {
      await world.simulator.ask('identitystore', 'DeleteGroupMembership', {
        IdentityStoreId: world.settings.identityStoreId,
        MembershipId,
      })
    })
    expect(await saying([revoke(account, group)])).toEqual(['was-so'])
  })

  test('AWS says it is there, and a read says it is not: neither is believed', async () => {
    const account = await addAccount()
    const group = await world.addGroup(freshKey())
    world.simulator.faults.arm({
      operation: 'CreateGroupMembership',
      nth: 1,
      phase: 'before',
      act: { kind: 'error', type: 'ConflictException', more: { Reason: 'UNIQUENESS_CONSTRAINT_VIOLATION' } },
    })
    expect(await apply([grant(account, group)])).toMatchObject([{ kind: 'retry', cause: { word: 'contradicted' } }])
  })

  test('made, and not shown yet: pending, then done; not shown for too long: not so', async () => {
    let clock = 1_000_000
    const account = await addAccount()
    const group = await world.addGroup(freshKey())
    const patient = makeAws(world, {}, 'bulk', () => clock)
    const hidden = {
      operation: 'GetGroupMembershipId',
      nth: 1,
      phase: 'before',
      act: { kind: 'error', type: 'ResourceNotFoundException', more: { ResourceType: 'GROUP_MEMBERSHIP' } },
    } as const
    world.simulator.faults.arm(hidden)
    const operation = grant(account, group)
    const [pending] = await apply([operation], patient)
    expect(pending).toMatchObject({ kind: 'pending' })
    const handle = pending?.kind === 'pending' ? pending.handle : ''
    world.simulator.faults.arm(hidden)
    expect((await patient.poll?.([{ operation, handle }], always.signal))?.map(said)).toEqual(['pending'])
    expect((await patient.poll?.([{ operation, handle }], always.signal))?.map(said)).toEqual(['changed'])
    world.simulator.faults.arm(hidden)
    clock += 60_000
    expect((await patient.poll?.([{ operation, handle }], always.signal))?.map(said)).toEqual(['not-so'])
    await patient.close()
  })

  test('several groups of one person are proved by one read', async () => {
    const account = await addAccount()
    const groups = [
      await world.addGroup(freshKey()),
      await world.addGroup(freshKey()),
      await world.addGroup(freshKey()),
    ]
    const granting = await world.callsOf(() => apply(groups.map((group) => grant(account, group))))
    expect(granting.filter((operation) => operation === 'IsMemberInGroups')).toHaveLength(1)
    const revoking = await world.callsOf(async () => {
      expect(await saying(groups.map((group) => revoke(account, group)))).toEqual(groups.map(() => 'changed'))
    })
    expect(revoking.filter((operation) => operation === 'IsMemberInGroups')).toHaveLength(1)
    expect(revoking).not.toContain('GetGroupMembershipId')
  })

  test('a dispatch of twenty: one call for the group, one for each grant, five pages of three, one for each of the other five', async () => {
    const accounts = await world.addAccounts(Array.from({ length: 20 }, () => world.person(freshKey())))
    const group = await world.addGroup(freshKey())
    const calls = await world.callsOf(async () => {
      expect(await saying(accounts.map((account) => grant(account, group)))).toEqual(accounts.map(() => 'changed'))
    })
    expect(calls).toHaveLength(31)
  })

  test('a role that may not ask the short way asks the long way', async () => {
    const account = await addAccount()
    const groups = [await world.addGroup(freshKey()), await world.addGroup(freshKey())]
    const denied = { phase: 'before', act: { kind: 'error', type: 'AccessDeniedException' } } as const
    world.simulator.faults.arm({ operation: 'IsMemberInGroups', nth: 1, ...denied })
    expect(await saying(groups.map((group) => grant(account, group)))).toEqual(['changed', 'changed'])
    world.simulator.faults.arm({ operation: 'GetGroupMembershipId', nth: 2, ...denied })
    expect(await saying([revoke(account, groups[0] ?? { lookup: '', nativeId: '' as NativeId })])).toEqual(['changed'])
  })
})

describe('whose user it is', () => {
  const byMail = {
    correlation: { lookups: [{ by: 'email', value: '{workEmail}' }], proof: 'employeeNumber' },
    account: { userName: '{workEmail}' },
  }

  test('a name that anybody may get one day is believed only when the user shows the person key', async () => {
    const strict = makeAws(world, byMail)
    const somebody = world.person(freshKey())
    const [created] = await apply([ensure(somebody)], strict)
    expect(said(created)).toBe('changed')
    const id = accountOf(created)?.nativeId as NativeId
    expect((await world.userOf(id))?.Extensions).toEqual({
      'aws:identitystore:enterprise': { employeeNumber: somebody.key },
    })
    const [again] = await apply([ensure(somebody)], strict)
    expect(accountOf(again)).toMatchObject({ origin: 'linked', nativeId: id })

    const namesake = { key: freshKey(), worker: somebody.worker }
    expect(await saying([ensure(namesake), ensure(namesake, false)], strict)).toEqual([
      'refused:name-taken',
      'refused:name-taken',
    ])
    await strict.close()
  })

  test('whether a name in another case is theirs is AWS’s to say, alone and in a crowd', async () => {
    const leaver = world.person(`Case${freshKey()}`)
    const [account] = await world.addAccounts([{ ...leaver, key: leaver.key.toUpperCase() }])
    const others = Array.from({ length: 110 }, () => world.person(freshKey()))
    const known = others[7] ?? leaver
    const [knownAs] = await world.addAccounts([known])
    const crowd = [...others, leaver].map((one) => ensure(one, false))
    const found = async () => {
      const [alone] = await apply([ensure(leaver, false)])
      const all = await apply(crowd)
      expect(accountOf(all[7])?.nativeId).toBe(knownAs)
      return [accountOf(alone)?.nativeId, accountOf(all.at(-1))?.nativeId]
    }
    expect(await found()).toEqual([undefined, undefined])
    world.simulator.state.foldsCase = true
    const calls = await world.callsOf(async () => expect(await found()).toEqual([account, account]))
    expect(calls.filter((name) => name === 'ListUsers').length).toBeGreaterThan(1)
    // Nobody else of the crowd was asked for by name.
    expect(calls.filter((name) => name === 'GetUserId')).toHaveLength(2 * world.settings.correlation.lookups.length)
    world.simulator.state.foldsCase = false
  })

  test('a user that shows no key at all is nobody until a human says so', async () => {
    const strict = makeAws(world, byMail)
    const somebody = world.person(freshKey())
    await world.addAccounts([somebody])
    expect(await saying([ensure(somebody)], strict)).toEqual(['refused:name-taken'])
    await strict.close()
  })

  test('nothing is created that would not be found again', async () => {
    const lost = makeAws(world, { correlation: { lookups: [{ by: 'externalId', issuer, value: '{personKey}' }] } })
    const somebody = world.person(freshKey())
    expect(await apply([ensure(somebody)], lost)).toMatchObject([
      { kind: 'refused', reason: 'configuration', cause: { word: 'no-look-up-finds-what-is-created' } },
    ])
    expect(await world.accountsOf(somebody)).toEqual([])
    await lost.close()
  })

  test("SCIM's users are linked by the id of the provider, and their attributes are left alone", async () => {
    const somebody = world.person(freshKey())
    const [id] = (await world.addAccounts([{ ...somebody, key: `login-${somebody.key}` }])) as [NativeId]
    world.setExternalIds('users', id, [somebody.key])
    const after = { ...somebody, worker: { ...somebody.worker, familyName: 'After' } }
    const calls = await world.callsOf(async () => {
      const [linked] = await apply([ensure(after, false)])
      expect(accountOf(linked)).toMatchObject({ nativeId: id, origin: 'linked' })
      expect(accountOf(linked)?.attributesHash).toBe(connector.attributesHash(somebody.worker))
    })
    expect(calls.filter(isWrite)).toEqual([])
  })

  test('whom SCIM has disabled is shown so', async () => {
    const account = await addAccount()
    const user = world.simulator.state.users.get(account)
    if (user !== undefined) user.status = 'DISABLED'
    expect((await connector.accounts([account], always.signal)).items).toMatchObject([{ enabled: false }])
  })

  test('an attribute that AWS demands is missing: refused by its name, not sent', async () => {
    const somebody = world.person(freshKey())
    const nameless = { ...somebody, worker: { ...somebody.worker, givenName: null } }
    expect(await apply([ensure(nameless)])).toMatchObject([
      { kind: 'refused', reason: 'invalid', cause: { word: 'no-givenName' } },
    ])
  })
})

describe('leaving', () => {
  test('the sessions run out by themselves; what the user holds is told completely', async () => {
    const account = await addAccount()
    const groups = []
    for (let at = 0; at < 4; at += 1) groups.push(await world.addGroup(freshKey(), [account]))
    const [told] = await apply([{ op: 'endSessions', account }])
    expect(said(told)).toBe('was-so')
    expect(grantsOf(told)).toEqual(groups.map(({ nativeId }) => nativeId).sort())
    world.simulator.faults.arm({
      operation: 'ListGroupMembershipsForMember',
      nth: 2,
      phase: 'after',
      act: { kind: 'repeat-token' },
    })
    expect(await saying([{ op: 'endSessions', account }])).toEqual(['retry'])
  })

  test('deleted only when it holds nothing, for good, and once', async () => {
    const account = await addAccount()
    const group = await world.addGroup(freshKey(), [account])
    expect(await saying([{ op: 'deleteAccount', account }])).toEqual(['refused:protected'])
    expect(await world.userOf(account)).not.toBeNull()
    expect((await connector.observe([{ op: 'deleteAccount', account }], always)).map(said)).toEqual(['not-so'])
    await apply([revoke(account, group)])
    expect(await saying([{ op: 'deleteAccount', account }])).toEqual(['changed'])
    expect(await world.userOf(account)).toBeNull()
    expect(await saying([{ op: 'deleteAccount', account }])).toEqual(['was-so'])
    expect((await connector.observe([{ op: 'deleteAccount', account }], always)).map(said)).toEqual(['was-so'])
  })

  test("SCIM's user is SCIM's to delete", async () => {
    const account = await addAccount()
    world.setExternalIds('users', account, ['x'])
    expect(await saying([{ op: 'deleteAccount', account }])).toEqual(['refused:protected'])
  })
})

describe('lists', () => {
  test('pages of three: everybody, and nobody twice', async () => {
    const accounts = await world.addAccounts(Array.from({ length: 8 }, () => world.person(freshKey())))
    const group = await world.addGroup(freshKey(), accounts)
    const lists = []
    for await (const list of connector.membersOf([{ id: 1 as never, ...group }], always.signal)) lists.push(list)
    expect(lists).toMatchObject([{ kind: 'complete', members: accounts }])
  })

  test('a token that comes again: no list at all', async () => {
    const accounts = await world.addAccounts(Array.from({ length: 8 }, () => world.person(freshKey())))
    const group = await world.addGroup(freshKey(), accounts)
    world.simulator.faults.arm({
      operation: 'ListGroupMemberships',
      nth: 2,
      phase: 'after',
      act: { kind: 'repeat-token' },
    })
    const lists = []
    for await (const list of connector.membersOf([{ id: 1 as never, ...group }], always.signal)) lists.push(list)
    expect(lists).toEqual([{ entitlement: 1, kind: 'failed', cause: 'repeated-token' }])
    world.simulator.faults.arm({ operation: 'ListUsers', nth: 2, phase: 'after', act: { kind: 'repeat-token' } })
    const many = Array.from({ length: 30 }, (_, at) => accounts[at % 8] as NativeId)
    const strangers = many.map((_, at) => `00000000-0000-4000-8000-${String(at).padStart(12, '0')}` as NativeId)
    expect(await connector.accounts(strangers, always.signal)).toMatchObject({
      kind: 'partial',
      cause: 'repeated-token',
    })
  })
})

describe('reads that do not tell', () => {
  test('one read that does not show a membership is no proof that it is gone: all pages are asked', async () => {
    const hidden = {
      operation: 'GetGroupMembershipId',
      nth: 1,
      phase: 'before',
      act: { kind: 'error', type: 'ResourceNotFoundException', more: { ResourceType: 'GROUP_MEMBERSHIP' } },
    } as const
    const account = await addAccount()
    const group = await world.addGroup(freshKey(), [account])
    world.simulator.faults.arm(hidden)
    expect((await connector.observe([revoke(account, group)], always)).map(said)).toEqual(['not-so'])
    world.simulator.faults.arm(hidden)
    expect(await saying([revoke(account, group)])).toEqual(['changed'])
    expect(await world.membersOf(group)).toEqual([])

    const theirs = await world.addGroup(freshKey(), [account])
    world.setExternalIds('groups', theirs.nativeId, ['pushed'])
    world.simulator.faults.arm(hidden)
    expect(await apply([revoke(account, theirs)])).toMatchObject([{ kind: 'retry', cause: { word: 'scim-owned' } }])
  })

  test('a group is shown by the name that it has now: protection goes by it', async () => {
    const account = await addAccount()
    const group = await world.addGroup(freshKey(), [account])
    await connector.grantsOf([account], always.signal)
    const name = `break-glass-${freshKey()}`
    await world.simulator.ask('identitystore', 'UpdateGroup', {
      IdentityStoreId: world.settings.identityStoreId,
      GroupId: group.nativeId,
      Operations: [{ AttributePath: 'displayName', AttributeValue: name }],
    })
    const held = await connector.grantsOf([account], always.signal)
    expect(held.items.map(({ entitlement }) => entitlement.name)).toEqual([`group/${name}`])
  })

  test('a group whose name cannot be read makes no complete list: its id fits no protection', async () => {
    const account = await addAccount()
    await world.addGroup(`break-glass-${freshKey()}`, [account])
    world.simulator.faults.arm({
      operation: 'DescribeGroup',
      nth: 1,
      phase: 'before',
      act: { kind: 'error', type: 'AccessDeniedException', status: 400 },
    })
    expect((await connector.grantsOf([account], always.signal)).kind).toBe('partial')
  })

  test('a signal that has fired ends reading: nothing is asked', async () => {
    const account = await addAccount()
    const calls = await world.callsOf(async () => {
      const over = AbortSignal.abort()
      expect((await connector.grantsOf([account], over)).kind).toBe('partial')
      expect(
        (await connector.observe([{ op: 'endSessions', account }], { signal: over, sentMsAgo: null })).map(said),
      ).toEqual(['unknown'])
      const handle = JSON.stringify({ kind: 'settling', until: 0 })
      const pending = { operation: { op: 'endSessions', account } as const, handle }
      expect((await connector.poll?.([pending], over))?.map(said)).toEqual(['unknown'])
    })
    expect(calls).toEqual([])
  })
})
