import { UpdateAssumeRolePolicyCommand } from '@aws-sdk/client-iam'
import type { NativeId } from '../../domain/ids.ts'
import type { Cause, Outcome } from '../../domain/outcome.ts'
import { canonical } from '../aws-wire/canonical.ts'
import {
  type Failure,
  outcomeOfRead,
  outcomeOfWrite,
  type Result,
  refusal,
  retry,
  unverified,
} from '../aws-wire/errors.ts'
import type { Gate } from '../aws-wire/transport.ts'
import { type Ended, endSessionsOf, tidySessions } from './deny-sessions.ts'
import { held } from './evidence.ts'
import { writeHandle } from './handle.ts'
import type { Iam } from './iam.ts'
import { aloneWith, type Place } from './place.ts'
import { type Change, planTrust, type TrustPlan } from './plan-trust.ts'
import { getRole, type Role } from './roles.ts'
import { readSteadily } from './steady.ts'
import { readTrust, type Trust } from './trust.ts'

/** So often a change that was not read back is asked for. */
export const settlingPollMs = 1_000

/** All changes of one role in one document: read, change, write, read back. */
export const changeRole = async (
  iam: Iam,
  role: Role,
  changes: readonly Change[],
  gate: Gate,
): Promise<ReadonlyMap<number, Outcome>> => {
  const all = (outcome: Outcome) => new Map(changes.map(({ index }) => [index, outcome]))
  const done = await aloneWith(iam, role.name, gate, (place) => changeAlone(iam, role, changes, place, all))
  return typeof done === 'number' ? all(retry('role-busy', done)) : done
}

type Outcomes = ReadonlyMap<number, Outcome>
/** Of each who leaves, what could not be brought about beside it. */
type Unfinished = ReadonlyMap<string, readonly Cause[]>

const changeAlone = async (
  iam: Iam,
  role: Role,
  changes: readonly Change[],
  place: Place,
  all: (outcome: Outcome) => Outcomes,
): Promise<Outcomes> => {
  const { settings } = iam
  const before = await readSteadily(iam, () => getRole(iam, role.name), formOf)
  if (before.kind === 'failed') return all(outcomeOfRead(before.result.failure))
  if (before.value === null) return all(refusal('entitlement-missing', 'no-such-role'))
  if (before.value.id !== role.id) return all(refusal('entitlement-changed-identity', 'another-role'))
  // Somebody else is writing it at this moment, or IAM's servers do not agree yet: what is read here must not be written.
  if (before.kind === 'unsteady') return all(retry('role-changing', settings.settle.ms))
  const trust = readTrust(settings, before.value.trust)
  if (trust === null) return all(refusal('invalid', 'trust-policy-unreadable'))
  const plan = planTrust(settings, trust, changes)
  const outcomes = new Map<number, Outcome>()
  for (const { index, account } of changes) {
    const size = plan.tooLarge.get(index)
    if (plan.wasSo.has(index)) outcomes.set(index, held(account, role.id, null))
    else if (size !== undefined)
      outcomes.set(index, {
        kind: 'refused',
        reason: 'limit',
        cause: { code: String(size), word: 'trust-policy-too-large' },
      })
  }
  const open = changes.filter(({ index }) => !outcomes.has(index))
  if (plan.document === null || open.length === 0) return outcomes
  const leaving = open.filter(({ op, account }) => op === 'revoke' && trust.people.has(account))
  const unfinished = await endTheirSessions(iam, before.value, leaving, place)
  const written = await writeAndProve(iam, before.value, plan, place)
  // Nothing of the change hangs on it: what is left stays without effect until the next time.
  if (written === 'done' && leaving.length === 0 && settings.sessions !== 'none')
    await tidySessions(iam, before.value, place)
  if (written === 'limit' && open.some(({ op }) => op === 'grant')) {
    // The account's quota is smaller than what is configured. Whoever leaves, leaves all the same.
    const rest = open.filter(({ op }) => op === 'revoke')
    for (const { index, op } of open) if (op === 'grant') outcomes.set(index, refusal('limit', 'quota'))
    if (rest.length === 0) return outcomes
    const smaller = await writeAndProve(iam, before.value, planTrust(settings, trust, rest), place)
    return told(iam, outcomes, rest, smaller, role, unfinished)
  }
  return told(iam, outcomes, open, written, role, unfinished)
}

const told = (
  iam: Iam,
  outcomes: Map<number, Outcome>,
  changes: readonly Change[],
  written: Outcome | 'done' | 'limit',
  role: Role,
  unfinished: Unfinished,
): Outcomes => {
  for (const { index, op, account } of changes) {
    const left = op === 'revoke' ? (unfinished.get(account) ?? []) : []
    if (written === 'limit') outcomes.set(index, refusal('limit', 'quota'))
    else if (written === 'done') outcomes.set(index, held(account, role.id, '0', left))
    else outcomes.set(index, stillToTell(iam, written, left))
  }
  return outcomes
}

