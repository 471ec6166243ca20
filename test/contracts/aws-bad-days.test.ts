/** Throttling, servers that fail, credentials that end, and a whole bad day by its seed. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { seededFaults } from '../../simulators/aws/faults.ts'
import { type Rights, type Said, simulated } from '../../simulators/aws/rights.ts'
import { allUses, type Connector, type MemberList } from '../../src/connectors/connector.ts'
import type { EntitlementId, NativeId } from '../../src/domain/ids.ts'
import { queryProblems } from '../support/aws-query-model.ts'
import { until } from '../support/until.ts'
import { awsCredentials } from './aws-credentials.ts'
import { type AwsWorld, makeAws, openAwsWorld } from './aws-world.ts'
import {
  accountOf,
  always,
  ensure,
  freshKey,
  type Group,
  grant,
  neverLinking,
  notLinkable,
  revoke,
  said,
  sorted,
} from './world.ts'

let world: AwsWorld
let connector: Connector
beforeAll(async () => {
  world = await openAwsWorld()
  connector = makeAws(world)
})
afterEach(() => world.faults.none())
afterAll(async () => {
  expect(world.modelProblems).toEqual([])
  await connector.close()
  await world.close()
})
awsCredentials(() => ({
  world,
  signers: world.simulator.signers,
  make: (credentials, { now, secret }) => makeAws(world, { credentials }, 'leaver', now, secret),
}))
const addAccounts = (count: number) => world.addAccounts(Array.from({ length: count }, () => world.person(freshKey())))

test('AWS names a time beyond our patience: the lane is told, and nothing is sent meanwhile', async () => {
  const fresh = makeAws(world)
  const [account] = (await addAccounts(1)) as [NativeId]
  const groups = [await world.addGroup(freshKey()), await world.addGroup(freshKey())] as const
  world.simulator.faults.arm({
    operation: 'CreateGroupMembership',
    nth: 1,
    phase: 'before',
    act: { kind: 'error', type: 'ThrottlingException', more: { RetryAfterSeconds: 600 } },
  })
  const calls = await world.callsOf(async () => {
    const [first, second] = await fresh.apply([grant(account, groups[0]), grant(account, groups[1])], always)
    expect(first).toEqual({ kind: 'throttled', retryAfterMs: 600_000, scope: 'target' })
    expect(second).toMatchObject({ kind: 'throttled' })
    expect((await fresh.apply([grant(account, groups[0])], always)).map(said)).toEqual(['throttled'])
    expect((await fresh.observe([grant(account, groups[0])], always)).map(said)).toEqual(['unknown'])
  })
  expect(calls.filter((operation) => operation.startsWith('Create'))).toHaveLength(1)
  expect(await world.membersOf(groups[0])).toEqual([])
  await fresh.close()
})

test('a storm: we believe in more than AWS gives; everything is told as it is, and in the end everybody is in', async () => {
  const narrow = await openAwsWorld({ callsPerSecond: 4 })
  const hasty = makeAws(narrow)
  const accounts = await narrow.addAccounts(Array.from({ length: 10 }, () => narrow.person(freshKey())))
  const group = await narrow.addGroup(freshKey())
  let left: readonly NativeId[] = accounts
  const words = new Set<string>()
  while (left.length > 0) {
    const some = left.map((account) => grant(account, group))
    const outcomes = (await hasty.apply(some, always)).map(said)
    for (const word of outcomes) words.add(word)
    left = left.filter((_, at) => outcomes[at] !== 'changed' && outcomes[at] !== 'was-so')
  }
  expect(sorted(await narrow.membersOf(group))).toEqual(sorted(accounts))
  expect([...words].filter((word) => !['changed', 'was-so', 'throttled', 'unknown'].includes(word))).toEqual([])
  const refused = narrow.simulator.calls().filter(({ answer }) => answer === 'ThrottlingException')
  expect(refused.length).toBeGreaterThan(0)
  // One refusal closes the family for everybody: what was on its way may be refused too, the rest is not sent.
  expect(refused.length).toBeLessThan(narrow.simulator.calls().length / 2)
  await hasty.close()
  await narrow.close()
})

test("within AWS's own limits nothing is ever refused", async () => {
  const quiet = await openAwsWorld({ callsPerSecond: 20 })
  const polite = makeAws(quiet, { callsPerSecond: { identityStore: 18, ssoAdmin: 18 } })
  const accounts = await quiet.addAccounts(Array.from({ length: 20 }, () => quiet.person(freshKey())))
  const group = await quiet.addGroup(freshKey())
  const outcomes = await polite.apply(
    accounts.map((account) => grant(account, group)),
    always,
  )
  expect(new Set(outcomes.map(said))).toEqual(new Set(['changed']))
  expect(quiet.simulator.calls()).toHaveLength(22)
  expect(quiet.simulator.calls().filter(({ answer }) => answer !== 'ok')).toEqual([])
  await polite.close()
  await quiet.close()
})

test('a group with 60,000 members: the connection breaks in the middle, and everybody is listed, nobody twice', async () => {
  const group = await world.addGroup(freshKey(), [], 60_000)
  world.simulator.faults.arm({ operation: 'ListGroupMemberships', nth: 301, phase: 'after', act: { kind: 'drop' } })
  const lists: MemberList[] = []
  const calls = await world.callsOf(async () => {
    for await (const list of connector.membersOf([{ id: 1 as EntitlementId, ...group }], always.signal))
      lists.push(list)
  })
  expect(calls.length).toBe(601)
  const [list] = lists
  const members = list?.kind === 'complete' ? list.members : []
  expect(members.length).toBe(60_000)
  expect(new Set(members)).toEqual(
    new Set(world.simulator.state.memberships.ofGroup(group.nativeId).map(({ user }) => user)),
  )
})

test.each([500, 502, 503, 504])(
  '%d with a page of a load balancer: a write is unknown, a read told nothing',
  async (status) => {
    const [account] = (await addAccounts(1)) as [NativeId]
    const group = await world.addGroup(freshKey())
    const act = { kind: 'status', status } as const
    world.simulator.faults.arm({ operation: '*write', nth: 1, phase: 'after', act })
    expect((await connector.apply([grant(account, group)], always)).map(said)).toEqual(['unknown'])
    world.simulator.faults.arm({ operation: 'DescribeGroup', nth: 1, phase: 'before', act })
    expect((await connector.apply([revoke(account, group)], always)).map(said)).toEqual(['retry'])
    world.simulator.faults.arm({ operation: 'GetGroupMembershipId', nth: 1, phase: 'before', act })
    expect((await connector.observe([revoke(account, group)], always)).map(said)).toEqual(['unknown'])
    world.simulator.faults.arm({ operation: 'GetGroupMembershipId', nth: 2, phase: 'before', act })
    expect(await connector.apply([revoke(account, group)], always)).toMatchObject([
      { kind: 'unknown', cause: { word: 'unverified-server-error' } },
    ])
  },
)

test('credentials that AWS does not know, and an identity store that is none: refused as what they are, and check says so', async () => {
  const [account] = (await addAccounts(1)) as [NativeId]
  const group = await world.addGroup(freshKey())
  const act = { kind: 'error', type: 'UnrecognizedClientException' } as const
  world.simulator.faults.arm({ operation: '*', nth: 1, phase: 'before', act })
  expect((await connector.apply([grant(account, group)], always)).map(said)).toEqual(['refused:credential'])
  world.simulator.faults.arm({
    operation: 'ListUsers',
    nth: 1,
    phase: 'before',
    act: { ...act, type: 'AccessDeniedException' },
  })
  expect(await connector.check(always.signal)).toMatchObject({
    ok: false,
    problems: ['identitystore:ListUsers: access-denied (AccessDeniedException)'],
  })
  const mistaken = makeAws(world, { identityStoreId: 'd-0123456789' })
  expect((await mistaken.check(always.signal)).problems.join()).toContain('not d-0123456789')
  expect((await mistaken.apply([grant(account, group)], always)).map(said)).toEqual(['refused:configuration'])
  await mistaken.close()
})

test('check tells what it looked at, what it could not ask, and a clock that differs', async () => {
  const { problems, facts, unknown } = await connector.check(always.signal)
  expect(problems).toEqual([])
  expect(facts).toEqual([
    expect.stringMatching(/^as arn:aws:sts::/),
    'by configured keys: static keys, which do not end by themselves',
    expect.stringMatching(/^identity store d-/),
    expect.stringMatching(/^clocks \d+ s apart$/),
  ])
  expect(unknown).toEqual([
    expect.stringMatching(
      /^whether it may write, and other reads than sso:ListInstances, identitystore:ListUsers, identitystore:ListGroups, sso:ListPermissionSets \(IAM evaluates no policy of arn:/,
    ),
  ])
  // Two minutes: less than what the SDK itself takes note of.
  const late = makeAws(world, {}, 'bulk', () => Date.now() - 120_000)
  expect((await late.check(always.signal)).problems).toEqual([
    expect.stringMatching(/^the clock here is 1[12]\d s behind AWS's$/),
  ])
  await late.close()
  // A read that takes five minutes has nothing to do with the clock.
  let passed = 0
  const slow = makeAws(world, {}, 'bulk', () => Date.now() + passed)
  const act = { kind: 'meanwhile', work: async () => void (passed = 300_000) } as const
  world.simulator.faults.arm({ operation: 'ListUsers', nth: 1, phase: 'before', act })
  expect((await slow.check(always.signal)).problems).toEqual([])
  expect(passed).toBe(300_000)
  await slow.close()
})

describe('what IAM says that it may do', () => {
  const source = 'arn:aws:iam::123456789012:role/muster'
  const told = async (rights: Rights | null, changes = {}, uses = allUses) => {
    const credentials = { from: 'webIdentity', roleArn: source, tokenFile: import.meta.filename }
    const asking = makeAws(world, { credentials, ...changes })
    world.simulator.setRights(rights)
    try {
      return await asking.check(always.signal, uses)
    } finally {
      world.simulator.setRights(null)
      await asking.close()
    }
  }
  const allowed: Said = { decision: 'allowed' }
  const no: Said = { decision: 'implicitDeny' }

  test('it is asked about all that is configured, and about nothing else', async () => {
    const asked = new Map<string, Set<string>>()
    const note: Rights = (action, resource) => {
      asked.set(resource, new Set([...(asked.get(resource) ?? []), action]))
      return allowed
    }
    const well = await told(note)
    expect([well.ok, well.unknown]).toEqual([true, []])
    expect(well.facts).toContain('IAM was asked about 25 actions')
    const { instanceArn, identityStoreId } = world.settings
    const store = `arn:aws:identitystore::123456789012:identitystore/${identityStoreId}`
    expect(new Set(asked.keys())).toEqual(new Set([store, instanceArn, '*']))
    expect(asked.get(store)).toContain('identitystore:DeleteUser')
    expect(asked.get(instanceArn)).toContain('sso:CreateAccountAssignment')
    expect(asked.get('*')?.has('sso:ProvisionPermissionSet')).toBe(false)
    asked.clear()
    const groupsOnly = { assignments: 'none', account: { attributes: {} }, sessions: 'deny-inline-policy' }
    await told(note, groupsOnly, { createAccounts: false, deleteAccounts: false, writes: true })
    expect([...(asked.get(store) ?? [])].filter((action) => action.endsWith('User'))).toEqual([
      'identitystore:DescribeUser',
    ])
    expect(asked.get(instanceArn)).toContain('sso:ProvisionPermissionSet')
    expect(asked.get(instanceArn)?.has('sso:CreateAccountAssignment')).toBe(false)
    asked.clear()
    expect(await told(note, { assignments: 'none' })).toMatchObject({ ok: true, unknown: [] })
    expect(new Set(asked.keys())).toEqual(new Set([store, '*']))
    const form = new URLSearchParams({
      Action: 'SimulatePrincipalPolicy',
      Version: '2010-05-08',
      PolicySourceArn: source,
      'ActionNames.member.1': 'sso:ListInstances',
      'ResourceArns.member.1': instanceArn,
    })
    expect(queryProblems(form, 200, String(simulated(form, () => ({ ...no, missing: ['aws:SourceIp'] }))))).toEqual([])
  })

  test('only a plain no is a problem: at once of what reads, of what writes as soon as changes are sent', async () => {
    const refused = ['identitystore:DescribeGroup', 'identitystore:CreateGroupMembership']
    const rights: Rights = (action) => (refused.includes(action) ? no : allowed)
    const line = (action: string) =>
      `${action} on arn:aws:identitystore::123456789012:identitystore/${world.settings.identityStoreId} is not allowed (implicitDeny)`
    expect(await told(rights)).toMatchObject({ ok: false, problems: refused.map(line), unknown: [], beforeEnforce: [] })
    expect(await told(rights, {}, { ...allUses, writes: false })).toMatchObject({
      problems: [line('identitystore:DescribeGroup')],
      beforeEnforce: [line('identitystore:CreateGroupMembership')],
    })
    const depends: Rights = (action) =>
      action === 'sso:DeleteAccountAssignment' ? { ...no, missing: ['aws:SourceIp'] } : allowed
    expect(await told(depends)).toMatchObject({
      ok: true,
      unknown: ["sso:DeleteAccountAssignment (IAM's evaluation does not decide)"],
    })
    const byPages: Rights = (action) => (action === 'identitystore:IsMemberInGroups' ? no : allowed)
    expect(await told(byPages)).toMatchObject({
      ok: true,
      facts: expect.arrayContaining(['without identitystore:IsMemberInGroups memberships are proven by pages']),
      unknown: [],
    })
    const onSome: Rights = (action, resource) =>
      action === 'sso:CreateAccountAssignment' && resource === '*' ? no : allowed
    expect(await told(onSome)).toMatchObject({
      ok: true,
      unknown: ['on which users, groups, permission sets and AWS accounts: sso:CreateAccountAssignment'],
    })
  })

  test('where that may not be asked, it says so and which right would let it', async () => {
    expect(await told(null)).toMatchObject({
      ok: true,
      unknown: [
        expect.stringMatching(
          /^whether it may write, .* \(iam:SimulatePrincipalPolicy on arn:aws:iam::123456789012:role\/muster would let doctor ask: access-denied \(AccessDenied\)\)$/,
        ),
      ],
    })
  })
})

test.each(['first', 'second', 'third'])(
  'a bad day by its seed (%s): what is unknown is read, and the truth is what was wanted',
  async (seed) => {
    const people = Array.from({ length: 6 }, () => world.person(freshKey()))
    const groups: Group[] = [await world.addGroup(freshKey()), await world.addGroup(freshKey())]
    world.simulator.faults.arm(...seededFaults(seed, 40, 30))
    const tryOn = (operations: Parameters<Connector['apply']>[0]) =>
      until(async () => (await connector.apply(operations, always)).every((outcome) => said(outcome) === 'was-so'))
    await tryOn(people.map((somebody) => ensure(somebody)))
    const accounts: NativeId[] = []
    for (const somebody of people) {
      const ids = await world.accountsOf(somebody)
      expect(ids).toHaveLength(1)
      accounts.push(...ids)
    }
    await tryOn(accounts.flatMap((account) => groups.map((group) => grant(account, group))))
    for (const group of groups) expect(sorted(await world.membersOf(group))).toEqual(sorted(accounts))
    await tryOn(accounts.map((account) => revoke(account, groups[0] as Group)))
    expect(await world.membersOf(groups[0] as Group)).toEqual([])
    expect(sorted(await world.membersOf(groups[1] as Group))).toEqual(sorted(accounts))
  },
)

test('another hand makes the user at the moment of ours: found, and linked only where it may be', async () => {
  for (const isRefused of [true, false]) {
    const somebody = world.person(freshKey())
    const made: NativeId[] = []
    world.faults.atNextWrite('before-commit', async () => {
      made.push(...(await world.addAccounts([somebody])))
    })
    const { asked, context } = neverLinking()
    const [outcome] = await connector.apply([ensure(somebody)], isRefused ? context : always)
    expect(isRefused ? outcome : accountOf(outcome)).toMatchObject(
      isRefused ? notLinkable : { nativeId: made[0], origin: 'linked' },
    )
    expect(asked).toEqual(isRefused ? made : [])
    expect(await world.accountsOf(somebody)).toEqual(made)
  }
})
