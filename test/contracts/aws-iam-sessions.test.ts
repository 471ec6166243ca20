/** `sessions: deny-inline-policy`: what a leaver's live role sessions are ended with, and what an evaluator says of it. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Connector } from '../../src/connectors/connector.ts'
import type { NativeId } from '../../src/domain/ids.ts'
import { type Decision, judge, type Question } from './aws-iam-judge.ts'
import {
  type AwsIamWorld,
  accountId,
  makeAwsIam,
  openAwsIamWorld,
  policyOf,
  samlProvider,
  statementOf,
} from './aws-iam-world.ts'
import { always, freshKey, type Group, grant, grantsOf, revoke, said, sorted } from './world.ts'

const noon = Date.parse('2026-03-01T12:00:00Z')
const hour = 3_600_000
const settleMs = 300

let world: AwsIamWorld
let connector: Connector
let clock = noon
beforeAll(async () => {
  world = await openAwsIamWorld()
  connector = makeAwsIam(world, { sessions: 'deny-inline-policy' }, { lane: 'leaver', now: () => clock })
})
afterEach(() => {
  world.faults.none()
  clock = noon
})
afterAll(async () => {
  await connector.close()
  await world.close()
})
const names = (count: number): readonly NativeId[] => Array.from({ length: count }, () => freshKey() as NativeId)
const end = (...accounts: readonly NativeId[]) =>
  connector.apply(
    accounts.map((account) => ({ op: 'endSessions', account }) as const),
    always,
  )
type Statement = {
  readonly Sid: string
  readonly Effect: string
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}
const statementsOf = async (role: Group): Promise<readonly Statement[]> => {
  const text = await world.inlinePolicy(role, 'MusterSessions')
  return text === '' ? [] : JSON.parse(text).Statement
}
const deniedIn = async (role: Group): Promise<readonly unknown[]> =>
  (await statementsOf(role)).map(({ Condition }) => [
    Condition?.StringEquals?.['aws:userid'],
    Condition?.DateLessThan?.['aws:TokenIssueTime'],
  ])
const iso = (at: number) => new Date(Math.ceil((at + 3 * settleMs) / 1_000) * 1_000).toISOString().replace('.000', '')

describe('the Deny', () => {
  test('stands in every role that lets the person in, on the session and the time together; grants are told', async () => {
    const [leaver, colleague] = names(2) as [NativeId, NativeId]
    const [one, two, foreign] = [
      await world.addGroup(freshKey(), [leaver, colleague]),
      await world.addGroup(freshKey(), [leaver]),
      await world.addGroup(freshKey(), [colleague]),
    ]
    const [ended] = await end(leaver)
    expect(said(ended)).toBe('changed')
    expect(grantsOf(ended)).toEqual(sorted([one.nativeId, two.nativeId]))
    for (const role of [one, two]) expect(await deniedIn(role)).toEqual([[[`${role.nativeId}:${leaver}`], iso(noon)]])
    expect(await statementsOf(foreign)).toEqual([])
    // Asked again, or read back: it is so.
    expect((await end(leaver)).map(said)).toEqual(['was-so'])
    const operation = { op: 'endSessions', account: leaver } as const
    expect((await connector.observe([operation], always)).map(said)).toEqual(['was-so'])
    expect((await connector.observe([{ ...operation, account: colleague }], always)).map(said)).toEqual(['not-so'])
    // Asked for once more, and the call was lost: another session may have begun since, which the first Deny lets live.
    clock += 60_000
    expect((await connector.observe([operation], always)).map(said)).toEqual(['not-so'])
    expect((await end(leaver)).map(said)).toEqual(['changed'])
    expect((await connector.observe([operation], always)).map(said)).toEqual(['was-so'])
  })

  test('people of one moment share a statement; the newest time of each counts; what outlived every session goes', async () => {
    const [first, second, third] = names(3) as [NativeId, NativeId, NativeId]
    const role = await world.addGroup(freshKey(), [first, second, third])
    const id = (name: NativeId) => `${role.nativeId}:${name}`
    await end(first, second)
    expect(await deniedIn(role)).toEqual([[[id(first), id(second)].sort(), iso(noon)]])
    clock = noon + 2 * hour
    await end(second)
    expect(await deniedIn(role)).toEqual([
      [[id(first)], iso(noon)],
      [[id(second)], iso(noon + 2 * hour)],
    ])
    clock = noon + 12 * hour + 2_000
    await end(third)
    expect(await deniedIn(role)).toEqual([
      [[id(second)], iso(noon + 2 * hour)],
      [[id(third)], iso(clock)],
    ])
    // Somebody is let in, days later: the last of it goes too.
    clock = noon + 100 * hour
    const [newcomer] = names(1) as [NativeId]
    expect((await connector.apply([grant(newcomer, role)], always)).map(said)).toEqual(['changed'])
    expect(await world.inlinePolicy(role, 'MusterSessions')).toBe('')
  })

  test('whoever is taken out of a role loses its live sessions too, and a lost answer does not leave them alive', async () => {
    const [mover, stays] = names(2) as [NativeId, NativeId]
    const role = await world.addGroup(freshKey(), [mover, stays])
    world.proxy.arm({ action: 'UpdateAssumeRolePolicy', phase: 'after-commit', act: 'drop' })
    expect((await connector.apply([revoke(mover, role)], always)).map(said)).toEqual(['unknown'])
    expect(await deniedIn(role)).toEqual([[[`${role.nativeId}:${mover}`], iso(noon)]])
    expect((await connector.observe([revoke(mover, role)], always)).map(said)).toEqual(['was-so'])
  })

  test('sessions end, then access, in one batch: one Deny, both proved', async () => {
    const [leaver] = names(1) as [NativeId]
    const role = await world.addGroup(freshKey(), [leaver])
    let outcomes: readonly string[] = []
    const calls = await world.callsOf(async () => {
      outcomes = (await connector.apply([revoke(leaver, role), { op: 'endSessions', account: leaver }], always)).map(
        said,
      )
    })
    expect(outcomes).toEqual(['changed', 'changed'])
    expect(calls.filter((action) => /^(Put|Update)/.test(action))).toEqual(['PutRolePolicy', 'UpdateAssumeRolePolicy'])
  })

  test('a Deny that IAM refuses keeps nobody in: the revoke is done, and says what is left', async () => {
    const [mover] = names(1) as [NativeId]
    const role = await world.addGroup(freshKey(), [mover])
    world.proxy.arm({ action: 'PutRolePolicy', phase: 'before-commit', act: { status: 403, code: 'AccessDenied' } })
    expect(await connector.apply([revoke(mover, role)], always)).toMatchObject([
      { kind: 'done', changed: true, unfinished: [{ code: 'AccessDenied', word: 'sessions-access-denied' }] },
    ])
    expect(await world.membersOf(role)).toEqual([])
  })

  test('what was held counts, whoever took the name out since: no Deny, no «ended»', async () => {
    const [leaver, stays] = names(2) as [NativeId, NativeId]
    const [failing, rewritten, gone, foreign] = [
      await world.addGroup(freshKey(), [leaver, stays]),
      await world.addGroup(freshKey(), [leaver]),
      await world.addGroup(freshKey(), [leaver]),
      await world.addRole(`x-${freshKey()}`, policyOf(statementOf([leaver]))),
    ]
    const sessions = (...held: readonly Group[]) =>
      ({ op: 'endSessions', account: leaver, held: held.map(({ nativeId }) => nativeId) }) as const
    await world.setTrust(rewritten, policyOf(statementOf([stays])))
    await world.removeGroup(gone)
    world.proxy.arm({
      action: 'PutRolePolicy',
      phase: 'before-commit',
      act: { status: 403, code: 'AccessDenied' },
      times: 2,
    })
    const first = await connector.apply([sessions(failing), revoke(leaver, failing)], always)
    expect(first).toMatchObject([
      { kind: 'refused', reason: 'not-allowed' },
      { kind: 'done', unfinished: [{ word: 'sessions-access-denied' }] },
    ])
    const again = sessions(failing, rewritten, gone)
    expect((await connector.observe([again], always)).map(said)).toEqual(['not-so'])
    const [ended] = await connector.apply([again], always)
    expect([said(ended), grantsOf(ended)]).toEqual(['changed', []])
    expect(ended).not.toHaveProperty('unfinished')
    for (const role of [failing, rewritten])
      expect(await deniedIn(role)).toEqual([[[`${role.nativeId}:${leaver}`], iso(noon)]])
    expect((await connector.observe([again], always)).map(said)).toEqual(['was-so'])
    // Nothing is written to what is not listed, and a human is told so; as of whoever held nothing that anybody knows of.
    for (const [operation, word] of [
      [sessions(foreign), 'sessions-not-listed'],
      [sessions(), 'nothing-held-any-more'],
    ] as const) {
      const told = [{ kind: 'done', changed: false, unfinished: [{ word }] }]
      expect(await connector.apply([operation], always)).toMatchObject(told)
      expect(await connector.observe([operation], always)).toMatchObject(told)
    }
    expect(await statementsOf(foreign)).toEqual([])
  })

  test('a Deny that was refused, and the answer of the revoke is lost: what is left is told with the proof', async () => {
    const [mover] = names(1) as [NativeId]
    const role = await world.addGroup(freshKey(), [mover])
    world.proxy.arm(
      { action: 'PutRolePolicy', phase: 'before-commit', act: { status: 403, code: 'AccessDenied' } },
      { action: 'UpdateAssumeRolePolicy', phase: 'after-commit', act: 'drop' },
    )
    const operation = revoke(mover, role)
    const [outcome] = await connector.apply([operation], always)
    expect(outcome).toMatchObject({ kind: 'pending' })
    const handle = outcome?.kind === 'pending' ? outcome.handle : ''
    expect(await connector.poll?.([{ operation, handle }], always.signal)).toMatchObject([
      { kind: 'done', changed: true, unfinished: [{ code: 'AccessDenied', word: 'sessions-access-denied' }] },
    ])
  })

  test('all inline policies of the role together are too large: refused with the size, nothing is written', async () => {
    const [leaver] = names(1) as [NativeId]
    const role = await world.addGroup(freshKey(), [leaver])
    const theirs = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::${'x'.repeat(10_000)}"}]}`
    await world.setInlinePolicy(role, 'Theirs', theirs)
    const [refused] = await end(leaver)
    expect(refused).toMatchObject({ kind: 'refused', reason: 'limit', cause: { word: 'inline-policies-too-large' } })
    expect(refused?.kind === 'refused' ? Number(refused.cause.code) : 0).toBeGreaterThan(10_240)
    expect(await statementsOf(role)).toEqual([])
    expect(await world.inlinePolicy(role, 'Theirs')).toBe(theirs)
  })

  test('not all of a batch fit: the first of them are denied, only the others are refused, and their revokes say so', async () => {
    const people = names(5)
    const role = await world.addGroup(freshKey(), people)
    const theirs = (size: number) =>
      `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::${'x'.repeat(size)}"}]}`
    // A statement takes some 200 characters, a person some 35 of them.
    await world.setInlinePolicy(role, 'Theirs', theirs(9_840))
    const outcomes = await end(...people)
    const fitting = outcomes.filter((outcome) => said(outcome) === 'changed').length
    expect(fitting).toBeGreaterThan(0)
    expect(fitting).toBeLessThan(people.length)
    for (const [at, outcome] of outcomes.entries())
      expect(outcome).toMatchObject(
        at < fitting
          ? { kind: 'done' }
          : { kind: 'refused', reason: 'limit', cause: { word: 'inline-policies-too-large' } },
      )
    const denied = people.slice(0, fitting).map((name) => `${role.nativeId}:${name}`)
    expect(await deniedIn(role)).toEqual([[denied.sort(), iso(noon)]])
    const revoked = await connector.apply(
      people.map((name) => revoke(name, role)),
      always,
    )
    expect(revoked.map((one) => one.kind === 'done' && one.unfinished?.map(({ word }) => word))).toEqual(
      people.map((_, at) => (at < fitting ? undefined : ['sessions-inline-policies-too-large'])),
    )
  })

  test('somebody fills the room between our read and our write: IAM refuses, and nothing is said to be done', async () => {
    const [leaver] = names(1) as [NativeId]
    const role = await world.addGroup(freshKey(), [leaver])
    const theirs = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::${'x'.repeat(10_000)}"}]}`
    const act = () => world.setInlinePolicy(role, 'Theirs', theirs)
    world.proxy.arm({ action: 'PutRolePolicy', phase: 'before-commit', act })
    expect(await end(leaver)).toMatchObject([
      { kind: 'refused', reason: 'limit', cause: { code: 'LimitExceededException', word: 'quota' } },
    ])
    expect(await statementsOf(role)).toEqual([])
  })

  test('a Deny that no read shows yet is pending, and then it is there', async () => {
    const [leaver] = names(1) as [NativeId]
    const role = await world.addGroup(freshKey(), [leaver])
    const operation = { op: 'endSessions', account: leaver } as const
    // Two reads are before the write; the four after it are stale.
    world.proxy.arm({ action: 'GetRolePolicy', phase: 'before-commit', times: 2, act: async () => {} })
    world.proxy.arm({ action: 'GetRolePolicy', phase: 'before-commit', times: 5, act: 'stale' })
    const [outcome] = await end(leaver)
    expect(outcome).toMatchObject({ kind: 'pending' })
    const pending = [{ operation, handle: outcome?.kind === 'pending' ? outcome.handle : '' }]
    expect((await connector.poll?.(pending, always.signal))?.map(said)).toEqual(['pending'])
    const [shown] = (await connector.poll?.(pending, always.signal)) ?? []
    expect([said(shown), grantsOf(shown)]).toEqual(['changed', [role.nativeId]])
    expect(await deniedIn(role)).toEqual([[[`${role.nativeId}:${leaver}`], iso(noon)]])
  })

  test('a server that is behind when the policy is read takes nobody’s Deny away', async () => {
    const [leaver, next] = names(2) as [NativeId, NativeId]
    const role = await world.addGroup(freshKey(), [leaver, next])
    expect((await end(leaver)).map(said)).toEqual(['changed'])
    world.proxy.arm({ action: 'GetRolePolicy', phase: 'before-commit', act: 'stale' })
    expect((await end(next)).map(said)).toEqual(['changed'])
    const denied = [[[leaver, next].map((name) => `${role.nativeId}:${name}`).sort(), iso(noon)]]
    expect(await deniedIn(role)).toEqual(denied)
    // Servers that do not agree in time: nothing is written, and it is asked for again.
    clock = noon + hour
    for (const act of ['stale', async () => {}, 'stale', async () => {}] as const)
      world.proxy.arm({ action: 'GetRolePolicy', phase: 'before-commit', act })
    expect(await end(leaver)).toMatchObject([{ kind: 'retry', cause: { word: 'role-changing' } }])
    expect(await deniedIn(role)).toEqual(denied)
  })

  test('what others wrote into our policy stays, byte for byte', async () => {
    const [leaver] = names(1) as [NativeId]
    const role = await world.addGroup(freshKey(), [leaver])
    const theirs = '{ "Sid":"Theirs","Effect" : "Deny","Action":"iam:*", "Resource":"*" }'
    // Ours by its Sid, and yet on the time alone: nobody of ours wrote it, so it is not counted as a Deny of ours.
    const timeOnly =
      '{"Sid":"MusterEnd1","Effect":"Deny","Action":"*","Resource":"*","Condition":{"DateLessThan":{"aws:TokenIssueTime":"2026-01-01T00:00:00Z"}}}'
    await world.setInlinePolicy(role, 'MusterSessions', `{"Version":"2012-10-17","Statement":[${theirs},${timeOnly}]}`)
    expect((await end(leaver)).map(said)).toEqual(['changed'])
    const text = await world.inlinePolicy(role, 'MusterSessions')
    expect(text).toContain(theirs)
    expect(text).toContain(timeOnly)
    expect((await deniedIn(role)).at(-1)).toEqual([[`${role.nativeId}:${leaver}`], iso(noon)])
  })

  test('sessions: none: only tells what is held', async () => {
    const quiet = makeAwsIam(world)
    const [leaver] = names(1) as [NativeId]
    const role = await world.addGroup(freshKey(), [leaver])
    const [ended] = await quiet.apply([{ op: 'endSessions', account: leaver }], always)
    expect([said(ended), grantsOf(ended)]).toEqual(['was-so', [role.nativeId]])
    expect(await statementsOf(role)).toEqual([])
    await quiet.close()
  })
})

/** localemu's evaluator: neither ours nor moto's. */
describe('an evaluator that is not ours says', () => {
  const allowed = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] }
  const use = async (role: Group, name: string, issued: number): Promise<Question> => ({
    caller: `arn:aws:sts::${accountId}:assumed-role/${role.lookup.slice(5)}/${name}`,
    action: 's3:GetObject',
    resource: 'arn:aws:s3:::bank/ledger',
    context: {
      'aws:userid': `${role.nativeId}:${name}`,
      'aws:TokenIssueTime': new Date(issued).toISOString().replace('.000', ''),
    },
    policies: [allowed, JSON.parse(await world.inlinePolicy(role, 'MusterSessions'))],
  })
  const enter = async (
    role: Group,
    context: Readonly<Record<string, string>>,
    { action = 'sts:AssumeRoleWithSAML', caller = samlProvider } = {},
  ): Promise<Question> => ({
    caller,
    action,
    resource: `arn:aws:iam::${accountId}:${role.lookup}`,
    context,
    policies: [],
    trust: JSON.parse(await world.trustOf(role)),
  })
  const decided = (...questions: readonly Question[]): Promise<readonly Decision[]> => judge(questions)

  test("a leaver's old sessions are denied, everybody else's and everybody's new ones are not", async () => {
    const [leaver, colleague] = names(2) as [NativeId, NativeId]
    const role = await world.addGroup(freshKey(), [leaver, colleague])
    await end(leaver)
    expect(
      await decided(
        await use(role, leaver, noon - hour),
        await use(role, leaver, noon),
        await use(role, colleague, noon - hour),
        await use(role, leaver, noon + hour),
        await use(role, `${leaver}x`, noon - hour),
      ),
    ).toEqual(['EXPLICIT_DENY', 'EXPLICIT_DENY', 'ALLOW', 'ALLOW', 'ALLOW'])
  })

  test('SAML: who is named comes in under that name and audience, and nobody else', async () => {
    const [inside, outsider] = names(2) as [NativeId, NativeId]
    const role = await world.addGroup(freshKey())
    await connector.apply([grant(inside, role)], always)
    const saml = { 'SAML:aud': 'https://signin.aws.amazon.com/saml', 'sts:RoleSessionName': inside }
    expect(
      await decided(
        await enter(role, saml),
        await enter(role, { ...saml, 'sts:RoleSessionName': outsider }),
        await enter(role, { ...saml, 'SAML:aud': 'https://elsewhere.example' }),
        await enter(role, saml, { caller: samlProvider.replace('Entra', 'Okta') }),
        await enter(role, saml, { action: 'sts:AssumeRoleWithWebIdentity' }),
      ),
    ).toEqual(['ALLOW', 'IMPLICIT_DENY', 'IMPLICIT_DENY', 'IMPLICIT_DENY', 'IMPLICIT_DENY'])
    await connector.apply([revoke(inside, role)], always)
    expect(await decided(await enter(role, saml))).toEqual(['IMPLICIT_DENY'])
  })

  test("OIDC: the token's subject lets in, under its own name only: nobody can borrow another's session name", async () => {
    const issuer = 'login.bank.example/tenant'
    const providerArn = `arn:aws:iam::${accountId}:oidc-provider/${issuer}`
    const oidc = makeAwsIam(world, { federation: { kind: 'oidc', providerArn, audience: 'aws', tagSession: true } })
    const [inside, other] = names(2) as [NativeId, NativeId]
    const role = await world.addGroup(freshKey())
    expect((await oidc.apply([grant(inside, role), grant(other, role)], always)).map(said)).toEqual([
      'changed',
      'changed',
    ])
    const token = (sub: string, session: string, aud = 'aws') => ({
      [`${issuer}:aud`]: aud,
      [`${issuer}:sub`]: sub,
      'sts:RoleSessionName': session,
    })
    const by = { action: 'sts:AssumeRoleWithWebIdentity', caller: providerArn }
    expect(
      await decided(
        await enter(role, token(inside, inside), by),
        await enter(role, token(inside, other), by),
        await enter(role, token('somebody', inside), by),
        await enter(role, token(inside, inside, 'another'), by),
        await enter(role, token('somebody', 'somebody'), { ...by, action: 'sts:TagSession' }),
        await enter(role, token('somebody', 'somebody', 'another'), { ...by, action: 'sts:TagSession' }),
      ),
    ).toEqual(['ALLOW', 'IMPLICIT_DENY', 'IMPLICIT_DENY', 'IMPLICIT_DENY', 'ALLOW', 'IMPLICIT_DENY'])
    await oidc.close()
  })

  test('a policy without anybody in it lets nobody in', async () => {
    const [inside] = names(1) as [NativeId]
    const role = await world.addRole(`m-${freshKey()}`, policyOf(statementOf([inside])))
    await connector.apply([revoke(inside, role)], always)
    expect(JSON.parse(await world.trustOf(role)).Statement).toHaveLength(1)
    const saml = { 'SAML:aud': 'https://signin.aws.amazon.com/saml' }
    expect(
      await decided(
        await enter(role, { ...saml, 'sts:RoleSessionName': inside }),
        await enter(role, { ...saml, 'sts:RoleSessionName': '--' }),
        await enter(role, saml),
      ),
    ).toEqual(['IMPLICIT_DENY', 'IMPLICIT_DENY', 'IMPLICIT_DENY'])
  })
})
