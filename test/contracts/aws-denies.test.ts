/**
 * Denies in the policy of a permission set: one whose writing was given up and that arrives all the same takes nobody else's away, and
 * an evaluator that is not ours says whom they deny.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createAwsConnector } from '../../src/connectors/aws/connector.ts'
import { createLocalBudget, createLocalStore, type LocalStore } from '../../src/connectors/local-budget.ts'
import type { NativeId } from '../../src/domain/ids.ts'
import { judge, type Question } from './aws-iam-judge.ts'
import { type AwsWorld, openAwsWorld, target } from './aws-world.ts'
import { always, freshKey, said } from './world.ts'

const noon = Date.parse('2026-03-01T12:00:00Z')

let world: AwsWorld
beforeAll(async () => {
  world = await openAwsWorld()
})
afterEach(() => world.faults.none())
afterAll(async () => {
  expect(world.modelProblems).toEqual([])
  await world.close()
})

/** The budget's time, ms: it stands still, however long the machine takes. */
let clock = 0
/** One process of those that share a budget. */
const processOf = (store: LocalStore, now = noon) => {
  const connector = createAwsConnector(target, world.configure({ sessions: 'deny-inline-policy' }), {
    lane: 'leaver',
    giveWay: async () => {},
    budget: createLocalBudget(store, 'leaver', () => clock),
    now: () => now,
  })
  const apply = (...accounts: readonly NativeId[]) =>
    connector.apply(
      accounts.map((account) => ({ op: 'endSessions', account })),
      always,
    )
  const endAll = async (...accounts: readonly NativeId[]) => (await apply(...accounts)).map(said)
  const end = async (account: NativeId) => (await endAll(account))[0]
  return { apply, end, endAll, close: () => connector.close() }
}
const reaching = async (arn: string): Promise<NativeId> => {
  const [user = '' as NativeId] = await world.addAccounts([world.person(freshKey())])
  await world.simulator.ask('sso-admin', 'CreateAccountAssignment', {
    InstanceArn: world.settings.instanceArn,
    TargetId: '123456789012',
    TargetType: 'AWS_ACCOUNT',
    PermissionSetArn: arn,
    PrincipalType: 'USER',
    PrincipalId: user,
  })
  await world.simulator.ask('sso-admin', 'ListAccountAssignmentCreationStatus', {
    InstanceArn: world.settings.instanceArn,
  })
  return user
}

test('no other leaver’s Deny is written while a lost one may arrive; the same leaver’s next try waits for nothing', async () => {
  const arn = await world.addPermissionSet('Late')
  const [one, other] = [await reaching(arn), await reaching(arn)]
  const store = createLocalStore()
  const [first, second] = [processOf(store), processOf(store)]
  const mayArrive = Promise.withResolvers<void>()
  const arrived = Promise.withResolvers<void>()
  /** Its client hears no more of it, and it is under way still. */
  const lost = () => {
    world.simulator.dropAll()
    return mayArrive.promise
  }
  const put = { operation: 'PutInlinePolicyToPermissionSet' } as const
  world.simulator.faults.arm(
    { ...put, nth: 1, phase: 'before', act: { kind: 'meanwhile', work: lost } },
    { ...put, nth: 2, phase: 'after', act: { kind: 'meanwhile', work: async () => arrived.resolve() } },
  )
  expect(await first.end(one)).toBe('unknown')
  expect(await second.end(other)).toBe('throttled')
  // From whichever process: nobody but the same leaver writes.
  expect(await second.end(one)).toBe('pending')
  expect(await world.inlinePolicy(arn)).toContain(one)
  expect(await first.end(other)).toBe('throttled')
  mayArrive.resolve()
  await arrived.promise
  clock += 30_000
  expect(await second.end(other)).toBe('pending')
  for (const user of [one, other]) expect(await world.inlinePolicy(arn)).toContain(user)
  await first.close()
  await second.close()
})

test('its own next try is lost as well: the others wait from then on', async () => {
  const arn = await world.addPermissionSet('LateAgain')
  const [one, other] = [await reaching(arn), await reaching(arn)]
  const { end, close } = processOf(createLocalStore())
  const lost = () =>
    world.simulator.faults.arm({
      operation: 'PutInlinePolicyToPermissionSet',
      nth: 1,
      phase: 'before',
      act: { kind: 'drop' },
    })
  lost()
  expect(await end(one)).toBe('unknown')
  clock += 20_000
  lost()
  expect(await end(one)).toBe('unknown')
  clock += 20_000
  expect(await end(other)).toBe('throttled')
  clock += 10_000
  expect(await end(other)).toBe('pending')
  await close()
})

