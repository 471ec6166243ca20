/** `sessions: deny-inline-policy`: what a leaver's live role sessions are ended with. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createAwsConnector } from '../../src/connectors/aws/connector.ts'
import type { Connector, Operation, PendingOperation } from '../../src/connectors/connector.ts'
import { createLocalBudget, createLocalStore } from '../../src/connectors/local-budget.ts'
import type { NativeId } from '../../src/domain/ids.ts'
import type { Outcome } from '../../src/domain/outcome.ts'
import { type AwsWorld, makeAws, openAwsWorld, target } from './aws-world.ts'
import { always, freshKey, grantsOf, revoke, said } from './world.ts'

let world: AwsWorld
let connector: Connector
let clock = Date.parse('2026-03-01T12:00:00Z')
beforeAll(async () => {
  world = await openAwsWorld()
  connector = makeAws(world, { sessions: 'deny-inline-policy' }, 'leaver', () => clock)
})
afterEach(() => {
  world.faults.none()
  world.simulator.assignments.settling = { ms: 0, polls: 0 }
})
afterAll(async () => {
  expect(world.modelProblems).toEqual([])
  await connector.close()
  await world.close()
})

const awsAccount = '123456789012'
const admin = (operation: string, body: Readonly<Record<string, unknown>>) =>
  world.simulator.ask('sso-admin', operation, { InstanceArn: world.settings.instanceArn, ...body })
const addUser = async () => (await world.addAccounts([world.person(freshKey())]))[0] as NativeId
const assign = async (arn: string, principal: string, type: 'USER' | 'GROUP') => {
  await admin('CreateAccountAssignment', {
    TargetId: awsAccount,
    TargetType: 'AWS_ACCOUNT',
    PermissionSetArn: arn,
    PrincipalType: type,
    PrincipalId: principal,
  })
  await admin('ListAccountAssignmentCreationStatus', {})
}
const effective = (arn: string) => world.simulator.assignments.effectivePolicy(arn, awsAccount) ?? ''
const end = async (account: NativeId) => {
  const operation = { op: 'endSessions', account } as const
  const outcomes = await connector.apply([operation], always)
  return { operation, outcome: outcomes[0], pending: pendingOf([operation], outcomes) }
}
const pendingOf = (operations: readonly Operation[], outcomes: readonly Outcome[]): readonly PendingOperation[] =>
  operations.flatMap((operation, at) => {
    const outcome = outcomes[at]
    return outcome?.kind === 'pending' ? [{ operation, handle: outcome.handle }] : []
  })
const poll = async (pending: readonly PendingOperation[]) => (await connector.poll?.(pending, always.signal)) ?? []

/** Formatted as no program of ours would: numbers, order, spaces and escapes are somebody's. */
const theirs = `{
  "Statement" : [ {"Sid":"Theirs", "Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::b\\u0061nk/*" },
    { "Effect": "Deny", "Action": ["iam:*"], "Resource": "*", "Condition": {"NumericLessThan": {"aws:MultiFactorAuthAge": 3.60e1}} } ],
  "Version" : "2012-10-17" }`
/** A policy without room for a statement of ours. */
const noRoom = JSON.stringify({ Version: '2012-10-17', Statement: [{ Sid: 'x'.repeat(32_600) }] })

