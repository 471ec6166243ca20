/** Roles under a long lease or a storm of throttling, what the audit keeps of people whose accounts are names, credentials that end, and what check can ask. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAwsIamConnector } from '../../src/connectors/aws-iam/connector.ts'
import { allUses, type Connector } from '../../src/connectors/connector.ts'
import { createLocalBudget, createLocalStore } from '../../src/connectors/local-budget.ts'
import type { NativeId } from '../../src/domain/ids.ts'
import { auditedBy } from '../../src/engine/audited-account.ts'
import type { Claim, ClaimedAction } from '../../src/engine/claim.ts'
import { outcomeEntry } from '../../src/engine/outcome-entry.ts'
import { awsCredentials } from './aws-credentials.ts'
import { type AwsIamWorld, accountId, makeAwsIam, openAwsIamWorld, target } from './aws-iam-world.ts'
import { always, ensure, freshKey, type Group, grant, revoke, said } from './world.ts'

let world: AwsIamWorld
let connector: Connector
beforeAll(async () => {
  world = await openAwsIamWorld()
  connector = makeAwsIam(world)
})
afterAll(async () => {
  await connector.close()
  await world.close()
})
awsCredentials(() => ({
  world,
  signers: world.proxy.signers,
  make: (credentials, { now, secret }) =>
    makeAwsIam(world, { credentials }, { now, lane: 'leaver', ...(secret === undefined ? {} : { secret }) }),
}))
const names = (count: number): readonly NativeId[] => Array.from({ length: count }, () => freshKey() as NativeId)
const saying = async (by: Connector, ...operations: Parameters<Connector['apply']>[0]) =>
  (await by.apply(operations, always)).map(said)

test('one whose place has run out before it writes does not let a leaver in again', async () => {
  const store = createLocalStore()
  const [stays, leaver, newcomer] = names(3) as [NativeId, NativeId, NativeId]
  const role = await world.addGroup(freshKey(), [stays, leaver])
  let ahead = 0
  const clock = () => performance.now() + ahead
  const other = createAwsIamConnector(target, world.configure({}), {
    lane: 'leaver',
    giveWay: async () => {},
    budget: createLocalBudget(store, 'leaver', clock),
    now: Date.now,
  })
  let asked = 0
  const slow = createAwsIamConnector(target, world.configure({}), {
    lane: 'bulk',
    // Three reads, then its write: IAM was slow, or the machine.
    giveWay: async () => {
      asked += 1
      if (asked !== 4) return
      ahead = 31_000
      expect(await saying(other, revoke(leaver, role))).toEqual(['changed'])
    },
    budget: createLocalBudget(store, 'bulk', clock),
    now: Date.now,
  })
  // engine.lease: 2m
  const lease = { ...always, mayWrite: () => ahead < 96_000 }
  await slow.apply([grant(newcomer, role)], lease)
  expect(asked).toBeGreaterThan(3)
  expect(await world.membersOf(role)).not.toContain(leaver)
  await slow.close()
  await other.close()
})

test('a write that may still be on its way leaves no moment in which another takes the role', async () => {
  const store = createLocalStore()
  const budget = createLocalBudget(store, 'bulk', () => performance.now())
  const [leaver] = names(1) as [NativeId]
  const role = await world.addGroup(freshKey(), [leaver])
  const name = [{ name: `role:${role.lookup.slice('role/'.length).toLowerCase()}`, max: 1 }]
  const taken: boolean[] = []
  const watched = createAwsIamConnector(target, world.configure({ settle: { ms: 60_000, confirmations: 2 } }), {
    lane: 'bulk',
    giveWay: async () => {},
    budget: {
      ...budget,
      vacate: async (id) => {
        await budget.vacate(id)
        taken.push((await budget.occupy(name, 1)).ok)
      },
    },
    now: Date.now,
  })
  world.faults.atNextWrite('after-commit', 'drop')
  expect(await saying(watched, revoke(leaver, role))).toEqual(['unknown'])
  expect(taken).toEqual([])
  expect((await budget.occupy(name, 1)).ok).toBe(false)
  await watched.close()
})

test('a tidying of Denies whose answer was lost: nobody writes a Deny that it would take away', async () => {
  const store = createLocalStore()
  const [leaver, newcomer] = names(2) as [NativeId, NativeId]
  const role = await world.addGroup(freshKey(), [leaver])
  let clock = Date.parse('2026-03-01T12:00:00Z')
  const tidy = makeAwsIam(
    world,
    { sessions: 'deny-inline-policy', settle: { ms: 60_000, confirmations: 2 } },
    { now: () => clock, store },
  )
  expect(await saying(tidy, { op: 'endSessions', account: leaver })).toEqual(['changed'])
  clock += 100 * 3_600_000
  world.proxy.arm({ action: 'DeleteRolePolicy', phase: 'before-commit', act: 'drop' })
  expect(await saying(tidy, grant(newcomer, role))).toEqual(['changed'])
  const name = `role:${role.lookup.slice('role/'.length).toLowerCase()}`
  const free = await createLocalBudget(store, 'leaver', () => performance.now()).occupy([{ name, max: 1 }], 1)
  expect(free.ok).toBe(false)
  await tidy.close()
})

test('no person key, which is the name of a session, stands in the bytes of the audit', async () => {
  const person = world.person(freshKey())
  const role = await world.addGroup(freshKey())
  const account = person.key as NativeId
  const operations = [ensure(person), grant(account, role)] as const
  const outcomes = await connector.apply(operations, always)
  expect(outcomes.map(said)).toEqual(['was-so', 'changed'])
  const action = { id: 7, subject_ref: 's', decision_id: 1, entitlement_id: null, attempts: 0 }
  const bytes = outcomes.map(
    (outcome, at) =>
      outcomeEntry(
        0,
        { dispatch: 3, target } as Claim,
        {
          action: { ...action, kind: operations[at]?.op } as unknown as ClaimedAction,
          outcome,
          next: { kind: 'done' },
          sent: true,
        },
        null,
        { by: auditedBy({ connectors: new Map([[target, connector]]) }, target), account: 42 },
      ).text,
  )
  // SECURITY.md: audit bytes name people by a random reference.
  expect(bytes.filter((text) => text.includes(person.key))).toEqual([])
  expect(bytes.map((text) => JSON.parse(text).evidence.account)).toEqual([42, 42])
})

describe('check', () => {
  const source = `arn:aws:iam::${accountId}:role/muster`
  let tokenFile: string
  beforeAll(() => {
    tokenFile = join(mkdtempSync(join(tmpdir(), 'muster-iam-')), 'token')
    writeFileSync(tokenFile, 'a token')
  })
  afterAll(() => rmSync(dirname(tokenFile), { recursive: true }))
  const signedIn = (changes = {}) =>
    makeAwsIam(world, { credentials: { from: 'webIdentity', roleArn: source, tokenFile }, ...changes })
  /** As in the API reference of SimulatePrincipalPolicy, «Sample Response». */
  const simulated = (...results: readonly string[]): string =>
    `<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated><EvaluationResults>${results.join('')}</EvaluationResults></SimulatePrincipalPolicyResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></SimulatePrincipalPolicyResponse>`
  const result = (action: string, decision: string, missing = ''): string =>
    `<member><MatchedStatements/><MissingContextValues>${missing}</MissingContextValues><EvalResourceName>arn:aws:iam::${accountId}:role/m-standing</EvalResourceName><EvalDecision>${decision}</EvalDecision><EvalActionName>${action}</EvalActionName></member>`
  const told = async (xml: string, changes = {}, uses = allUses) => {
    const asked = signedIn(changes)
    world.proxy.arm({ action: 'SimulatePrincipalPolicy', phase: 'before-commit', act: { xml } })
    try {
      return await asked.check(always.signal, uses)
    } finally {
      await asked.close()
    }
  }

  test('IAM itself is asked what may be done with the roles; only a plain no is a problem', async () => {
    const may = ['iam:GetRole', 'iam:UpdateAssumeRolePolicy'].map((action) => result(action, 'allowed'))
    const well = await told(simulated(...may))
    expect([well.ok, well.unknown]).toEqual([true, []])
    expect(well.facts?.join('\n')).toMatch(
      /by web identity: a session until \d{4}-[\s\S]*clocks \d+ s apart[\s\S]*2 actions/,
    )
    const no = result('iam:UpdateAssumeRolePolicy', 'implicitDeny')
    expect((await told(simulated(may[0] ?? '', no))).problems).toEqual([
      `iam:UpdateAssumeRolePolicy on arn:aws:iam::${accountId}:role/m-standing is not allowed (implicitDeny)`,
    ])
    const observed = await told(simulated(result('iam:GetRole', 'implicitDeny'), no), {}, { ...allUses, writes: false })
    expect([observed.problems, observed.beforeEnforce]).toEqual([
      [expect.stringMatching(/^iam:GetRole on/)],
      [expect.stringMatching(/^iam:UpdateAssumeRolePolicy on/)],
    ])
    const depends = result('iam:UpdateAssumeRolePolicy', 'implicitDeny', '<member>aws:SourceIp</member>')
    expect(await told(simulated(may[0] ?? '', depends))).toMatchObject({
      problems: [],
      unknown: ["iam:UpdateAssumeRolePolicy (IAM's evaluation does not decide)"],
    })
    // One role told alone, and several each for itself.
    const each = (name: string, decision: string, missing = '') =>
      `<member><EvalResourceName>arn:aws:iam::${accountId}:role/${name}</EvalResourceName><EvalResourceDecision>${decision}</EvalResourceDecision><MissingContextValues>${missing}</MissingContextValues></member>`
    const several = (...parts: readonly string[]) =>
      no.replace('</member>', `<ResourceSpecificResults>${parts.join('')}</ResourceSpecificResults></member>`)
    const one = each('m-one', 'allowed', '<member>aws:SourceIp</member>')
    expect(await told(simulated(may[0] ?? '', several(one, each('m-other', 'explicitDeny'))))).toMatchObject({
      problems: [`iam:UpdateAssumeRolePolicy on arn:aws:iam::${accountId}:role/m-other is not allowed (explicitDeny)`],
      unknown: [],
    })
    const unsure = each('m-other', 'implicitDeny', '<member>aws:SourceIp</member>')
    expect(await told(simulated(may[0] ?? '', several(one, unsure)))).toMatchObject({
      problems: [],
      unknown: ["iam:UpdateAssumeRolePolicy (IAM's evaluation does not decide)"],
    })
    expect((await told(simulated(...may), { sessions: 'deny-inline-policy' })).unknown).toEqual([
      "iam:ListRolePolicies, iam:GetRolePolicy, iam:PutRolePolicy, iam:DeleteRolePolicy (IAM's evaluation does not decide)",
    ])
  })

  test('where that may not be asked, it says so and which right would let it', async () => {
    const act = { status: 403, code: 'AccessDenied' }
    world.proxy.arm({ action: 'SimulatePrincipalPolicy', phase: 'before-commit', act })
    const asked = signedIn()
    const { ok, unknown } = await asked.check(always.signal)
    await asked.close()
    expect([ok, unknown]).toEqual([
      true,
      [
        `whether it may write (iam:SimulatePrincipalPolicy on ${source} would let doctor ask: access-denied (AccessDenied))`,
      ],
    ])
  })

  test('a clock that differs by less than the SDK takes note of', async () => {
    const early = makeAwsIam(world, {}, { now: () => Date.now() + 120_000 })
    expect((await early.check(always.signal)).problems).toEqual([
      expect.stringMatching(/^the clock here is 1[12]\d s ahead of AWS's$/),
    ])
    await early.close()
  })
})

test('a storm over several roles at once: each is written again when IAM has time, and once', async () => {
  const storming = makeAwsIam(world, {}, { lane: 'leaver' })
  const leaver = freshKey() as NativeId
  const roles: Group[] = []
  for (let at = 0; at < 4; at += 1) roles.push(await world.addGroup(freshKey(), [leaver]))
  const act = { status: 400, code: 'Throttling', message: 'Rate exceeded' }
  world.proxy.arm({ action: 'UpdateAssumeRolePolicy', phase: 'before-commit', times: roles.length, act })
  const wanted = roles.map((role) => revoke(leaver, role))
  const calls = await world.callsOf(async () => {
    // One call has two seconds for all its waits; who had none left asks again, as the engine does.
    for (let open = wanted; open.length > 0; ) {
      const words = (await storming.apply(open, always)).map(said)
      expect(words.filter((word) => word !== 'changed' && word !== 'throttled')).toEqual([])
      open = open.filter((_, index) => words[index] === 'throttled')
    }
  })
  expect(calls.filter((action) => action === 'UpdateAssumeRolePolicy')).toHaveLength(2 * roles.length)
  for (const role of roles) expect(await world.membersOf(role)).toEqual([])
  await storming.close()
})
