import {
  type AccountAssignmentOperationStatus,
  CreateAccountAssignmentCommand,
  DeleteAccountAssignmentCommand,
} from '@aws-sdk/client-sso-admin'
import type { NativeId } from '../../domain/ids.ts'
import type { Outcome } from '../../domain/outcome.ts'
import { outcomeOfRead, outcomeOfWrite, refusal, retry } from '../aws-wire/errors.ts'
import { sideBySide } from '../aws-wire/side-by-side.ts'
import type { Gate } from '../aws-wire/transport.ts'
import type { Place } from '../budget.ts'
import { assignedUsers, hadLately } from './assignment-list.ts'
import type { Aws } from './aws.ts'
import { assignmentNativeId } from './entitlement.ts'
import { writeHandle } from './handle.ts'
import type { AssignmentTarget } from './identify.ts'
import { accountFreeInMs, anyFreeInMs, lookEveryMs, lookForPlaces, noteRequest } from './in-progress.ts'
import { readUsers } from './users.ts'
import { nextLookMs } from './usual-time.ts'
import { giveBack, placeMs, waitForPlace } from './wait-for-place.ts'

export type AssignmentChange = { readonly index: number; readonly op: 'grant' | 'revoke'; readonly account: NativeId }

/** User guide, limits: outstanding assignments, not raisable; one IAM role of an AWS account is updated at a time. */
const outstandingAtMost = 15
/** Of these, what bulk work may hold: a leaver finds one free. */
const bulkAtMost = 12
/** So long a call waits in line for a place, then it comes again: others of its lane must get on. */
const inLineMs = 1_000
/** Whoever has waited in vain is soon in line again. */
const afterLineMs = 500
/** Changes are over in seconds, whenever a forgotten place expires. */
const fullMs = 1_000
const fullAtMostMs = 30_000
/** AWS says that the account is being changed, by somebody else: our own are serialised. */
const busyMs = 2_000
const quotaMs = 30_000

export const assignmentEvidence = (account: NativeId, target: AssignmentTarget, code: string) => ({
  read: 'account-assignment',
  code,
  account,
  entitlement: assignmentNativeId(target.accountId, target.permissionSetArn),
})

export type ChangesOfOne = { readonly target: AssignmentTarget; readonly changes: readonly AssignmentChange[] }

/** Changes, by permission set and AWS account. What found no place waits in line when all others have begun, the first of each. */
export const changeAssignments = async (
  aws: Aws,
  all: readonly ChangesOfOne[],
  gate: Gate,
): Promise<ReadonlyMap<number, Outcome>> => {
  const outcomes = new Map<number, Outcome>()
  const placeless: ChangesOfOne[] = []
  await sideBySide(all, async ({ target, changes }) => {
    const changed = await changeThese(aws, { target, changes }, gate, 0)
    for (const [index, outcome] of changed.outcomes) outcomes.set(index, outcome)
    if (changed.placeless !== undefined) placeless.push({ target, changes: [changed.placeless] })
  })
  await Promise.all(
    placeless.map(async (one) => {
      for (const [index, outcome] of (await changeThese(aws, one, gate, inLineMs)).outcomes)
        outcomes.set(index, outcome)
    }),
  )
  return outcomes
}

/** Who must wait for a place has cost no call; then one list tells who has it already, if that was not read a moment ago. */
const changeThese = async (
  aws: Aws,
  { target, changes }: ChangesOfOne,
  gate: Gate,
  waitsMs: number,
): Promise<{ readonly outcomes: ReadonlyMap<number, Outcome>; readonly placeless: AssignmentChange | undefined }> => {
  const outcomes = new Map<number, Outcome>()
  let placeless: AssignmentChange | undefined
  let list: ReturnType<typeof assignedUsers> | undefined
  for (const change of changes) {
    const { index, op, account } = change
    const before = async (): Promise<Outcome | null> => {
      if (list === undefined && hadLately(aws, target, account) === (op === 'revoke')) return null
      const read = await (list ??= assignedUsers(aws, target))
      if (!read.ok) return outcomeOfRead(read.failure)
      if (read.value === null) return refusal('entitlement-missing', 'no-such-permission-set')
      return read.value.has(account) === (op === 'grant')
        ? { kind: 'done', changed: false, evidence: assignmentEvidence(account, target, '') }
        : null
    }
    if (gate.signal.aborted) {
      outcomes.set(index, retry('lease'))
      continue
    }
    const place = await placeFor(aws, target, gate.signal, waitsMs)
    if (!place.ok) placeless ??= change
    outcomes.set(
      index,
      place.ok ? await request(aws, target, change, { place: place.id, before, gate }) : place.outcome,
    )
  }
  return { outcomes, placeless }
}