test('every permission set that the user reaches gets the Deny, in force after provisioning; the rest stays as it was', async () => {
  const user = await addUser()
  const bystander = await addUser()
  const [own, viaGroup, foreign] = [
    await world.addPermissionSet('Own'),
    await world.addPermissionSet('ViaGroup'),
    await world.addPermissionSet('Foreign'),
  ]
  await admin('PutInlinePolicyToPermissionSet', { PermissionSetArn: own, InlinePolicy: theirs })
  const group = await world.addGroup(freshKey(), [user])
  await assign(own, user, 'USER')
  await assign(viaGroup, group.nativeId, 'GROUP')
  await assign(foreign, bystander, 'USER')
  world.simulator.assignments.settling = { ms: 0, polls: 1 }

  const { operation, outcome, pending } = await end(user)
  expect(outcome?.kind).toBe('pending')
  expect((await connector.observe([operation], always)).map(said)).toEqual(['not-so'])
  const [done] = await poll(pending)
  expect(said(done)).toBe('changed')
  expect(grantsOf(done)).toEqual([`${awsAccount}/${own}`, group.nativeId].sort())
  for (const arn of [own, viaGroup]) {
    expect(effective(arn)).toBe(await world.inlinePolicy(arn))
    const statements = JSON.parse(effective(arn)).Statement
    expect(statements.at(-1)).toEqual({
      Sid: `MusterEndSessions${user.replaceAll('-', '')}`,
      Effect: 'Deny',
      Action: ['*'],
      Resource: ['*'],
      Condition: {
        StringEquals: { 'identitystore:userId': user },
        DateLessThan: { 'aws:TokenIssueTime': '2026-03-01T12:06:00Z' },
      },
    })
  }
  const policy = await world.inlinePolicy(own)
  expect(policy).toContain(
    '{"Sid":"Theirs", "Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::b\\u0061nk/*" }',
  )
  expect(policy).toContain('{"NumericLessThan": {"aws:MultiFactorAuthAge": 3.60e1}}')
  expect(JSON.parse(policy).Statement.slice(0, 2)).toEqual(JSON.parse(theirs).Statement)
  expect(await world.inlinePolicy(foreign)).toBe('')

  // Asked again at once, nothing is written; later it is, since a session may have begun in between; after hours, what
  // has run out goes and the new one comes.
  const calls = await world.callsOf(async () => expect(said((await end(user)).outcome)).toBe('was-so'))
  expect(calls.filter((name) => name.startsWith('Put'))).toEqual([])
  expect((await connector.observe([operation], always)).map(said)).toEqual(['was-so'])
  clock += 240_000
  expect((await connector.observe([operation], always)).map(said)).toEqual(['not-so'])
  expect((await poll((await end(user)).pending)).map(said)).toEqual(['changed'])
  expect(await world.inlinePolicy(own)).toContain('"aws:TokenIssueTime":"2026-03-01T12:10:00Z"')
  clock += 13 * 3_600_000
  world.simulator.assignments.settling = { ms: 0, polls: 0 }
  const second = await addUser()
  await assign(own, second, 'USER')
  await poll((await end(second)).pending)
  const sids = JSON.parse(await world.inlinePolicy(own)).Statement.map(({ Sid }: { Sid?: string }) => Sid)
  expect(sids).toEqual(['Theirs', undefined, `MusterEndSessions${second.replaceAll('-', '')}`])
})

test('the answer is lost between the policy and its provisioning: asked again, it is provisioned', async () => {
  const user = await addUser()
  const arn = await world.addPermissionSet('Lost')
  await assign(arn, user, 'USER')
  world.simulator.faults.arm({ operation: 'ProvisionPermissionSet', nth: 1, phase: 'before', act: { kind: 'drop' } })
  expect(said((await end(user)).outcome)).toBe('unknown')
  expect(effective(arn)).toBe('')
  const again = await end(user)
  expect((await poll(again.pending)).map(said)).toEqual(['changed'])
  expect(effective(arn)).toContain(user)
})

test('provisioning fails: not so, with what AWS said', async () => {
  const user = await addUser()
  const arn = await world.addPermissionSet('Failing')
  await assign(arn, user, 'USER')
  world.simulator.assignments.failNext('policy too large for the role')
  const { pending } = await end(user)
  expect(await poll(pending)).toMatchObject([
    { kind: 'retry', cause: { code: 'FAILED', word: 'not-so', message: 'policy too large for the role' } },
  ])
})

test('no room in the policy: refused with the size that it would have, and nothing is written', async () => {
  const user = await addUser()
  const arn = await world.addPermissionSet('Full')
  await assign(arn, user, 'USER')
  await admin('PutInlinePolicyToPermissionSet', { PermissionSetArn: arn, InlinePolicy: noRoom })
  const { outcome } = await end(user)
  expect(outcome).toMatchObject({ kind: 'refused', reason: 'limit', cause: { word: 'inline-policy-too-large' } })
  expect(outcome?.kind === 'refused' && Number(outcome.cause.code)).toBeGreaterThan(32_768)
  const todo = outcome?.kind === 'refused' ? (outcome.todo ?? '') : ''
  expect(JSON.parse(todo.slice(todo.indexOf('{'))).Statement).toMatchObject([
    { Effect: 'Deny', Action: '*', Resource: '*', Condition: { StringEquals: { 'identitystore:userId': user } } },
  ])
  expect(await world.inlinePolicy(arn)).toBe(noRoom)
})

