/** What is special about trust policies: others' statements, sizes, two writers, servers that lag, deleted principals. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Connector } from '../../src/connectors/connector.ts'
import { createLocalStore } from '../../src/connectors/local-budget.ts'
import type { NativeId } from '../../src/domain/ids.ts'
import {
  type AwsIamWorld,
  accountId,
  foreign,
  makeAwsIam,
  openAwsIamWorld,
  policyOf,
  samlProvider,
  statementOf,
} from './aws-iam-world.ts'
import { always, ensure, freshKey, type Group, grant, ref, revoke, said, sorted } from './world.ts'

let world: AwsIamWorld
let connector: Connector
beforeAll(async () => {
  world = await openAwsIamWorld()
  connector = makeAwsIam(world)
})
afterEach(() => world.faults.none())
afterAll(async () => {
  await connector.close()
  await world.close()
})
const names = (count: number): readonly NativeId[] => Array.from({ length: count }, () => freshKey() as NativeId)
const saying = async (by: Connector, ...operations: Parameters<Connector['apply']>[0]) =>
  (await by.apply(operations, always)).map(said)
const withoutSpace = (text: string): number => text.replace(/\s/g, '').length

describe("others' statements", () => {
  const odd = `{"Effect":"Deny","Action":["sts:AssumeRole"],\t"Principal":{"AWS":["*"]} ,"Condition":{"NumericLessThan":{"aws:MultiFactorAuthAge":"3.60e1"},"StringEquals":{"aws:x":"b\\u0061\\u002fnk \\" ] } é"}}}`
  const similar = statementOf(['kept-by-them']).replace('MusterPeople', 'MusterPeoples')
  test.each([
    ['odd spaces and escapes', `{ "Statement" : [ ${foreign} ,${odd} ],"Version":"2012-10-17" }`, [foreign, odd]],
    ['one statement that is no list', `{"Version":"2012-10-17","Statement":${foreign}}`, [foreign]],
    ['a Sid that only looks like ours', policyOf(foreign, similar), [foreign, similar]],
  ])('stay the same bytes: %s', async (_, trust, theirs) => {
    const role = await world.addRole(`m-${freshKey()}`, trust)
    const before = JSON.parse(await world.trustOf(role))
    const [first, second] = names(2) as [NativeId, NativeId]
    expect(await saying(connector, grant(first, role), grant(second, role))).toEqual(['changed', 'changed'])
    for (const text of theirs) expect(await world.trustOf(role)).toContain(text)
    expect(sorted(await world.membersOf(role)).filter((name) => name !== 'kept-by-them')).toEqual(
      sorted([first, second]),
    )
    expect(await saying(connector, revoke(first, role), revoke(second, role))).toEqual(['changed', 'changed'])
    const after = await world.trustOf(role)
    for (const text of theirs) expect(after).toContain(text)
    expect(JSON.parse(after)).toEqual({ ...before, Statement: [before.Statement].flat() })
  })

  test('a policy that is only ours keeps a statement that lets nobody in, and is filled again', async () => {
    const [first] = names(1) as [NativeId]
    const role = await world.addRole(`m-${freshKey()}`, policyOf(statementOf([first])))
    expect(await saying(connector, revoke(first, role))).toEqual(['changed'])
    expect(JSON.parse(await world.trustOf(role)).Statement).toHaveLength(1)
    // STS takes no session name of one character.
    expect(await world.membersOf(role)).toEqual(['-'])
    const lists = []
    for await (const list of connector.membersOf([{ ...ref(role), nativeId: role.nativeId }], always.signal))
      lists.push(list)
    expect(lists).toMatchObject([{ kind: 'complete', members: [] }])
    expect(await saying(connector, revoke(first, role), grant(first, role))).toEqual(['was-so', 'changed'])
    expect(await world.membersOf(role)).toEqual([first])
  })

  test('what is no policy is left alone', async () => {
    const role = await world.addRole(`m-${freshKey()}`, policyOf(foreign))
    world.proxy.arm({
      action: 'GetRole',
      phase: 'before-commit',
      times: 10,
      act: { xml: roleXml(role, '{"Version":"2012-10-17"}') },
    })
    expect(await connector.apply([grant(names(1)[0] as NativeId, role)], always)).toMatchObject([
      { kind: 'refused', reason: 'invalid', cause: { word: 'trust-policy-unreadable' } },
    ])
    expect(await world.trustOf(role)).toBe(policyOf(foreign))
  })

  test('the same people make the same bytes, in whatever order they came', async () => {
    const people = names(5)
    const [one, other] = [await world.addGroup(freshKey()), await world.addGroup(freshKey())]
    for (const name of people) await saying(connector, grant(name, one))
    await saying(connector, ...people.toReversed().map((name) => grant(name, other)))
    expect(await world.trustOf(one)).toBe(await world.trustOf(other))
  })
})

describe('size', () => {
  test('who does not fit is refused with the size it would have, before IAM is asked; the rest goes', async () => {
    const narrow = makeAwsIam(world, { trustPolicyLimit: 2_048 })
    const role = await world.addGroup(freshKey())
    const people = names(200)
    const outcomes = await narrow.apply(
      people.map((name) => grant(name, role)),
      always,
    )
    const inside = people.filter((_, at) => said(outcomes[at]) === 'changed')
    expect(inside.length).toBeGreaterThan(50)
    expect(inside).toEqual(people.slice(0, inside.length))
    expect(sorted(await world.membersOf(role))).toEqual(sorted(inside))
    const size = withoutSpace(await world.trustOf(role))
    expect(size).toBeLessThanOrEqual(2_048)
    // One more: its name, two quotes and a comma.
    expect(outcomes[inside.length]).toEqual({
      kind: 'refused',
      reason: 'limit',
      cause: { code: String(size + (people[0] as string).length + 3), word: 'trust-policy-too-large' },
    })
    expect(size + (people[0] as string).length + 3).toBeGreaterThan(2_048)
    // Whoever leaves makes room in the same document.
    const [leaver, latecomer] = [people[0] as NativeId, people.at(-1) as NativeId]
    expect(await saying(narrow, grant(latecomer, role), revoke(leaver, role))).toEqual(['changed', 'changed'])
    await narrow.close()
  })

  test('the quota is smaller than configured: nobody comes in, leavers leave', async () => {
    const [leaver] = names(1) as [NativeId]
    const role = await world.addGroup(freshKey(), [leaver])
    world.proxy.setTrustQuota(2_048)
    const outcomes = await saying(connector, ...names(120).map((name) => grant(name, role)), revoke(leaver, role))
    expect(outcomes).toEqual([...Array(120).fill('refused:limit'), 'changed'])
    expect(await world.membersOf(role)).toEqual([])
  })
})

describe('more than one writer', () => {
  test('two connectors that share a budget: nobody is lost', async () => {
    const store = createLocalStore()
    const [one, other] = [makeAwsIam(world, {}, { store }), makeAwsIam(world, {}, { store, lane: 'leaver' })]
    const stay = names(6)
    const leave = names(6)
    const role = await world.addGroup(freshKey(), leave)
    const said = await Promise.all([
      ...stay.map((name) => saying(one, grant(name, role))),
      ...leave.map((name) => saying(other, revoke(name, role))),
    ])
    const again = await Promise.all([
      saying(one, ...stay.map((name) => grant(name, role))),
      saying(other, ...leave.map((name) => revoke(name, role))),
    ])
    expect(said.flat().filter((word) => word !== 'changed' && word !== 'retry')).toEqual([])
    expect(again.flat().filter((word) => word === 'retry')).toEqual([])
    expect(sorted(await world.membersOf(role))).toEqual(sorted(stay))
    await one.close()
    await other.close()
  })

  test('somebody writes between our read and our write: their old text overwrites ours: unknown', async () => {
    const [newcomer] = names(1) as [NativeId]
    const role = await world.addGroup(freshKey())
    const theirs = policyOf(foreign, statementOf(['theirs-now']).replace('MusterPeople', 'Theirs'))
    world.proxy.arm({
      action: 'UpdateAssumeRolePolicy',
      phase: 'after-commit',
      act: () => world.setTrust(role, theirs),
    })
    expect(await connector.apply([grant(newcomer, role)], always)).toMatchObject([
      { kind: 'unknown', cause: { word: 'changed-meanwhile' } },
    ])
    expect((await connector.observe([grant(newcomer, role)], always)).map(said)).toEqual(['not-so'])
    expect(await saying(connector, grant(newcomer, role))).toEqual(['changed'])
    expect(await world.trustOf(role)).toContain('Theirs')
  })

  test('somebody changes it between our two reads: nothing of theirs is overwritten', async () => {
    const [newcomer] = names(1) as [NativeId]
    const role = await world.addGroup(freshKey())
    const theirs = policyOf(foreign, statementOf(['theirs-now']).replace('MusterPeople', 'Theirs'))
    // The first read names the role, the second is the first under the lock.
    world.proxy.arm({ action: 'GetRole', phase: 'after-commit', act: async () => {} })
    world.proxy.arm({ action: 'GetRole', phase: 'after-commit', act: () => world.setTrust(role, theirs) })
    expect(await saying(connector, grant(newcomer, role))).toEqual(['changed'])
    expect(await world.trustOf(role)).toContain('Theirs')
    expect(await world.membersOf(role)).toEqual(['theirs-now', newcomer])
  })

  test('a role that changes with every read is not written', async () => {
    const role = await world.addGroup(freshKey())
    let turn = 0
    world.proxy.arm({
      action: 'GetRole',
      phase: 'before-commit',
      times: 9,
      act: () => world.setTrust(role, policyOf(foreign.replace('BreakGlass', `BreakGlass${turn++}`))),
    })
    const calls = await world.callsOf(async () => {
      expect(await connector.apply([grant(names(1)[0] as NativeId, role)], always)).toMatchObject([
        { kind: 'retry', cause: { word: 'role-changing' } },
      ])
    })
    expect(calls).not.toContain('UpdateAssumeRolePolicy')
  })
})

describe('servers of IAM that lag', () => {
  test('a write that no read shows is pending, and then it is there', async () => {
    const [newcomer] = names(1) as [NativeId]
    const role = await world.addGroup(freshKey())
    const operation = grant(newcomer, role)
    let left = 3
    // The first three reads are before the write; all after it are stale.
    world.proxy.arm({ action: 'GetRole', phase: 'before-commit', times: left, act: async () => void (left -= 1) })
    world.proxy.arm({ action: 'GetRole', phase: 'before-commit', times: 4, act: 'stale' })
    const slow = makeAwsIam(world, { settle: { ms: 60_000, confirmations: 2 } })
    const [outcome] = await slow.apply([operation], always)
    expect(outcome).toMatchObject({ kind: 'pending' })
    const handle = outcome?.kind === 'pending' ? outcome.handle : ''
    expect(handle).not.toContain(newcomer)
    world.proxy.arm({ action: 'GetRole', phase: 'before-commit', times: 3, act: 'stale' })
    expect((await slow.poll?.([{ operation, handle }], always.signal))?.map(said)).toEqual(['pending'])
    // Nobody of ours reads the old text and writes it back meanwhile.
    expect(await slow.apply([grant(names(1)[0] as NativeId, role)], always)).toMatchObject([
      { kind: 'retry', cause: { word: 'role-busy' } },
    ])
    expect((await slow.poll?.([{ operation, handle }], always.signal))?.map(said)).toEqual(['changed'])
    expect(await world.membersOf(role)).toEqual([newcomer])
    await slow.close()
  })

  test('one stale answer does not say that a leaver is out already', async () => {
    const [leaver] = names(1) as [NativeId]
    const role = await world.addGroup(freshKey())
    await connector.observe([grant(leaver, role)], always)
    await world.setTrust(role, policyOf(foreign, statementOf([leaver])))
    let left = 1
    world.proxy.arm({ action: 'GetRole', phase: 'before-commit', times: left, act: async () => void (left -= 1) })
    world.proxy.arm({ action: 'GetRole', phase: 'before-commit', act: 'stale' })
    expect(await saying(connector, revoke(leaver, role))).toEqual(['changed'])
    expect(await world.membersOf(role)).toEqual([])
  })
})

describe('drift in statements of ours', () => {
  const deleted = 'AROAEXAMPLEDELETED00A'
  test('a deleted principal is a stranger, the check names it, and the next change takes it out', async () => {
    const [inside, newcomer] = names(2) as [NativeId, NativeId]
    const role = await world.addRole(`m-${freshKey()}`, policyOf(foreign, statementOf([inside], [deleted])))
    const lists = []
    for await (const list of connector.membersOf([{ ...ref(role), nativeId: role.nativeId }], always.signal))
      lists.push(list)
    expect(lists).toMatchObject([{ kind: 'complete', members: [inside, `principal:${deleted}`] }])
    expect(await connector.whoIs([inside, `principal:${deleted}`], always.signal)).toEqual({
      kind: 'complete',
      items: [{ member: inside, account: inside }],
    })
    const report = await connector.check(always.signal)
    expect(report.ok).toBe(false)
    expect(report.problems.join()).toContain(deleted)
    expect(report.problems.join()).not.toContain(inside)
    expect(await saying(connector, grant(newcomer, role))).toEqual(['changed'])
    expect(await world.trustOf(role)).not.toContain(deleted)
    expect((await connector.check(always.signal)).ok).toBe(true)
  })

  test.each([
    ['without its condition', (text: string) => text.replace(/"Condition":\{.*\}\}/, '"Condition":{}}')],
    ['with a looser one', (text: string) => text.replace('StringEquals', 'StringLike')],
    ['turned into a Deny', (text: string) => text.replace('Allow', 'Deny')],
    ['for another provider', (text: string) => text.replace('/Entra', '/Okta')],
  ])('a statement of ours %s proves nothing, and is written anew', async (_, damage) => {
    const [inside, outsider] = names(2) as [NativeId, NativeId]
    const role = await world.addRole(`m-${freshKey()}`, policyOf(foreign, damage(statementOf([inside]))))
    const seen = await connector.observe([grant(inside, role), revoke(outsider, role)], always)
    expect(seen.map(said)).toEqual(['not-so', 'not-so'])
    expect(await saying(connector, grant(inside, role), revoke(outsider, role))).toEqual(['changed', 'changed'])
    expect(await world.membersOf(role)).toEqual([inside])
    expect(JSON.parse(await world.trustOf(role)).Statement[1]).toEqual(JSON.parse(statementOf([inside])))
  })
})

test('accounts are the names in statements of ours, with the person key where the name is one', async () => {
  const [inside, theirs] = names(2) as [NativeId, NativeId]
  await world.addRole(
    `m-${freshKey()}`,
    policyOf(statementOf([inside]), statementOf([theirs]).replace('MusterPeople', 'Theirs')),
  )
  const listed = await connector.listAccounts(always.signal)
  expect(listed.kind).toBe('complete')
  expect(listed.items).toContainEqual({ nativeId: inside, name: inside, key: inside, enabled: true })
  expect(listed.items.map(({ nativeId }) => nativeId)).not.toContain(theirs)
  const byMail = makeAwsIam(world, { session: { name: '{personKey}@bank.example' } })
  expect((await byMail.listAccounts(always.signal)).items.every(({ key }) => key === null)).toBe(true)
  await byMail.close()
})

describe('what is not ours to change', () => {
  test.each([
    ['AWSReservedSSO_Admin_0123456789abcdef', '/'],
    ['AWSServiceRoleForSupport', '/aws-service-role/support.amazonaws.com/'],
    ['m-inside-aws', '/aws-reserved/sso.amazonaws.com/'],
    ['somebody-elses', '/'],
  ])('%s at %s', async (name, path) => {
    const everything = makeAwsIam(world, { roles: [{ name: name === 'somebody-elses' ? 'm-*' : '*' }] })
    const role = await world.addRole(name, policyOf(foreign), path)
    const calls = await world.callsOf(async () => {
      expect(
        await everything.apply([grant(names(1)[0] as NativeId, role), revoke(names(1)[0] as NativeId, role)], always),
      ).toMatchObject([
        { kind: 'refused', reason: 'protected' },
        { kind: 'refused', reason: 'protected' },
      ])
    })
    expect(calls).not.toContain('UpdateAssumeRolePolicy')
    await everything.close()
    await world.removeGroup(role)
  })

  test('a path limits too', async () => {
    const team = makeAwsIam(world, { roles: [{ name: '*', path: '/team/' }] })
    const [inside, outside] = [
      await world.addRole(`m-${freshKey()}`, policyOf(foreign), '/team/a/'),
      await world.addRole(`m-${freshKey()}`, policyOf(foreign), '/other/'),
    ]
    const [somebody] = names(1) as [NativeId]
    expect(await saying(team, grant(somebody, inside), grant(somebody, outside))).toEqual([
      'changed',
      'refused:protected',
    ])
    await team.close()
  })

  test("another account's credentials: refused, and the check says so", async () => {
    const other = '999999999999'
    const strayed = makeAwsIam(world, {
      accountId: other,
      federation: { kind: 'saml', providerArn: samlProvider.replace(accountId, other) },
    })
    const role = await world.addGroup(freshKey())
    expect(await strayed.apply([grant(names(1)[0] as NativeId, role)], always)).toMatchObject([
      { kind: 'refused', reason: 'configuration', cause: { word: 'another-aws-account' } },
    ])
    expect((await strayed.check(always.signal)).problems.join()).toContain(accountId)
    await strayed.close()
  })

  test('what is no role, and who has no name', async () => {
    const nowhere: Group = { lookup: 'group/x', nativeId: 'AROAX' as NativeId }
    const role = await world.addGroup(freshKey())
    expect(await saying(connector, grant(names(1)[0] as NativeId, nowhere), grant('a:b' as NativeId, role))).toEqual([
      'refused:configuration',
      'refused:account-missing',
    ])
    expect(await saying(connector, ensure(world.person('no good name')))).toEqual(['refused:invalid'])
  })
})

describe('what IAM says', () => {
  test.each([
    ['UnmodifiableEntity', 400, 'refused:protected'],
    ['ConcurrentModification', 409, 'retry'],
    ['MalformedPolicyDocument', 400, 'refused:invalid'],
    ['AccessDenied', 403, 'refused:not-allowed'],
    ['Throttling', 400, 'throttled'],
    ['ServiceFailure', 500, 'unknown'],
    ['ServiceUnavailable', 503, 'unknown'],
    // A body that is no XML, as a load balancer gives it.
    ['<html><h1>Bad Gateway', 502, 'unknown'],
    ['InvalidClientTokenId', 403, 'refused:credential'],
  ])('%s (%d) to a write: %s', async (code, status, word) => {
    const fresh = makeAwsIam(world)
    const role = await world.addGroup(freshKey())
    world.proxy.arm({ action: 'UpdateAssumeRolePolicy', phase: 'before-commit', times: 5, act: { status, code } })
    expect(await saying(fresh, grant(names(1)[0] as NativeId, role))).toEqual([word])
    expect(await world.membersOf(role)).toEqual([])
    await fresh.close()
  })

  test('roles on many pages are all read', async () => {
    const [somebody] = names(1) as [NativeId]
    const roles: Group[] = []
    for (let at = 0; at < 12; at += 1) roles.push(await world.addGroup(freshKey(), [somebody]))
    world.proxy.setPageSize(5)
    try {
      let held: readonly NativeId[] = []
      const calls = await world.callsOf(async () => {
        const read = await connector.grantsOf([somebody], always.signal)
        expect(read.kind).toBe('complete')
        held = read.items.map(({ entitlement }) => entitlement.nativeId)
      })
      expect(sorted(held)).toEqual(sorted(roles.map(({ nativeId }) => nativeId)))
      expect(calls.length).toBeGreaterThan(2)
      expect(new Set(calls)).toEqual(new Set(['ListRoles']))
    } finally {
      world.proxy.setPageSize(null)
    }
  })

  test.each([
    ['truncated without a marker', '<IsTruncated>true</IsTruncated>'],
    ['the same marker again', '<IsTruncated>true</IsTruncated><Marker>m</Marker>'],
  ])('a list of roles that is %s is no list', async (_, more) => {
    world.proxy.arm({
      action: 'ListRoles',
      phase: 'before-commit',
      times: 2,
      act: {
        xml: `<ListRolesResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ListRolesResult>${more}<Roles/></ListRolesResult></ListRolesResponse>`,
      },
    })
    expect((await connector.grantsOf(names(1), always.signal)).kind).toBe('partial')
  })
})

test.each([
  [
    'a role',
    'AROAEXAMPLEOFMUSTER0:muster',
    'assumed-role/Muster/muster',
    [{ kind: 'entitlement', nativeId: 'AROAEXAMPLEOFMUSTER0', lookup: 'role/Muster' }],
  ],
  ['a user', 'AIDAEXAMPLEOFMUSTER0', 'user/Muster', []],
] as const)('knows itself as %s', async (_, userId, arn, items) => {
  world.proxy.arm({
    action: 'GetCallerIdentity',
    phase: 'before-commit',
    act: {
      xml: `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:sts::${accountId}:${arn}</Arn><UserId>${userId}</UserId><Account>${accountId}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`,
    },
  })
  expect(await connector.own?.(always.signal)).toEqual({ kind: 'complete', items })
})

const roleXml = ({ lookup, nativeId }: Group, trust: string): string => {
  const name = lookup.slice('role/'.length)
  return `<GetRoleResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetRoleResult><Role><Path>/</Path><RoleName>${name}</RoleName><RoleId>${nativeId}</RoleId><Arn>arn:aws:iam::${accountId}:role/${name}</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate><AssumeRolePolicyDocument>${encodeURIComponent(trust)}</AssumeRolePolicyDocument></Role></GetRoleResult></GetRoleResponse>`
}
