/** Account assignments: asynchronous, one for each AWS account; how many at once is aws-places.test.ts. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Connector, Operation } from '../../src/connectors/connector.ts'
import { protecting } from '../../src/connectors/protecting.ts'
import type { EntitlementId, NativeId } from '../../src/domain/ids.ts'
import { type AssignmentScene, assignmentScene, freshAccount, pendingOf } from './aws-assignment-scene.ts'
import { type AwsWorld, makeAws, openAwsWorld } from './aws-world.ts'
import { always, freshKey, grantsOf, said } from './world.ts'

let world: AwsWorld
let connector: Connector
let arn: string
let addUser: AssignmentScene['addUser']
let change: AssignmentScene['change']
let begin: AssignmentScene['begin']
let poll: AssignmentScene['poll']
beforeAll(async () => {
  world = await openAwsWorld({ pageSize: 2 })
  for (const name of ['Auditor', 'Billing', 'ReadOnly']) await world.addPermissionSet(name)
  ;({ connector, arn, addUser, change, begin, poll } = await assignmentScene(world))
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

const observed = async (operation: Operation) => said((await connector.observe([operation], always))[0])

test('asked for, in progress, there; asked again, it was so; taken away the same way', async () => {
  const [user, account] = [await addUser(), freshAccount()]
  world.simulator.assignments.settling = { ms: 0, polls: 2 }
  const given = await begin(change('grant', user, account, false))
  expect(await world.assignedTo(account, arn)).toEqual([])
  expect(await observed(given.operation)).toBe('not-so')
  expect((await poll(given)).map(said)).toEqual(['pending'])
  const [done] = await poll(given)
  expect(done).toMatchObject({
    kind: 'done',
    changed: true,
    evidence: { read: 'account-assignment', account: user, entitlement: `${account}/${arn}` },
  })
  expect(await world.assignedTo(account, arn)).toEqual([user])
  expect((await connector.apply([change('grant', user, account)], always)).map(said)).toEqual(['was-so'])
  expect(await observed(given.operation)).toBe('was-so')

  const taken = await begin(change('revoke', user, account))
  await poll(taken)
  expect((await poll(taken)).map(said)).toEqual(['changed'])
  expect(await world.assignedTo(account, arn)).toEqual([])
  expect((await connector.apply([change('revoke', user, account)], always)).map(said)).toEqual(['was-so'])
})

test('it fails after a while: surely not there, tried again; what needs a human is refused; its place is free again', async () => {
  const [user, account] = [await addUser(), freshAccount()]
  world.simulator.assignments.settling = { ms: 0, polls: 2 }
  world.simulator.assignments.failNext('Internal failure while creating the role')
  const first = await begin(change('grant', user, account))
  expect((await poll(first)).map(said)).toEqual(['pending'])
  expect(await poll(first)).toMatchObject([
    { kind: 'retry', cause: { code: 'FAILED', word: 'not-so', message: 'Internal failure while creating the role' } },
  ])
  expect(await world.assignedTo(account, arn)).toEqual([])

  world.simulator.assignments.failNext('Received a 403: access denied', 'Cannot exceed quota for RolesPerAccount: 1000')
  for (const reason of ['refused:not-allowed', 'refused:limit']) {
    const again = await begin(change('grant', user, account))
    await poll(again)
    expect((await poll(again)).map(said)).toEqual([reason])
  }
  const last = await begin(change('grant', user, account))
  await poll(last)
  expect((await poll(last)).map(said)).toEqual(['changed'])
})

test('it fails because somebody else has just done it: done all the same, and not by us', async () => {
  const [user, account] = [await addUser(), freshAccount()]
  world.simulator.assignments.failNext('already there')
  const given = await begin(change('grant', user, account))
  await world.simulator.moto.ask('sso-admin', 'CreateAccountAssignment', {
    InstanceArn: world.settings.instanceArn,
    TargetId: account,
    TargetType: 'AWS_ACCOUNT',
    PermissionSetArn: arn,
    PrincipalType: 'USER',
    PrincipalId: user,
  })
  expect((await poll(given)).map(said)).toEqual(['was-so'])
})

test('two on one AWS account: the second waits, and goes when the first is over', async () => {
  const [one, other, account] = [await addUser(), await addUser(), freshAccount()]
  world.simulator.assignments.settling = { ms: 600_000, polls: 0 }
  const operations = [change('grant', one, account), change('grant', other, account)] as const
  const calls = await world.callsOf(async () => {
    const [first, second] = await connector.apply(operations, always)
    // Soon again: not when the first would have lost its place, which is a minute away.
    expect(second).toMatchObject({ kind: 'throttled', scope: 'assignments', retryAfterMs: 500 })
    expect((await connector.apply([operations[1]], always)).map(said)).toEqual(['throttled'])
    world.simulator.assignments.settling = { ms: 0, polls: 0 }
    expect((await poll(pendingOf(operations[0], first))).map(said)).toEqual(['changed'])
    expect((await poll(await begin(operations[1]))).map(said)).toEqual(['changed'])
  })
  expect(calls.filter((operation) => operation === 'CreateAccountAssignment')).toHaveLength(2)
  expect([...(await world.assignedTo(account, arn))].sort()).toEqual([one, other].sort())
})

/** Done behind our back at the moment when AWS tells the state of the request. */
const meanwhile = (awsAccount: string, user: NativeId) => ({
  operation: 'DescribeAccountAssignmentCreationStatus',
  nth: 1,
  phase: 'after' as const,
  act: {
    kind: 'meanwhile' as const,
    work: async () =>
      void (await world.simulator.moto.ask('sso-admin', 'DeleteAccountAssignment', {
        InstanceArn: world.settings.instanceArn,
        TargetId: awsAccount,
        TargetType: 'AWS_ACCOUNT',
        PermissionSetArn: arn,
        PrincipalType: 'USER',
        PrincipalId: user,
      })),
  },
})