/** No read of the role shows what was not brought about beside the change: what may have been made carries it to its proof. */
const stillToTell = (iam: Iam, written: Outcome, unfinished: readonly Cause[]): Outcome => {
  if (unfinished.length === 0 || (written.kind !== 'unknown' && written.kind !== 'pending')) return written
  const until = iam.tools.now() + iam.settings.settle.ms
  const told = unfinished.map(({ code, word }) => ({ code, word }))
  return { kind: 'pending', handle: writeHandle({ until, unfinished: told }), pollAfterMs: settlingPollMs }
}

/**
 * Before the name is taken out, so that a lost answer leaves no session behind. What fails here does not keep anybody in:
 * it is told as unfinished.
 */
const endTheirSessions = async (
  iam: Iam,
  role: Role,
  leaving: readonly Change[],
  place: Place,
): Promise<Unfinished> => {
  if (iam.settings.sessions === 'none' || leaving.length === 0) return new Map()
  const people = leaving.map(({ account }) => account)
  const ended = await endSessionsOf(iam, role, people, place)
  return new Map([...ended].map(([name, one]) => [name, leftOver(one)]))
}

const leftOver = (ended: Ended): readonly Cause[] =>
  ended.kind === 'refused' || ended.kind === 'retry' || ended.kind === 'unknown'
    ? [{ ...ended.cause, word: `sessions-${ended.cause.word}` }]
    : ended.kind === 'throttled'
      ? [{ code: '', word: 'sessions-throttled' }]
      : []

const writeAndProve = async (
  iam: Iam,
  before: Role,
  { document, people }: TrustPlan,
  place: Place,
): Promise<Outcome | 'done' | 'limit'> => {
  if (document === null) return 'done'
  const put = await write(iam, before.name, document, place.gate)
  if (!put.ok) {
    const { failure } = put
    if (failure.verdict.kind === 'refused' && failure.verdict.reason === 'limit') return 'limit'
    if (mayStillArrive(failure)) place.keep()
    return outcomeOfWrite(failure)
  }
  const shows = (role: Role | null): boolean =>
    role !== null && role.id === before.id && isWritten(readTrust(iam.settings, role.trust), people)
  const after = await readSteadily(
    iam,
    () => getRole(iam, before.name),
    (role) => (shows(role) ? 'shown' : null),
  )
  if (after.kind === 'failed') {
    place.keep()
    return unverified(after.result.failure)
  }
  if (after.kind === 'steady') return 'done'
  place.keep()
  if (after.value !== null && after.value.id !== before.id) return takeBack(iam, after.value, people, place.gate)
  // IAM said that it is done, and shows what was there before: not yet.
  if (shows(after.value) || formOf(after.value) === formOf(before)) {
    const handle = writeHandle({ until: iam.tools.now() + iam.settings.settle.ms })
    return { kind: 'pending', handle, pollAfterMs: settlingPollMs }
  }
  return { kind: 'unknown', cause: { code: '', word: 'changed-meanwhile' } }
}

/**
 * The role was made anew under its name between our read and our write, and IAM writes by name alone: our people are in another
 * role than was decided. They are taken out of it; what its makers wrote there is lost, which a human must know.
 */
const takeBack = async (iam: Iam, other: Role, people: ReadonlySet<string>, gate: Gate): Promise<Outcome> => {
  const trust = readTrust(iam.settings, other.trust)
  const changed: Outcome = { kind: 'unknown', cause: { code: '', word: 'changed-meanwhile' } }
  if (trust === null || !isWritten(trust, people)) return changed
  const leaving = [...people].map((name, index): Change => ({ index, op: 'revoke', account: name as NativeId }))
  const { document } = planTrust(iam.settings, trust, leaving)
  const put = document === null ? null : await write(iam, other.name, document, gate)
  return put === null || put.ok ? refusal('entitlement-changed-identity', 'another-role-written') : changed
}

const mayStillArrive = ({ sent, verdict }: Failure): boolean => sent === 'sent' || verdict.kind === 'unknown'

const write = (iam: Iam, role: string, document: string, gate: Gate): Promise<Result<unknown>> =>
  iam.transport.write(
    iam.bucket,
    (options) =>
      iam.client.send(new UpdateAssumeRolePolicyCommand({ RoleName: role, PolicyDocument: document }), options),
    gate,
  )

const isWritten = (trust: Trust | null, people: ReadonlySet<string>): boolean =>
  trust?.isAsWritten === true &&
  trust.people.size === people.size &&
  [...people].every((name) => trust.people.has(name))

const formOf = (role: Role | null): string => {
  if (role === null) return ''
  try {
    return `${role.id} ${canonical(JSON.parse(role.trust))}`
  } catch {
    return `${role.id} ${role.trust}`
  }
}
