import {
  type AccountAssignmentOperationStatus,
  CreateAccountAssignmentCommand,
  DeleteAccountAssignmentCommand,
} from '@aws-sdk/client-sso-admin'
import type { NativeId } from '../../domain/ids.ts'
import type { Outcome } from '../../domain/outcome.ts'
import { outcomeOfRead, outcomeOfWrite, refusal, retry } from '../aws-wire/errors.ts'
import type { Gate } from '../aws-wire/transport.ts'
import { assignedUsers, hadLately } from './assignment-list.ts'
import type { Aws } from './aws.ts'
import { assignmentNativeId } from './entitlement.ts'
import { writeHandle } from './handle.ts'
import type { AssignmentTarget } from './identify.ts'
import { readUsers } from './users.ts'

export type AssignmentChange = { readonly index: number; readonly op: 'grant' | 'revoke'; readonly account: NativeId }

/** User guide, limits: outstanding assignments, not raisable; one IAM role of an AWS account is updated at a time. */
const outstandingAtMost = 15
/** Of these, what bulk work may hold: a leaver finds one free. */
const bulkAtMost = 12
/** Changes are over in seconds, whenever a forgotten place expires. */
const fullMs = 1_000
/** A place that nobody gives back is free again after this. */
const placeMs = 60_000
export const assignmentPollMs = 1_000
/** AWS says that the account is being changed, by somebody else: our own are serialised. */
const busyMs = 2_000
const quotaMs = 30_000

export const assignmentEvidence = (account: NativeId, target: AssignmentTarget, code: string) => ({
  read: 'account-assignment',
  code,
  account,
  entitlement: assignmentNativeId(target.accountId, target.permissionSetArn),
})

/**
 * Changes of one permission set on one AWS account. Who must wait for a place has cost no call; then one list tells who has it
 * already, if that was not read a moment ago.
 */
export const changeAssignments = async (
  aws: Aws,
  target: AssignmentTarget,
  changes: readonly AssignmentChange[],
  gate: Gate,
): Promise<ReadonlyMap<number, Outcome>> => {
  const outcomes = new Map<number, Outcome>()
  let list: ReturnType<typeof assignedUsers> | undefined
  for (const change of changes) {
    const { index, op, account } = change
    /** null: it is to be changed. */
    const before = async (): Promise<Outcome | null> => {
      if (list === undefined && hadLately(aws, target, account) === (op === 'revoke')) return null
      const read = await (list ??= assignedUsers(aws, target))
      if (!read.ok) return outcomeOfRead(read.failure)
      if (read.value === null) return refusal('entitlement-missing', 'no-such-permission-set')
      return read.value.has(account) === (op === 'grant')
        ? { kind: 'done', changed: false, evidence: assignmentEvidence(account, target, '') }
        : null
    }
    outcomes.set(index, await request(aws, target, change, before, gate))
  }
  return outcomes
}

const request = async (
  aws: Aws,
  target: AssignmentTarget,
  { op, account }: AssignmentChange,
  before: () => Promise<Outcome | null>,
  gate: Gate,
): Promise<Outcome> => {
  if (gate.signal.aborted) return retry('lease')
  const { budget, lane } = aws.tools
  const place = await budget.occupy(
    [
      { name: `account:${target.accountId}`, max: 1 },
      { name: 'assignments', max: outstandingAtMost },
      ...(lane === 'bulk' ? [{ name: 'assignments-bulk', max: bulkAtMost }] : []),
    ],
    placeMs,
  )
  if (!place.ok) return { kind: 'throttled', retryAfterMs: Math.min(place.waitMs, fullMs), scope: 'assignments' }
  const known = await before()
  if (known !== null) {
    await budget.vacate(place.id)
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
    return {
      kind: 'pending',
      handle: writeHandle({ kind, request: requestId, place: place.id }),
      pollAfterMs: assignmentPollMs,
    }
  }
  if (written.ok) return { kind: 'unknown', cause: { code: '', word: 'no-request-id' } }
  const { failure } = written
  // What may have begun keeps its place until it is over, at the latest after `placeMs`.
  const outcome = outcomeOfWrite(failure)
  if (outcome.kind === 'unknown') return outcome
  await budget.vacate(place.id)
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