test('somebody changes the policy at that moment: nothing is said to be done', async () => {
  const user = await addUser()
  const arn = await world.addPermissionSet('Contested')
  await assign(arn, user, 'USER')
  world.simulator.faults.arm({
    operation: 'PutInlinePolicyToPermissionSet',
    nth: 1,
    phase: 'after',
    act: {
      kind: 'meanwhile',
      work: async () =>
        void (await admin('PutInlinePolicyToPermissionSet', { PermissionSetArn: arn, InlinePolicy: theirs })),
    },
  })
  expect((await end(user)).outcome).toMatchObject({
    kind: 'unknown',
    cause: { word: 'inline-policy-changed-meanwhile' },
  })
})

test('in one batch sessions end before access: afterwards nothing would tell what they reach', async () => {
  const user = await addUser()
  const arn = await world.addPermissionSet('Together')
  const group = await world.addGroup(freshKey(), [user])
  await assign(arn, group.nativeId, 'GROUP')
  const calls = await world.callsOf(async () => {
    const outcomes = await connector.apply([revoke(user, group), { op: 'endSessions', account: user }], always)
    expect(outcomes.map(said)).toEqual(['changed', 'pending'])
  })
  expect(await world.inlinePolicy(arn)).toContain(user)
  const writes = calls.filter((call) => /^(Put|Provision|Delete)/.test(call))
  expect(writes).toEqual(['PutInlinePolicyToPermissionSet', 'ProvisionPermissionSet', 'DeleteGroupMembership'])
})

test('where sessions are left to run out, what they and the revoke ask for is asked once', async () => {
  const telling = makeAws(world, { sessions: 'none' }, 'leaver')
  try {
    const user = await addUser()
    const group = await world.addGroup(freshKey(), [user])
    const calls = await world.callsOf(async () => {
      const [sessions, revoked] = await telling.apply(
        [{ op: 'endSessions', account: user }, revoke(user, group)],
        always,
      )
      expect(sessions).toMatchObject({ kind: 'done', grants: [{ nativeId: group.nativeId }] })
      expect(revoked).toMatchObject({ kind: 'done', changed: true })
    })
    expect([...calls].sort()).toEqual([
      'DeleteGroupMembership',
      'DescribeGroup',
      'GetGroupMembershipId',
      'ListAccountAssignmentsForPrincipal',
      'ListGroupMembershipsForMember',
    ])
    await world.simulator.ask('identitystore', 'DeleteUser', {
      IdentityStoreId: world.settings.identityStoreId,
      UserId: user,
    })
    expect(await telling.apply([{ op: 'endSessions', account: user }], always)).toMatchObject([
      { kind: 'refused', reason: 'account-missing' },
    ])
  } finally {
    await telling.close()
  }
})

test('what a group gives is found also where AWS lists only what is the user’s own', async () => {
  const user = await addUser()
  const arn = await world.addPermissionSet('Hidden')
  const group = await world.addGroup(freshKey(), [user])
  await assign(arn, group.nativeId, 'GROUP')
  world.simulator.assignments.listsThroughGroups = false
  expect((await end(user)).outcome?.kind).toBe('pending')
  world.simulator.assignments.listsThroughGroups = true
  expect(await world.inlinePolicy(arn)).toContain(user)
})

test('somebody changes a statement of theirs at that moment and keeps ours: nothing is said to be done', async () => {
  const user = await addUser()
  const arn = await world.addPermissionSet('Edited')
  await assign(arn, user, 'USER')
  await admin('PutInlinePolicyToPermissionSet', { PermissionSetArn: arn, InlinePolicy: theirs })
  world.simulator.faults.arm({
    operation: 'PutInlinePolicyToPermissionSet',
    nth: 1,
    phase: 'after',
    act: {
      kind: 'meanwhile',
      work: async () => {
        const InlinePolicy = (await world.inlinePolicy(arn)).replace('s3:Get*', 's3:*')
        await admin('PutInlinePolicyToPermissionSet', { PermissionSetArn: arn, InlinePolicy })
      },
    },
  })
  expect((await end(user)).outcome).toMatchObject({ cause: { word: 'inline-policy-changed-meanwhile' } })
})