test('AWS says that it succeeded and the list does not show it: not yet; not shown for too long: not so', async () => {
  let clock = 1_000_000
  const patient = makeAws(world, {}, 'leaver', () => clock)
  const [user, account] = [await addUser(), freshAccount()]
  const operation = change('grant', user, account)
  const given = pendingOf(operation, (await patient.apply([operation], always))[0])
  world.simulator.faults.arm(meanwhile(account, user))
  const [settling] = (await patient.poll?.([given], always.signal)) ?? []
  const later = pendingOf(operation, settling)
  expect((await patient.poll?.([later], always.signal))?.map(said)).toEqual(['pending'])
  clock += 5_000
  expect((await patient.poll?.([later], always.signal))?.map(said)).toEqual(['not-so'])
  await patient.close()
})

test('«not found» for the list of a user who is there is no empty list, and no reason to delete for good', async () => {
  const [user, account] = [await addUser(), freshAccount()]
  await poll(await begin(change('grant', user, account)))
  const missing = {
    operation: 'ListAccountAssignmentsForPrincipal',
    nth: 1,
    phase: 'before',
    act: { kind: 'error', type: 'ResourceNotFoundException' },
  } as const
  world.simulator.faults.arm(missing)
  expect(await connector.grantsOf([user], always.signal)).toMatchObject({ kind: 'partial', items: [] })
  world.simulator.faults.arm(missing)
  expect((await connector.apply([{ op: 'deleteAccount', account: user }], always)).map(said)).toEqual(['retry'])
  expect(await world.userOf(user)).not.toBeNull()
  // Of a user that is gone it is one.
  world.simulator.faults.arm(missing)
  const nobody = '00000000-0000-4000-8000-000000000000' as NativeId
  expect(await connector.grantsOf([nobody], always.signal)).toEqual({ kind: 'complete', items: [] })
})