test('who was denied already, and is not asked for again, keeps nobody of the same batch waiting', async () => {
  const arn = await world.addPermissionSet('LatePartly')
  const [before, one, other] = [await reaching(arn), await reaching(arn), await reaching(arn)]
  const { end, endAll, close } = processOf(createLocalStore())
  expect(await end(before)).toBe('pending')
  world.simulator.faults.arm({
    operation: 'PutInlinePolicyToPermissionSet',
    nth: 1,
    phase: 'before',
    act: { kind: 'drop' },
  })
  expect((await endAll(before, one, other)).slice(1)).toEqual(['unknown', 'unknown'])
  expect(await end(one)).toBe('throttled')
  expect(await endAll(one, other)).toEqual(['pending', 'pending'])
  for (const user of [before, one, other]) expect(await world.inlinePolicy(arn)).toContain(user)
  await close()
})

/** localemu's evaluator. It knows no service control policies: that is judged as one more policy, which is what its Deny comes to. */
describe('an evaluator that is not ours says', () => {
  const allowed = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] }
  /** A session of a role that Identity Center keeps, as it asks for something. `userId`: null where nobody of Identity Center is behind it. */
  const use = (policy: string, userId: string | null, issued: number): Question => ({
    caller: 'arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Judged_0123456789abcdef/somebody',
    action: 's3:GetObject',
    resource: 'arn:aws:s3:::bank/ledger',
    context: {
      'aws:TokenIssueTime': new Date(issued).toISOString().replace('.000', ''),
      ...(userId === null ? {} : { 'identitystore:userId': userId }),
    },
    policies: [allowed, JSON.parse(policy)],
  })
  const hour = 3_600_000

  test("a leaver's old sessions are denied, nobody else's are, nor the new ones of who comes back", async () => {
    const arn = await world.addPermissionSet('Judged')
    const [leaver, colleague] = [await reaching(arn), await reaching(arn)]
    // Not on a whole second, and others' statements beside ours.
    await world.simulator.ask('sso-admin', 'PutInlinePolicyToPermissionSet', {
      InstanceArn: world.settings.instanceArn,
      PermissionSetArn: arn,
      InlinePolicy:
        '{"Version":"2012-10-17","Statement":[{"Sid":"Theirs","Effect":"Deny","Action":"iam:*","Resource":"*"}]}',
    })
    const { end, close } = processOf(createLocalStore(), noon + 1)
    expect(await end(leaver)).toBe('pending')
    const policy = await world.inlinePolicy(arn)
    expect(
      await judge([
        use(policy, leaver, noon - hour),
        use(policy, leaver, noon),
        // By AWS's clock, where ours is five minutes behind.
        use(policy, leaver, noon + 300_000),
        use(policy, leaver, noon + hour),
        use(policy, colleague, noon - hour),
        use(policy, null, noon - hour),
      ]),
    ).toEqual(['EXPLICIT_DENY', 'EXPLICIT_DENY', 'EXPLICIT_DENY', 'ALLOW', 'ALLOW', 'ALLOW'])
    await close()
  })

  test('the policy that is prepared for a human denies every session of the leaver until it is detached, and nobody else’s', async () => {
    const arn = await world.addPermissionSet('JudgedFull')
    const [leaver, colleague] = [await reaching(arn), await reaching(arn)]
    await world.simulator.ask('sso-admin', 'PutInlinePolicyToPermissionSet', {
      InstanceArn: world.settings.instanceArn,
      PermissionSetArn: arn,
      InlinePolicy: JSON.stringify({ Version: '2012-10-17', Statement: [{ Sid: 'x'.repeat(32_600) }] }),
    })
    const { apply, close } = processOf(createLocalStore())
    const [outcome] = await apply(leaver)
    const todo = outcome?.kind === 'refused' ? (outcome.todo ?? '') : ''
    const policy = todo.slice(todo.indexOf('{'))
    expect(
      await judge([
        use(policy, leaver, noon - hour),
        use(policy, leaver, noon + hour),
        use(policy, colleague, noon - hour),
        use(policy, null, noon - hour),
      ]),
    ).toEqual(['EXPLICIT_DENY', 'EXPLICIT_DENY', 'ALLOW', 'ALLOW'])
    await close()
  })
})