test('the Deny of an earlier leave proves nothing for a later one', async () => {
  const user = await addUser()
  const arn = await world.addPermissionSet('Returned')
  await assign(arn, user, 'USER')
  const first = await end(user)
  expect((await poll(first.pending)).map(said)).toEqual(['changed'])
  clock += 90 * 24 * 3_600_000
  world.simulator.faults.arm({
    operation: 'PutInlinePolicyToPermissionSet',
    nth: 1,
    phase: 'before',
    act: { kind: 'drop' },
  })
  expect(said((await end(user)).outcome)).toBe('unknown')
  expect((await connector.observe([first.operation], always)).map(said)).toEqual(['not-so'])
  const second = await end(user)
  // The first leave was over; of its time the policy says enough, of the second's it must say more.
  const old = JSON.stringify({ kind: 'provisioning', at: clock + 3_600_000, sets: [{ arn, request: null }] })
  expect((await poll([{ operation: second.operation, handle: old }])).map(said)).toEqual(['not-so'])
  expect((await poll(second.pending)).map(said)).toEqual(['changed'])
})

test('one permission set without room does not keep the sessions of the others alive', async () => {
  const sets = [await world.addPermissionSet('FullA'), await world.addPermissionSet('FreeB')]
  const [full, free] = sets.sort() as [string, string]
  const user = await addUser()
  for (const arn of [full, free]) await assign(arn, user, 'USER')
  await admin('PutInlinePolicyToPermissionSet', { PermissionSetArn: full, InlinePolicy: noRoom })
  expect((await end(user)).outcome).toMatchObject({ kind: 'refused', reason: 'limit' })
  expect(await world.inlinePolicy(free)).toContain(user)
  // While another is worth a second go, that is what is answered: a refusal would be the last word.
  const busy = { kind: 'error', type: 'ConflictException' } as const
  clock += 3_600_000
  world.simulator.faults.arm({ operation: 'PutInlinePolicyToPermissionSet', nth: 1, phase: 'before', act: busy })
  expect((await end(user)).outcome).toMatchObject({ kind: 'retry', cause: { word: 'conflict' } })
})

test('ten leavers of one permission set in one call: one policy and one provisioning have all of them', async () => {
  const [arn, full] = [await world.addPermissionSet('Shared'), await world.addPermissionSet('SharedFull')]
  const users = await world.addAccounts(Array.from({ length: 10 }, () => world.person(freshKey())))
  for (const user of users) await assign(arn, user, 'USER')
  const [unlucky] = users as [NativeId]
  await assign(full, unlucky, 'USER')
  await admin('PutInlinePolicyToPermissionSet', { PermissionSetArn: full, InlinePolicy: noRoom })
  const operations = users.map((account) => ({ op: 'endSessions', account }) as const)
  world.simulator.forgetCalls()
  const outcomes = await connector.apply(operations, always)
  const calls = world.simulator.calls().map(({ operation }) => operation)
  const writes = calls.filter((name) => /^(Put|Provision)/.test(name))
  expect(writes).toEqual(['PutInlinePolicyToPermissionSet', 'ProvisionPermissionSet'])
  // What keeps one of them is nobody else's trouble.
  expect(outcomes.map(said)).toEqual(users.map((user) => (user === unlucky ? 'refused:limit' : 'pending')))
  const pending = pendingOf(operations, outcomes)
  const polls = await world.callsOf(async () =>
    expect((await poll(pending)).map(said)).toEqual(pending.map(() => 'changed')),
  )
  expect(polls.filter((name) => name.startsWith('DescribePermissionSetProv'))).toHaveLength(1)
  for (const user of users) expect(effective(arn)).toContain(user)
})

test('another process writes the policy: whoever waits, waits for seconds', async () => {
  const arn = await world.addPermissionSet('Occupied')
  const user = await addUser()
  await assign(arn, user, 'USER')
  const budget = createLocalBudget(createLocalStore(), 'leaver', () => performance.now())
  const place = await budget.occupy([{ name: `policy:${arn}`, max: 1 }], 60_000)
  const waiting = createAwsConnector(target, world.configure({ sessions: 'deny-inline-policy' }), {
    lane: 'leaver',
    giveWay: async () => {},
    budget,
    now: () => clock,
  })
  const operation = { op: 'endSessions', account: user } as const
  expect(await waiting.apply([operation], always)).toEqual([
    { kind: 'throttled', retryAfterMs: 2_000, scope: 'policy' },
  ])
  await budget.vacate(place.ok ? place.id : '')
  expect((await waiting.apply([operation], always)).map(said)).toEqual(['pending'])
  await waiting.close()
})