test('others than Muster keep AWS busy: told to wait, surely not applied', async () => {
  const user = await addUser()
  world.simulator.assignments.settling = { ms: 0, polls: 1 }
  const elsewhere = makeAws(world, {}, 'leaver')
  const theirs = Array.from({ length: 15 }, () => change('grant', user, freshAccount()))
  const begun = await elsewhere.apply(theirs, always)
  // The same AWS account, and one more anywhere.
  const sameAccount = theirs[0]
  if (sameAccount === undefined || !('entitlement' in sameAccount)) throw new Error('no operation')
  expect(await connector.apply([{ ...sameAccount, account: await addUser() }], always)).toMatchObject([
    { kind: 'retry', cause: { word: 'account-busy' } },
  ])
  expect(await connector.apply([change('grant', user, freshAccount())], always)).toMatchObject([
    { kind: 'throttled', scope: 'assignments' },
  ])
  await elsewhere.poll?.(
    theirs.map((operation, at) => pendingOf(operation, begun[at])),
    always.signal,
  )
  await elsewhere.close()
})

test('the answer to the request is lost, before or after: unknown; a read tells which, and a repetition makes it so', async () => {
  for (const [phase, then] of [
    ['before-commit', 'not-so'],
    ['after-commit', 'was-so'],
  ] as const) {
    const [user, account] = [await addUser(), freshAccount()]
    world.faults.atNextWrite(phase, 'drop')
    const operation = change('grant', user, account)
    expect((await connector.apply([operation], always)).map(said)).toEqual(['unknown'])
    expect(await observed(operation)).toBe(then)
    // What may be running keeps its place: on this AWS account nothing else begins meanwhile.
    expect((await connector.apply([change('grant', await addUser(), account)], always)).map(said)).toEqual([
      'throttled',
    ])
    const later = makeAws(world)
    const [again] = await later.apply([operation], always)
    const made = again?.kind === 'pending' ? await later.poll?.([pendingOf(operation, again)], always.signal) : [again]
    expect(made?.map(said)).toEqual([phase === 'before-commit' ? 'changed' : 'was-so'])
    expect(await world.assignedTo(account, arn)).toEqual([user])
    await later.close()
  }
})

test('AWS has forgotten the request: the list tells', async () => {
  const [user, account] = [await addUser(), freshAccount()]
  const given = await begin(change('grant', user, account))
  world.simulator.faults.arm({
    operation: 'DescribeAccountAssignmentCreationStatus',
    nth: 1,
    phase: 'before',
    act: { kind: 'error', type: 'ResourceNotFoundException' },
  })
  expect((await poll(given)).map(said)).toEqual(['was-so'])
})

test('the state of a request cannot be read: unknown, and its place is kept', async () => {
  const [user, account] = [await addUser(), freshAccount()]
  world.simulator.assignments.settling = { ms: 600_000, polls: 0 }
  const given = await begin(change('grant', user, account))
  await world.faults.down()
  expect((await poll(given)).map(said)).toEqual(['unknown'])
  await world.faults.up()
  expect((await connector.apply([change('grant', await addUser(), account)], always)).map(said)).toEqual(['throttled'])
  world.simulator.assignments.settling = { ms: 0, polls: 0 }
  expect((await poll(given)).map(said)).toEqual(['changed'])
})

test('names and pins: another permission set under the name, none of the name, an unknown user', async () => {
  const [user, account] = [await addUser(), freshAccount()]
  const old = `${account}/${arn.slice(0, -16)}0123456789abcdef` as NativeId
  const entitlement = { id: 1 as EntitlementId, lookup: `assignment/${account}/Trader`, nativeId: old }
  expect((await connector.apply([{ op: 'grant', account: user, entitlement }], always)).map(said)).toEqual([
    'refused:entitlement-changed-identity',
  ])
  const nowhere = { ...entitlement, lookup: `assignment/${account}/Nothing`, nativeId: null }
  const elsewhere = {
    ...entitlement,
    lookup: `assignment/210987654321/Trader`,
    nativeId: `${account}/${arn}` as NativeId,
  }
  const odd = { ...entitlement, lookup: 'assignment/12/Trader', nativeId: null }
  expect(
    (
      await connector.apply(
        [nowhere, elsewhere, odd].map((one) => ({ op: 'revoke', account: user, entitlement: one }) as const),
        always,
      )
    ).map(said),
  ).toEqual(['refused:entitlement-missing', 'refused:entitlement-changed-identity', 'refused:configuration'])
  const nobody = '00000000-0000-4000-8000-000000000000' as NativeId
  expect((await connector.apply([change('grant', nobody, account)], always)).map(said)).toEqual([
    'refused:account-missing',
  ])
  expect(
    await connector.resolveEntitlements(
      [{ ...entitlement, nativeId: null }, nowhere, { ...entitlement, lookup: `assignment/${account}/Billing` }],
      always.signal,
    ),
  ).toMatchObject([{ kind: 'found', nativeId: `${account}/${arn}` }, { kind: 'missing' }, { kind: 'found' }])
})

