import type { ActionCause, NewAction } from '../domain/action.ts'
import type { TargetId } from '../domain/ids.ts'
import { decisionCause, policyIsNew } from './decision-entry.ts'
import type { Judged } from './judged.ts'
import type { ActivePolicy } from './policy-book.ts'

/**
 * What brought this action. An evaluation may answer several causes at once: what was let in behind Muster goes for that, whatever made
 * somebody look. `changedAt`: when mode or settings of a target were last changed, ms.
 */
export const actionCause = (
  { kind, target, entitlement, reason }: Pick<NewAction, 'kind' | 'target' | 'entitlement' | 'reason'>,
  judged: Judged,
  policy: Pick<ActivePolicy, 'version'>,
  changedAt: ReadonlyMap<TargetId, number>,
): ActionCause => {
  if (reason.kind === 'drift') return { kind: 'drift' }
  if (reason.kind === 'no-longer-assigned' && judged.adoptionsEnded.some((ended) => ended === entitlement))
    return { kind: 'adoption-ended' }
  const { identity } = judged
  const { last_stream_id: stream, last_offset: offset } = identity
  const lastWord = stream === null || offset === null ? {} : { stream, offset }
  const version = policyIsNew(identity, policy) ? { policy: policy.version } : {}
  switch (decisionCause(judged, policy)) {
    case 'event':
      return { kind: 'event', ...version, ...lastWord }
    case 'policy':
      return { kind: 'policy', ...version }
    case 'timer':
    case 'outcome':
      if (hasComeDue(entitlement, judged)) return { kind: wasSaidLately(judged) ? 'event' : 'timer', ...lastWord }
      if ((changedAt.get(target) ?? 0) > (identity.evaluated_at ?? 0)) return { kind: 'target' }
      return { kind: kind === 'deleteAccount' ? 'timer' : 'observed', ...lastWord }
  }
}

const dayMs = 86_400_000

/** HR spoke within a day, and what was wanted changed since: a feed that is wrong names tomorrow as well as today. */
const wasSaidLately = ({ identity, desiredSince }: Judged): boolean => {
  const dayAgo = identity.now - dayMs
  return (identity.last_appended_at ?? 0) > dayAgo && (desiredSince ?? identity.now) > dayAgo
}

/** Only time has passed, and with it what was known before: an employment began or ended, or the assignment did. */
const hasComeDue = (entitlement: NewAction['entitlement'], { identity, at, decision }: Judged): boolean => {
  const since = identity.evaluated_at ?? 0
  const isPassed = (moment: number | null) => moment !== null && moment > since && moment <= identity.now
  return (
    identity.lifecycle !== at.lifecycle ||
    identity.leaver !== at.leaver ||
    decision.timeline.some(
      (one) => one.entitlement === entitlement && (isPassed(one.interval.from) || isPassed(one.interval.to)),
    )
  )
}
