/** What only an Entra tenant does: references that delete people, batches that are all or nothing, groups that are not ours. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Connector, Operation } from '../../src/connectors/connector.ts'
import type { EntitlementId, NativeId } from '../../src/domain/ids.ts'
import { type EntraWorld, makeEntra, openEntraWorld } from './entra-world.ts'
import { always, ensure, freshKey, type Group, grant, revoke, said, settling, sorted, unknownId } from './world.ts'

let world: EntraWorld
let connector: Connector
beforeAll(async () => {
  world = await openEntraWorld()
  connector = makeEntra(world)
})
afterEach(() => {
  const waiting = world.graph.faults.waiting()
  world.faults.none()
  expect(waiting).toEqual([])
})
afterAll(async () => {
  await connector?.close()
  await world?.close()
})

const apply = (operations: readonly Operation[]) => connector.apply(operations, always)
const saying = async (operations: readonly Operation[]) => (await apply(operations)).map(said)
const inTheEnd = (operations: readonly Operation[]) => settling(world, connector, operations)
const addAccounts = (count: number) => world.addAccounts(Array.from({ length: count }, () => world.person(freshKey())))
const addAccount = async () => (await addAccounts(1))[0] as NativeId
const groupOf = (
  properties: Parameters<EntraWorld['graph']['hand']['addGroup']>[0],
  members: readonly string[] = [],
) => {
  const id = world.graph.hand.addGroup(properties) as NativeId
  world.graph.hand.addMembers(id, members)
  return { lookup: id, nativeId: id } satisfies Group
}
const pinned = ({ lookup, nativeId }: Group) => ({ id: 1 as EntitlementId, lookup, nativeId })
const listOf = async (group: Group) => {
  for await (const list of connector.membersOf([pinned(group)], always.signal)) return list
  throw new Error('no list')
}

describe('taking out of a group', () => {
  test.each([1, 23])('%i of it: the people are still there, although the app may delete them', async (count) => {
    const accounts = await addAccounts(count)
    const group = await world.addGroup(freshKey(), accounts)
    const asked = await world.writesOf(async () => {
      expect(await saying(accounts.map((account) => revoke(account, group)))).toEqual(accounts.map(() => 'changed'))
    })
    expect(accounts.filter((id) => world.graph.inspector.user(id) === undefined)).toEqual([])
    expect(world.graph.inspector.counts().byOperation.deleteMemberObject).toBeUndefined()
    expect(asked).toHaveLength(count)
    for (const address of asked) expect(address).toMatch(/^DELETE \/v1\.0\/groups\/[^/]+\/members\/[^/]+\/\$ref$/)
  })

  test('one person out of thirty groups: two requests to change, two to read first, two to prove', async () => {
    const [account, bystander] = (await addAccounts(2)) as [NativeId, NativeId]
    const groups: Group[] = []
    for (let at = 0; at < 30; at += 1) groups.push(await world.addGroup(freshKey(), [account, bystander]))
    const requests: string[] = []
    const fetchReally = globalThis.fetch
    globalThis.fetch = (input, init) => {
      requests.push(`${init?.method} ${new URL(String(input)).pathname}`)
      return fetchReally(input, init)
    }
    try {
      expect(await saying(groups.map((group) => revoke(account, group)))).toEqual(groups.map(() => 'changed'))
    } finally {
      globalThis.fetch = fetchReally
    }
    expect(requests.filter((one) => one.endsWith('$batch'))).toHaveLength(4)
    expect(requests.filter((one) => one.endsWith('/memberOf'))).toHaveLength(2)
    expect(requests).toHaveLength(6)
    expect(world.graph.inspector.memberOf(account)).toEqual([])
    expect(world.graph.inspector.memberOf(bystander)).toHaveLength(30)
  })

  test('whoever is not in it, and not in the directory, is told apart', async () => {
    const account = await addAccount()
    const group = await world.addGroup(freshKey())
    expect(await inTheEnd([revoke(account, group), revoke(unknownId, group)])).toEqual([
      'was-so',
      'refused:account-missing',
    ])
  })
})

describe('joining a group', () => {
  test('twenty in one request', async () => {
    const accounts = await addAccounts(60)
    const group = await world.addGroup(freshKey())
    const asked = await world.writesOf(() => apply(accounts.map((account) => grant(account, group))))
    expect(asked).toEqual(Array.from({ length: 3 }, () => `PATCH /v1.0/groups/${group.nativeId}`))
    expect(sorted(await world.membersOf(group))).toEqual(sorted(accounts))
  })

  test('members that are there already: one read, and the difference', async () => {
    const accounts = await addAccounts(20)
    const group = await world.addGroup(freshKey(), accounts.slice(0, 3))
    const asked = await world.writesOf(async () => {
      expect(await saying(accounts.map((account) => grant(account, group)))).toEqual(
        accounts.map((_, at) => (at < 3 ? 'was-so' : 'changed')),
      )
    })
    expect(asked).toHaveLength(2)
  })

  test('one that does not exist fails alone, and costs two requests more', async () => {
    const accounts = await addAccounts(40)
    const group = await world.addGroup(freshKey())
    const operations = accounts.map((account) => grant(account, group))
    operations.splice(7, 0, grant(unknownId, group))
    const asked = await world.writesOf(async () => {
      expect(await inTheEnd(operations)).toEqual(
        operations.map((_, at) => (at === 7 ? 'refused:account-missing' : 'changed')),
      )
    })
    expect(asked.length).toBeLessThanOrEqual(5)
    expect(sorted(await world.membersOf(group))).toEqual(sorted(accounts))
  })

  test('everybody is refused, one by one, and not for ever', async () => {
    const group = await world.addGroup(freshKey())
    const nobody = Array.from({ length: 45 }, (_, at) =>
      grant(`00000000-0000-4000-8000-0000000000${String(at + 10)}` as NativeId, group),
    )
    const words = await inTheEnd(nobody)
    expect(words.filter((word) => word === 'refused:account-missing')).toHaveLength(20)
    expect(words.filter((word) => word === 'retry')).toHaveLength(25)
  })
})

describe('groups that are not ours to change', () => {
  test.each([
    ['dynamic-membership', { groupTypes: ['DynamicMembership'], membershipRule: 'user.department -eq "x"' }],
    ['synced-from-ad', { onPremisesSyncEnabled: true }],
    ['role-assignable', { isAssignableToRole: true }],
    ['mail-enabled', { mailEnabled: true, securityEnabled: true }],
    ['mail-enabled', { mailEnabled: true, securityEnabled: false }],
  ])('%s', async (word, properties) => {
    const [inside, outside] = (await addAccounts(2)) as [NativeId, NativeId]
    const group = groupOf(properties, [inside])
    const asked = await world.writesOf(async () => {
      for (const operation of [grant(outside, group), revoke(inside, group)])
        expect(await apply([operation])).toMatchObject([{ kind: 'refused', reason: 'not-allowed', cause: { word } }])
    })
    expect(asked).toEqual([])
    const observed = await connector.observe(
      [grant(inside, group), revoke(outside, group), revoke(inside, group)],
      always,
    )
    expect(observed.map(said).slice(1)).toEqual(['was-so', 'refused:not-allowed'])
    expect(await inTheEnd([revoke(outside, group), revoke(inside, group)])).toEqual(['was-so', 'refused:not-allowed'])
  })

  test('a Microsoft 365 group has mail and is ours', async () => {
    const account = await addAccount()
    const group = groupOf({ groupTypes: ['Unified'], mailEnabled: true, securityEnabled: false })
    expect(await saying([grant(account, group)])).toEqual(['changed'])
  })

  test('a role-assignable group is ours where the configuration says so', async () => {
    const account = await addAccount()
    const group = groupOf({ isAssignableToRole: true })
    const daring = world.connect({ roleAssignableGroups: true })
    expect((await daring.apply([grant(account, group)], always)).map(said)).toEqual(['changed'])
  })
})

describe('what a catalogue may call a group', () => {
  const resolve = (...lookups: readonly string[]) =>
    connector.resolveEntitlements(
      lookups.map((lookup) => ({ id: 1 as EntitlementId, lookup, nativeId: null })),
      always.signal,
    )

  test('its object id, its display name, with or without saying so; two of a name are ambiguous', async () => {
    const name = `R&D #1 'Zürich' 100% ${freshKey()}`
    const group = await world.addGroup(name)
    const twice = freshKey()
    await world.addGroup(twice)
    await world.addGroup(twice)
    const found = { kind: 'found', nativeId: group.nativeId }
    expect(await resolve(group.nativeId, `displayName:${name}`, name, freshKey(), unknownId, twice)).toEqual([
      found,
      found,
      found,
      { kind: 'missing' },
      { kind: 'missing' },
      { kind: 'failed', cause: 'ambiguous-name' },
    ])
    const ruled = groupOf({ groupTypes: ['DynamicMembership'], membershipRule: 'user.department -eq "x"' })
    expect(await resolve(ruled.nativeId)).toEqual([
      { kind: 'found', nativeId: ruled.nativeId, keptBy: 'dynamic-membership' },
    ])
    const account = await addAccount()
    expect(await saying([grant(account, { lookup: twice, nativeId: unknownId }, false)])).toEqual([
      'refused:configuration',
    ])
  })
})

describe('a group and its name', () => {
  test('renamed, and nobody has the name: nobody is let in; whoever is in is taken out', async () => {
    const [inside, outside] = (await addAccounts(2)) as [NativeId, NativeId]
    const group = await world.addGroup(freshKey(), [inside])
    const newName = freshKey()
    world.graph.hand.patchGroup(group.nativeId, { displayName: newName })
    expect(await apply([grant(outside, group)])).toMatchObject([
      { kind: 'refused', reason: 'entitlement-missing', cause: { word: 'group-renamed' } },
    ])
    expect(await saying([revoke(inside, group)])).toEqual(['changed'])
    // The catalogue follows, or it never went by the name.
    for (const lookup of [newName, group.nativeId]) {
      expect(await saying([grant(outside, { ...group, lookup })])).toEqual(['changed'])
      expect(await saying([revoke(outside, group)])).toEqual(['changed'])
    }
  })

  test('the name went to another group since the last call: nobody is let into the old one', async () => {
    const [first, second] = (await addAccounts(2)) as [NativeId, NativeId]
    const name = freshKey()
    const group = await world.addGroup(name)
    expect(await saying([grant(first, group)])).toEqual(['changed'])
    world.graph.hand.patchGroup(group.nativeId, { displayName: `payments-approvers-${freshKey()}` })
    await world.addGroup(name)
    expect(await saying([grant(second, group)])).toEqual(['refused:entitlement-changed-identity'])
    expect(await world.membersOf(group)).toEqual([first])
  })

  test('renamed while a grant of it is pending: the grant is found where it was made', async () => {
    const account = await addAccount()
    const group = await world.addGroup(freshKey())
    world.graph.faults.plan({
      operation: 'memberOf',
      phase: 'before',
      effect: { kind: 'status', status: 502, body: 'html' },
    })
    const [outcome] = await apply([grant(account, group)])
    const handle = outcome?.kind === 'pending' ? outcome.handle : ''
    world.graph.hand.patchGroup(group.nativeId, { displayName: freshKey() })
    const polled = await connector.poll?.([{ operation: grant(account, group), handle }], always.signal)
    expect(polled?.map(said)).toEqual(['changed'])
  })

  test('renamed, and another has the name: nobody is let in; whoever is in is taken out', async () => {
    const [inside, outside] = (await addAccounts(2)) as [NativeId, NativeId]
    const name = freshKey()
    const group = await world.addGroup(name, [inside])
    world.graph.hand.patchGroup(group.nativeId, { displayName: freshKey() })
    const other = await world.addGroup(name)
    const operations = [grant(outside, group), revoke(inside, group)]
    expect((await connector.observe(operations, always)).map(said)).toEqual([
      'refused:entitlement-changed-identity',
      'not-so',
    ])
    expect(await saying(operations)).toEqual(['refused:entitlement-changed-identity', 'changed'])
    expect([
      ...world.graph.inspector.members(other.nativeId),
      ...world.graph.inspector.members(group.nativeId),
    ]).toEqual([])
    expect(await saying([grant(outside, { lookup: other.nativeId, nativeId: group.nativeId })])).toEqual([
      'refused:entitlement-changed-identity',
    ])
  })
})

describe('reading lists', () => {
  test('60,000 members: all of them, or none', async () => {
    const people = Array.from({ length: 60_000 }, () => world.graph.hand.addUser() as NativeId)
    const group = await world.addGroup(freshKey(), people)
    const list = await listOf(group)
    expect(list).toMatchObject({ kind: 'complete', members: { length: 60_000 } })
    const who = await connector.whoIs([...people, group.nativeId, 'no id at all'], always.signal)
    expect(who).toMatchObject({ kind: 'complete', items: { length: 60_000 } })

    world.graph.faults.plan({
      operation: 'listMembers',
      nth: 40,
      phase: 'before',
      effect: { kind: 'status', status: 502, body: 'html' },
    })
    expect(await listOf(group)).toEqual({
      kind: 'failed',
      entitlement: 1,
      cause: expect.stringContaining('bad-gateway'),
    })

    const one = people[30_000] as NativeId
    world.graph.inspector.forgetCalls()
    expect(await saying([revoke(one, group)])).toEqual(['changed'])
    expect(world.graph.inspector.counts().byOperation.listMembers).toBeUndefined()
  })

  test('a link that leads to itself is a failure', async () => {
    const accounts = await addAccounts(1_200)
    const group = await world.addGroup(freshKey(), accounts)
    world.graph.faults.plan({
      operation: 'listMembers',
      times: 1_000,
      phase: 'after',
      effect: { kind: 'repeat-next-link' },
    })
    expect(await listOf(group)).toMatchObject({ kind: 'failed', cause: 'repeated-link' })
  })

  test('an empty page is not the end', async () => {
    const accounts = await addAccounts(1_200)
    const group = await world.addGroup(freshKey(), accounts)
    world.graph.faults.plan({ operation: 'listMembers', phase: 'after', effect: { kind: 'empty-page' } })
    expect(await listOf(group)).toMatchObject({ kind: 'complete', members: { length: 1_200 } })
  })

  test('more groups than a page hold somebody; groups of groups are not direct', async () => {
    const account = await addAccount()
    const groups: NativeId[] = []
    for (let at = 0; at < 1_100; at += 1) groups.push((await world.addGroup(freshKey(), [account])).nativeId)
    groupOf({}, [groups[0] as NativeId])
    const read = await connector.grantsOf([account, unknownId], always.signal)
    expect(read.kind).toBe('complete')
    expect(sorted(read.items.map(({ entitlement }) => entitlement.nativeId))).toEqual(sorted(groups))
  })
})

describe('a bad gateway', () => {
  const html = { kind: 'status', status: 502, body: 'html' } as const

  test('on a change: unknown, whether it was made or not', async () => {
    const account = await addAccount()
    const group = await world.addGroup(freshKey())
    world.graph.faults.plan({ operation: 'addMember', phase: 'after', effect: html })
    expect(await saying([grant(account, group)])).toEqual(['unknown'])
    expect((await connector.observe([grant(account, group)], always)).map(said)).toEqual(['was-so'])
    world.graph.faults.plan({ operation: 'patchUser', phase: 'before', effect: html })
    expect(await saying([{ op: 'disable', account }])).toEqual(['unknown'])
    expect(await world.canSignIn(account)).toBe(true)
  })

  test('on the read before: surely not applied', async () => {
    const account = await addAccount()
    const group = await world.addGroup(freshKey())
    world.graph.faults.plan({ operation: 'getGroup', phase: 'before', effect: html })
    expect(await saying([grant(account, group)])).toEqual(['retry'])
    expect(await world.membersOf(group)).toEqual([])
  })

  test('not found, of somebody who was just read: not replicated, so try again', async () => {
    const account = await addAccount()
    const missing = { kind: 'status', status: 404, body: 'json' } as const
    world.graph.faults.plan({ operation: 'patchUser', phase: 'before', effect: missing })
    expect(await apply([{ op: 'disable', account }])).toMatchObject([
      { kind: 'retry', cause: { word: 'not-replicated' } },
    ])
    const group = await world.addGroup(freshKey())
    world.graph.faults.plan({ operation: 'addMember', phase: 'before', effect: missing })
    expect(await apply([grant(account, group)])).toMatchObject([{ kind: 'retry', cause: { word: 'not-replicated' } }])
  })

  test('on the read-back: pending, and the poll tells', async () => {
    const account = await addAccount()
    const group = await world.addGroup(freshKey())
    world.graph.faults.plan({ operation: 'memberOf', phase: 'before', effect: html })
    const [outcome] = await apply([grant(account, group)])
    expect(said(outcome)).toBe('pending')
    const handle = outcome?.kind === 'pending' ? outcome.handle : ''
    const polled = await connector.poll?.([{ operation: grant(account, group), handle }], always.signal)
    expect(polled?.map(said)).toEqual(['changed'])
  })
})

test('a group that is gone between its pre-flight and the change is missing', async () => {
  const account = await addAccount()
  const group = await world.addGroup(freshKey())
  world.faults.atNextWrite('before-commit', () => world.removeGroup(group))
  expect(await saying([grant(account, group)])).toEqual(['refused:entitlement-missing'])
})

test('who may only read is refused, and the group is as it was', async () => {
  const poor = await openEntraWorld({
    apps: [
      {
        clientId: '9a3d526c-b3c1-4479-ba74-197b5c5751ae',
        secrets: ['s'],
        roles: ['User.Read.All', 'GroupMember.Read.All'],
      },
    ],
  })
  try {
    const [account] = (await poor.addAccounts([poor.person(freshKey())])) as [NativeId]
    const group = await poor.addGroup(freshKey())
    const weak = poor.connect()
    const somebody = poor.person(freshKey())
    expect(
      (await weak.apply([grant(account, group), { op: 'disable', account }, ensure(somebody)], always)).map(said),
    ).toEqual(['refused:not-allowed', 'refused:not-allowed', 'refused:not-allowed'])
    const { ok, problems, facts } = await weak.check(always.signal)
    expect(ok).toBe(false)
    expect(problems.join('\n')).toContain('GroupMember.ReadWrite.All')
    expect(problems.join('\n')).not.toContain('User.Read.All ')
    expect(facts?.join('\n')).toContain('granted: GroupMember.Read.All, User.Read.All')
  } finally {
    await poor.close()
  }
})

describe('indirect access', () => {
  test('groups in groups, in a circle and beside a grant of the same; direct ones and what cannot be read are not told', async () => {
    const account = await addAccount()
    const inner = await world.addGroup(freshKey(), [account])
    const middle = await world.addGroup(freshKey(), [inner.nativeId])
    const outer = await world.addGroup(freshKey(), [middle.nativeId, account])
    world.graph.hand.addMembers(inner.nativeId, [outer.nativeId])
    const read = await connector.indirectGrantsOf?.([account], always.signal)
    expect(read?.kind).toBe('complete')
    expect(
      read?.items.map(({ entitlement, via, path }) => `${via} ${entitlement.nativeId} from ${path[0]}`).sort(),
    ).toEqual(
      [
        `nested ${middle.nativeId} from ${inner.nativeId}`,
        `nested ${outer.nativeId} from ${inner.nativeId}`,
        // Left by leaving both only.
        `nested ${inner.nativeId} from ${outer.nativeId}`,
      ].sort(),
    )
    world.graph.faults.plan({
      operation: 'groupTransitiveMemberOf',
      phase: 'before',
      effect: { kind: 'status', status: 502, body: 'html' },
    })
    expect(await connector.indirectGrantsOf?.([account], always.signal)).toMatchObject({ kind: 'partial', items: [] })
  })
})