test('whoever was slow and lost its place writes no policy that it read before: the other’s Deny stays', async () => {
  const arn = await world.addPermissionSet('SlowWriter')
  const [one, other] = [await addUser(), await addUser()]
  for (const user of [one, other]) await assign(arn, user, 'USER')
  const store = createLocalStore()
  let ahead = 0
  let isLate = false
  const make = (giveWay: () => Promise<void>) =>
    createAwsConnector(target, world.configure({ sessions: 'deny-inline-policy' }), {
      lane: 'leaver',
      giveWay,
      budget: createLocalBudget(store, 'leaver', () => performance.now() + ahead),
      now: () => clock,
    })
  const quick = make(async () => {})
  let policyReads = 0
  const slow = make(async () => {
    if (isLate || policyReads === 0) return
    isLate = true
    ahead = 600_000
    expect((await quick.apply([{ op: 'endSessions', account: other }], always)).map(said)).toEqual(['pending'])
  })
  world.simulator.faults.arm({
    operation: 'GetInlinePolicyForPermissionSet',
    nth: 1,
    phase: 'after',
    act: {
      kind: 'meanwhile',
      work: async () => {
        policyReads += 1
      },
    },
  })
  await slow.apply([{ op: 'endSessions', account: one }], always)
  expect(isLate).toBe(true)
  expect(await world.inlinePolicy(arn)).toContain(other)
  await slow.close()
  await quick.close()
})

test('the next leaver’s Deny is written and not provisioned: ours is in force all the same', async () => {
  const arn = await world.addPermissionSet('Queue')
  const [one, other] = [await addUser(), await addUser()]
  for (const user of [one, other]) await assign(arn, user, 'USER')
  const first = await end(one)
  await admin('ListAccountsForProvisionedPermissionSet', { PermissionSetArn: arn })
  world.simulator.faults.arm({ operation: 'ProvisionPermissionSet', nth: 1, phase: 'before', act: { kind: 'drop' } })
  expect(said((await end(other)).outcome)).toBe('unknown')
  expect(effective(arn)).toContain(one)
  expect((await poll(first.pending)).map(said)).toEqual(['changed'])
})

test('access was revoked first: nothing tells where a session may live, and a human is told so', async () => {
  const user = await addUser()
  const arn = await world.addPermissionSet('Revoked')
  const group = await world.addGroup(freshKey(), [user])
  await assign(arn, group.nativeId, 'GROUP')
  expect((await connector.apply([revoke(user, group)], always)).map(said)).toEqual(['changed'])
  const { operation, outcome } = await end(user)
  const told = { kind: 'done', changed: false, unfinished: [{ code: '', word: 'nothing-held-any-more' }] }
  expect(outcome).toMatchObject(told)
  expect(await connector.observe([operation], always)).toMatchObject([told])
  // Revoked after the Deny was written, the Deny is what counts.
  const [held, between] = [await world.addPermissionSet('Held'), await world.addGroup(freshKey(), [user])]
  await assign(held, between.nativeId, 'GROUP')
  const { pending } = await end(user)
  expect((await connector.apply([revoke(user, between)], always)).map(said)).toEqual(['changed'])
  const [done] = await poll(pending)
  expect(done).toMatchObject({ kind: 'done', changed: true })
  expect(done).not.toHaveProperty('unfinished')
})

test('access was revoked first, and it is told what was held: there the Deny is written, whatever else is gone by now', async () => {
  const user = await addUser()
  const [viaGroup, own, deleted] = [
    await world.addPermissionSet('Former'),
    await world.addPermissionSet('FormerOwn'),
    await world.addPermissionSet('FormerGone'),
  ]
  const [left, gone] = [await world.addGroup(freshKey(), [user]), await world.addGroup(freshKey(), [user])]
  await assign(viaGroup, left.nativeId, 'GROUP')
  await admin('DeletePermissionSet', { PermissionSetArn: deleted })
  expect((await connector.apply([revoke(user, left)], always)).map(said)).toEqual(['changed'])
  await world.removeGroup(gone)
  const held = [left.nativeId, gone.nativeId, `${awsAccount}/${own}`, `${awsAccount}/${deleted}`] as NativeId[]
  const operation = { op: 'endSessions', account: user, held } as const
  const observed = async () => (await connector.observe([operation], always)).map(said)
  expect(await observed()).toEqual(['not-so'])
  const [done] = await poll(pendingOf([operation], await connector.apply([operation], always)))
  expect(done).toMatchObject({ kind: 'done', changed: true, grants: [] })
  expect(done).not.toHaveProperty('unfinished')
  for (const arn of [viaGroup, own]) expect(await world.inlinePolicy(arn)).toContain(user)
  expect(await observed()).toEqual(['was-so'])
})
