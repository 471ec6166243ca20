import {
  DescribeAccountAssignmentCreationStatusCommand,
  DescribeAccountAssignmentDeletionStatusCommand,
} from '@aws-sdk/client-sso-admin'
import type { Outcome, RefusalReason } from '../../domain/outcome.ts'
import { causeOf, isMissing, type Result, retry } from '../aws-wire/errors.ts'
import { sideBySide } from '../aws-wire/side-by-side.ts'
import { notSo, type PendingOperation } from '../connector.ts'
import { placesOf } from './assignment.ts'
import type { Aws } from './aws.ts'
import { type Asked, pollSessions } from './end-sessions.ts'
import { parseLookup } from './entitlement.ts'
import { failuresInMs, hasFailed } from './failed-deletions.ts'
import { type Handle, readHandle, writeHandle } from './handle.ts'
import { isAtWork, isInProgress, isOver, noteRequest } from './in-progress.ts'
import { settleMs } from './manifest.ts'
import { settlingPollMs } from './membership.ts'
import { asTold, observe } from './observe.ts'
import type { Request } from './requests.ts'
import { nextLookMs } from './usual-time.ts'
import { placeMs } from './wait-for-place.ts'

export const poll = (aws: Aws, pending: readonly PendingOperation[]): Promise<readonly Outcome[]> => {
  const asked: Asked = new Map()
  return sideBySide(pending, async (one) => {
    const handle = readHandle(one.handle)
    if (handle === null) return asTold((await observe(aws, [one.operation]))[0] ?? retry('not-begun'))
    switch (handle.kind) {
      case 'creation':
      case 'deletion':
        return pollAssignment(aws, one, handle)
      case 'settling':
        return settle(aws, one, handle.until)
      case 'provisioning':
        return asTold(await pollSessions(aws, one, handle, asked))
      default:
        return handle satisfies never
    }
  })
}

/** What a read says now; a change that AWS confirmed and no read shows is «not yet» until the time is over. */
const settle = async (aws: Aws, { operation, handle }: PendingOperation, until: number): Promise<Outcome> => {
  const [seen = retry('not-begun')] = await observe(aws, [operation])
  if (seen.kind === 'done') return { ...seen, changed: true, evidence: { ...seen.evidence, code: '0' } }
  const isNotYet = seen.kind === 'retry' && aws.tools.now() < until
  return isNotYet ? { kind: 'pending', handle, pollAfterMs: settlingPollMs } : seen
}

type Status = { readonly Status?: string | undefined; readonly FailureReason?: string | undefined } | undefined

type AssignmentHandle = Extract<Handle, { kind: 'creation' | 'deletion' }>

const pollAssignment = async (aws: Aws, pending: PendingOperation, handle: AssignmentHandle): Promise<Outcome> => {
  const noted = noteRequest(aws, handle, awsAccountOf(pending))
  if (await isInProgress(aws, handle, noted)) return notYet(aws, handle, noted)
  if (noted.isOver && noted.isListed && handle.kind === 'deletion') {
    // One that failed may be gone all the same: somebody else was quicker. Its own status would say so at the price of a call.
    const waitMs = failuresInMs(aws, noted)
    if (waitMs > 0) return { kind: 'pending', handle: pending.handle, pollAfterMs: waitMs }
    if ((await hasFailed(aws, handle.request, noted)) === false) {
      const [gone = retry('not-begun')] = await observe(aws, [pending.operation])
      if (gone.kind === 'done') {
        await isOver(aws, handle.request, noted)
        return { ...gone, changed: true }
      }
    }
  }
  const status = await statusOf(aws, handle)
  if (!status.ok && !isMissing(status.failure, 'something')) return { kind: 'unknown', cause: causeOf(status.failure) }
  // AWS forgets old requests: then only the list tells.
  const said = status.ok ? status.value : undefined
  if (said?.Status === 'IN_PROGRESS') {
    await isAtWork(aws, noted, placesOf(aws, noted.awsAccount))
    return notYet(aws, handle, noted)
  }
  await isOver(aws, handle.request, noted)
  const [seen = retry('not-begun')] = await observe(aws, [pending.operation])
  if (seen.kind === 'done') {
    const changed = said?.Status === 'SUCCEEDED'
    return { ...seen, changed, evidence: { ...seen.evidence, code: changed ? '0' : '' } }
  }
  if (seen.kind !== 'retry') return seen
  if (said?.Status === 'FAILED') return failedBecause(said.FailureReason ?? '')
  // Confirmed, or forgotten by a replica that never knew it: a list that does not show it yet proves nothing so soon.
  const settling = writeHandle({ kind: 'settling', until: aws.tools.now() + settleMs })
  return { kind: 'pending', handle: settling, pollAfterMs: settlingPollMs }
}

const awsAccountOf = ({ operation }: PendingOperation): string => {
  const named = 'entitlement' in operation ? parseLookup(operation.entitlement.lookup) : null
  return named?.kind === 'assignment' ? named.accountId : ''
}

const notYet = async (
  { inProgress, tools }: Aws,
  handle: AssignmentHandle,
  { begunAt, place }: Request,
): Promise<Outcome> => {
  const age = Math.max(1, tools.now() - begunAt)
  // Its place would run out while AWS still works on it.
  if (age > placeMs / 2) await tools.budget.renew(place, placeMs)
  return {
    kind: 'pending',
    handle: writeHandle({ ...handle, place }),
    pollAfterMs: nextLookMs(inProgress.usual.ms(), age),
  }
}

const statusOf = async (aws: Aws, { kind, request }: AssignmentHandle): Promise<Result<Status>> => {
  const InstanceArn = aws.settings.instanceArn
  return aws.transport.read<Status>(aws.families.ssoAdmin, async (options) =>
    kind === 'creation'
      ? (
          await aws.clients.ssoAdmin.send(
            new DescribeAccountAssignmentCreationStatusCommand({
              InstanceArn,
              AccountAssignmentCreationRequestId: request,
            }),
            options,
          )
        ).AccountAssignmentCreationStatus
      : (
          await aws.clients.ssoAdmin.send(
            new DescribeAccountAssignmentDeletionStatusCommand({
              InstanceArn,
              AccountAssignmentDeletionRequestId: request,
            }),
            options,
          )
        ).AccountAssignmentDeletionStatus,
  )
}

/** AWS documents no list of reasons. What plainly asks for a human is refused; the rest is tried again. */
const reasons: readonly (readonly [RegExp, RefusalReason, string])[] = [
  [/access ?denied|not authorized|unauthorized|forbidden/i, 'not-allowed', 'assignment-denied'],
  [/limit ?exceeded|quota|cannot exceed/i, 'limit', 'assignment-limit'],
]

const failedBecause = (reason: string): Outcome => {
  const row = reasons.find(([pattern]) => pattern.test(reason))
  const message = reason === '' ? {} : { message: reason }
  if (row === undefined) return { kind: 'retry', cause: { code: 'FAILED', word: notSo, ...message } }
  return { kind: 'refused', reason: row[1], cause: { code: 'FAILED', word: row[2], ...message } }
}
