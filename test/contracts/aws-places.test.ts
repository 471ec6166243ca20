/** Fifteen account assignments at a time: who gets a place, who waits for it, and how it is noticed that one is free. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createAwsConnector } from '../../src/connectors/aws/connector.ts'
import type { Connector, PendingOperation } from '../../src/connectors/connector.ts'
import { createLocalBudget, createLocalStore } from '../../src/connectors/local-budget.ts'
import type { Lane } from '../../src/domain/action.ts'
import { until } from '../support/until.ts'
import { type AssignmentScene, assignmentScene, freshAccount, pendingOf } from './aws-assignment-scene.ts'
import { type AwsWorld, makeAws, openAwsWorld, target } from './aws-world.ts'
import { always, said } from './world.ts'

let world: AwsWorld
let connector: Connector
let arn: string
let addUser: AssignmentScene['addUser']
let change: AssignmentScene['change']
let begin: AssignmentScene['begin']
let poll: AssignmentScene['poll']
beforeAll(async () => {
  world = await openAwsWorld({ pageSize: 20 })
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

test('sixteen on sixteen AWS accounts: fifteen go, the sixteenth waits, and AWS never has to say so', async () => {
  let clock = 1_000_000
  const urgent = makeAws(world, {}, 'leaver', () => clock)
  const user = await addUser()
  world.simulator.assignments.settling = { ms: 600_000, polls: 0 }
  const operations = Array.from({ length: 16 }, () => change('grant', user, freshAccount()))
  world.simulator.forgetCalls()
  const outcomes = await urgent.apply(operations, always)
  expect(Map.groupBy(outcomes, said).get('pending')).toHaveLength(15)
  expect(Map.groupBy(outcomes, said).get('throttled')).toHaveLength(1)
  expect(world.simulator.assignments.load()).toMatchObject({ now: 15, peak: 15 })
  world.simulator.assignments.settling = { ms: 0, polls: 0 }
  const begun = operations.flatMap((operation, at) =>
    outcomes[at]?.kind === 'pending' ? [pendingOf(operation, outcomes[at])] : [],
  )
  // A list of a moment ago would serve those who ask now.
  clock += 1_000
  expect((await urgent.poll?.(begun, always.signal))?.map(said)).toEqual(begun.map(() => 'changed'))
  const left = operations.filter((_, at) => outcomes[at]?.kind === 'throttled')
  expect((await poll(await begin(left[0] ?? change('grant', user, '')))).map(said)).toEqual(['changed'])
  expect(world.simulator.calls().filter(({ answer }) => answer !== 'ok')).toEqual([])
  await urgent.close()
})

test('whoever finds no place is in line: it goes within the same call when one is free; a list of what has just begun is not believed', async () => {
  const store = createLocalStore()
  const local = createLocalBudget(store, 'leaver', () => performance.now())
  let clock = 1_000_000
  let refused = 0
  let toGiveBack: string | undefined
  const urgent = createAwsConnector(target, world.settings, {
    lane: 'leaver',
    giveWay: async () => {},
    budget: {
      ...local,
      occupy: async (...asked) => {
        const place = await local.occupy(...asked)
        if (!place.ok) refused += 1
        // Whoever is in line has asked once more: another process gives one back, and tells nobody.
        if (refused > 1 && toGiveBack !== undefined) {
          await local.vacate(toGiveBack)
          toGiveBack = undefined
        }
        return place
      },
    },
    now: () => clock,
  })
  const user = await addUser()
  const begin = async () => {
    const operation = change('grant', user, freshAccount())
    return { operation, outcome: (await urgent.apply([operation], always))[0] }
  }
  const others: string[] = []
  for (let n = 0; n < 12; n += 1) {
    const place = await local.occupy([{ name: 'assignments', max: 15 }], 600_000)
    if (place.ok) others.push(place.id)
  }
  world.simulator.assignments.settling = { ms: 600_000, polls: 0 }
  const begun: PendingOperation[] = []
  for (const _ of [1, 2, 3]) {
    const { operation, outcome } = await begin()
    begun.push(pendingOf(operation, outcome))
  }

  await until(async () => {
    refused = 0
    toGiveBack ??= others.shift()
    // Whoever was in line for a second of a slow machine may have left it before the place was free: the next one has it at once.
    return said((await begin()).outcome) === 'pending' && refused > 1
  })

  // All are over: the status of one says so. The list does not show the others, but may not know yet what has just begun.
  world.simulator.assignments.settling = { ms: 0, polls: 0 }
  expect((await urgent.poll?.(begun.slice(0, 1), always.signal))?.map(said)).toEqual(['changed'])
  world.simulator.assignments.settling = { ms: 600_000, polls: 0 }
  expect(said((await begin()).outcome)).toBe('pending')
  expect((await begin()).outcome).toMatchObject({ kind: 'throttled', retryAfterMs: 500 })

  // Later it is believed, and nobody has polled them.
  clock += 1_000
  const called = await world.callsOf(() =>
    // Who is in line for a second may have left it before a slow list was there.
    until(async () => said((await begin()).outcome) === 'pending'),
  )
  expect(called).toEqual(['ListAccountAssignmentCreationStatus', 'ListAccountAssignments', 'CreateAccountAssignment'])
  world.simulator.assignments.settling = { ms: 0, polls: 0 }
  await urgent.close()
})

test('taken away, many at a time: the list tells that it is over and a read that it is gone; what is not gone is asked about', async () => {
  let clock = 1_000_000
  const urgent = makeAws(world, {}, 'leaver', () => clock)
  const user = await addUser()
  const accounts = Array.from({ length: 4 }, freshAccount)
  for (const account of accounts) await poll(await begin(change('grant', user, account)))
  world.simulator.assignments.settling = { ms: 600_000, polls: 0 }
  world.simulator.assignments.failNext('Internal failure while deleting the role')
  const operations = accounts.map((account) => change('revoke', user, account))
  const begun: PendingOperation[] = []
  for (const operation of operations) begun.push(pendingOf(operation, (await urgent.apply([operation], always))[0]))
  expect((await urgent.poll?.(begun, always.signal))?.map(said)).toEqual(begun.map(() => 'pending'))
  world.simulator.assignments.settling = { ms: 0, polls: 0 }
  clock += 1_000
  const called = await world.callsOf(async () => {
    expect(await urgent.poll?.(begun, always.signal)).toMatchObject([
      { kind: 'retry', cause: { code: 'FAILED', word: 'not-so' } },
      ...begun.slice(1).map(() => ({ kind: 'done', changed: true, evidence: { read: 'account-assignment' } })),
    ])
  })
  expect(called.filter((operation) => operation === 'DescribeAccountAssignmentDeletionStatus')).toHaveLength(1)
  for (const [at, account] of accounts.entries())
    expect(await world.assignedTo(account, arn)).toEqual(at === 0 ? [user] : [])
  await urgent.close()
})

test('bulk work holds twelve places at most: a leaver begins at once, and whoever waits, waits for seconds', async () => {
  const [leaver, joiner, home] = [await addUser(), await addUser(), freshAccount()]
  await poll(await begin(change('grant', leaver, home)))
  world.simulator.assignments.settling = { ms: 600_000, polls: 0 }
  let clock = 1_000_000
  const store = createLocalStore()
  const lane = (name: Lane) =>
    createAwsConnector(target, world.settings, {
      lane: name,
      giveWay: async () => {},
      budget: createLocalBudget(store, name, () => performance.now()),
      now: () => clock,
    })
  const [bulk, urgent] = [lane('bulk'), lane('leaver')]
  const grants = Array.from({ length: 15 }, () => change('grant', joiner, freshAccount()))
  const begun = await bulk.apply(grants, always)
  expect(Map.groupBy(begun, said).get('pending')).toHaveLength(12)
  const waits = begun.flatMap((outcome) => (outcome.kind === 'throttled' ? [outcome.retryAfterMs] : []))
  expect(waits).toHaveLength(3)
  expect(Math.max(...waits)).toBeLessThanOrEqual(2_000)
  expect((await urgent.apply([change('revoke', leaver, home)], always)).map(said)).toEqual(['pending'])
  // All are over, so that the next test finds AWS idle.
  world.simulator.assignments.settling = { ms: 0, polls: 0 }
  clock += 1_000
  await world.simulator.ask('sso-admin', 'ListAccountAssignmentCreationStatus', {
    InstanceArn: world.settings.instanceArn,
  })
  const running = grants.flatMap((operation, at) =>
    begun[at]?.kind === 'pending' ? [pendingOf(operation, begun[at])] : [],
  )
  expect((await bulk.poll?.(running, always.signal))?.map(said)).toEqual(running.map(() => 'changed'))
  world.simulator.assignments.settling = { ms: 0, polls: 0 }
  expect((await urgent.apply([change('revoke', leaver, home)], always)).map(said)).not.toContain('unknown')
  await bulk.close()
  await urgent.close()
})

test('many in progress: a list tells of all; who is over gives its place back unasked; without the list each is asked', async () => {
  let clock = 1_000_000
  const urgent = makeAws(world, {}, 'leaver', () => clock)
  const user = await addUser()
  const begin15 = async () => {
    const operations = Array.from({ length: 15 }, () => change('grant', user, freshAccount()))
    const outcomes = await urgent.apply(operations, always)
    return operations.map((operation, at) => pendingOf(operation, outcomes[at]))
  }
  const ask = async (pending: readonly PendingOperation[]) =>
    (await urgent.poll?.(pending, always.signal))?.map(said) ?? []
  // What the test before left in progress is over.
  await world.simulator.ask('sso-admin', 'ListAccountAssignmentDeletionStatus', {
    InstanceArn: world.settings.instanceArn,
  })
  world.simulator.assignments.settling = { ms: 600_000, polls: 0 }
  const first = await begin15()
  const calls = await world.callsOf(async () => {
    expect(await ask(first)).toEqual(first.map(() => 'pending'))
  })
  const describes = (of: readonly string[]) =>
    of.filter((operation) => operation.startsWith('DescribeAccountAssignment')).length
  expect(describes(calls)).toBe(0)

  world.simulator.assignments.settling = { ms: 0, polls: 0 }
  clock += 1_000
  expect(await ask(first.slice(0, 1))).toEqual(['changed'])
  world.simulator.assignments.settling = { ms: 600_000, polls: 0 }
  const second = await begin15()
  expect(await ask(first.slice(1))).toEqual(first.slice(1).map(() => 'changed'))

  clock += 1_000
  world.simulator.assignments.settling = { ms: 0, polls: 0 }
  world.simulator.faults.arm({
    operation: 'ListAccountAssignmentCreationStatus',
    nth: 1,
    phase: 'before',
    act: { kind: 'error', type: 'AccessDeniedException' },
  })
  const alone = await world.callsOf(async () => {
    expect(await ask(second)).toEqual(second.map(() => 'changed'))
  })
  expect(describes(alone)).toBe(15)
  expect(alone.filter((operation) => operation === 'ListAccountAssignmentCreationStatus')).toHaveLength(1)
  await urgent.close()
})