type PlaceFor = { readonly ok: true; readonly id: string } | { readonly ok: false; readonly outcome: Outcome }

/** That a change of this AWS account takes. */
export const placesOf = ({ tools: { lane } }: Aws, accountId: string): readonly Place[] => [
  { name: `account:${accountId}`, max: 1 },
  { name: 'assignments', max: outstandingAtMost },
  ...(lane === 'bulk' ? [{ name: 'assignments-bulk', max: bulkAtMost }] : []),
]

const placeFor = async (
  aws: Aws,
  { accountId }: AssignmentTarget,
  signal: AbortSignal,
  waitsMs: number,
): Promise<PlaceFor> => {
  const { budget, lane } = aws.tools
  const places = placesOf(aws, accountId)
  const freeInMs = () =>
    Math.max(accountFreeInMs(aws, accountId), anyFreeInMs(aws, lane === 'bulk' ? bulkAtMost : outstandingAtMost))
  let place = await budget.occupy(places, placeMs)
  const waited = !place.ok && freeInMs() < waitsMs
  if (waited)
    place = await waitForPlace(aws, places, place, {
      ms: waitsMs,
      signal,
      everyMs: lookEveryMs,
      look: () => lookForPlaces(aws),
    })
  if (place.ok) return place
  const retryAfterMs = Math.min(place.waitMs, fullAtMostMs, Math.max(waited ? afterLineMs : fullMs, freeInMs()))
  return { ok: false, outcome: { kind: 'throttled', retryAfterMs, scope: 'assignments' } }
}

type Held = {
  readonly place: string
  /** What is known without a change; null: it is to be made. */
  readonly before: () => Promise<Outcome | null>
  readonly gate: Gate
}

const request = async (
  aws: Aws,
  target: AssignmentTarget,
  { op, account }: AssignmentChange,
  { place, before, gate }: Held,
): Promise<Outcome> => {
  const known = await before()
  if (known !== null) {
    await giveBack(aws, place)
    return known
  }
  const input = {
    InstanceArn: aws.settings.instanceArn,
    TargetId: target.accountId,
    TargetType: 'AWS_ACCOUNT',
    PermissionSetArn: target.permissionSetArn,
    PrincipalType: 'USER',
    PrincipalId: account,
  } as const
  const written = await aws.transport.write<AccountAssignmentOperationStatus | undefined>(
    aws.families.ssoAdmin,
    async (options) =>
      op === 'grant'
        ? (await aws.clients.ssoAdmin.send(new CreateAccountAssignmentCommand(input), options))
            .AccountAssignmentCreationStatus
        : (await aws.clients.ssoAdmin.send(new DeleteAccountAssignmentCommand(input), options))
            .AccountAssignmentDeletionStatus,
    gate,
  )
  const requestId = written.ok ? written.value?.RequestId : undefined
  if (requestId !== undefined) {
    const kind = op === 'grant' ? 'creation' : 'deletion'
    const handle = { kind, request: requestId, place, begun: aws.tools.now() } as const
    noteRequest(aws, handle, target.accountId)
    return { kind: 'pending', handle: writeHandle(handle), pollAfterMs: nextLookMs(aws.inProgress.usual.ms(), 0) }
  }
  if (written.ok) return { kind: 'unknown', cause: { code: '', word: 'no-request-id' } }
  const { failure } = written
  // What may have begun keeps its place until it is over, at the latest after `placeMs`.
  const outcome = outcomeOfWrite(failure)
  if (outcome.kind === 'unknown') return outcome
  await giveBack(aws, place)
  if (failure.word === 'conflict')
    return { kind: 'retry', retryAfterMs: busyMs, cause: { code: failure.code, word: 'account-busy' } }
  // Also said while too many are outstanding, which others than Muster may be the cause of.
  if (failure.word === 'quota')
    return { kind: 'retry', retryAfterMs: quotaMs, cause: { code: failure.code, word: 'quota' } }
  if (failure.verdict.kind === 'throttled')
    return { kind: 'throttled', retryAfterMs: failure.retryAfterMs ?? busyMs, scope: 'assignments' }
  // sso-admin does not say what is missing: the permission set was there a moment ago, so it is the user or the account.
  if (failure.verdict.kind === 'missing') return missing(aws, account, failure.code)
  return outcome
}

const missing = async (aws: Aws, account: NativeId, code: string): Promise<Outcome> => {
  const user = await readUsers(aws, [account])
  if (!user.ok) return outcomeOfRead(user.failure)
  return user.value.has(account)
    ? { kind: 'refused', reason: 'entitlement-missing', cause: { code, word: 'no-such-aws-account' } }
    : { kind: 'refused', reason: 'account-missing', cause: { code, word: 'no-such-user' } }
}