test('a pinned permission set that is deleted: nobody knows its name, and behind protection it is missing every time', async () => {
  const [user, account] = [await addUser(), freshAccount()]
  const gone = await world.addPermissionSet('Doomed')
  const left = await world.addGroup(freshKey())
  const pinned = {
    id: 1 as EntitlementId,
    lookup: `assignment/${account}/Doomed`,
    nativeId: `${account}/${gone}` as NativeId,
  }
  let now = 0
  const careful = protecting(connector, { accounts: [], entitlements: ['group/Break glass'] }, () => now)
  expect(await connector.entitlementNames?.([pinned.nativeId], always.signal)).toMatchObject({
    items: [{ name: pinned.lookup }],
  })
  await world.simulator.ask('sso-admin', 'DeletePermissionSet', {
    InstanceArn: world.settings.instanceArn,
    PermissionSetArn: gone,
  })
  for (const minutes of [0, 2, 4]) {
    now = minutes * 60_000
    const outcomes = await careful.apply([{ op: 'revoke', account: user, entitlement: pinned }], always)
    expect(outcomes.map(said)).toEqual(['refused:entitlement-missing'])
  }
  await world.removeGroup(left)
  expect(await connector.entitlementNames?.([pinned.nativeId, left.nativeId as NativeId], always.signal)).toEqual({
    kind: 'complete',
    items: [],
  })
})

test('direct assignments are grants, those of a group are not; everybody on a list, page by page', async () => {
  const users = [await addUser(), await addUser(), await addUser(), await addUser(), await addUser()]
  const account = freshAccount()
  for (const user of users) await poll(await begin(change('grant', user, account)))
  const viaGroup = await addUser()
  const group = await world.addGroup(freshKey(), [viaGroup])
  await world.simulator.ask('sso-admin', 'CreateAccountAssignment', {
    InstanceArn: world.settings.instanceArn,
    TargetId: account,
    TargetType: 'AWS_ACCOUNT',
    PermissionSetArn: arn,
    PrincipalType: 'GROUP',
    PrincipalId: group.nativeId,
  })
  const pinned = { id: 1 as EntitlementId, lookup: '', nativeId: `${account}/${arn}` as NativeId }
  const gone = { ...pinned, nativeId: `${account}/${arn.slice(0, -16)}0123456789abcdef` as NativeId }
  const lists = []
  for await (const list of connector.membersOf([pinned, gone], always.signal)) lists.push(list)
  expect(lists.map((list) => (list.kind === 'complete' ? [...list.members].sort() : list.kind))).toEqual([
    [...users].sort(),
    'missing',
  ])
  const held = await connector.grantsOf([users[0] as NativeId, viaGroup], always.signal)
  expect(held).toMatchObject({
    kind: 'complete',
    items: [
      { account: users[0], entitlement: { nativeId: `${account}/${arn}`, name: `assignment/${account}/Trader` } },
      { account: viaGroup, entitlement: { nativeId: group.nativeId } },
    ],
  })
  expect(held.items).toHaveLength(2)
  const [ended] = await connector.apply([{ op: 'endSessions', account: users[1] as NativeId }], always)
  expect(grantsOf(ended)).toEqual([`${account}/${arn}`])

  world.simulator.faults.arm({ operation: 'ListPermissionSets', nth: 2, phase: 'after', act: { kind: 'repeat-token' } })
  expect(
    await connector.resolveEntitlements(
      [{ id: 1 as EntitlementId, lookup: `assignment/${account}/Trader`, nativeId: null }],
      always.signal,
    ),
  ).toEqual([{ kind: 'failed', cause: 'repeated-token' }])
})
