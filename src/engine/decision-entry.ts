import { auditEntry } from '../audit/entry.ts'
import type { NewAction } from '../domain/action.ts'
import type { AuditEntry } from '../domain/audit-entry.ts'
import type { DueIdentity } from '../store/work-queue.ts'
import type { Judged } from './judged.ts'
import type { ActivePolicy } from './policy-book.ts'

/** What made this evaluation happen, as far as the identity's row tells. */
export type DecisionCause = 'event' | 'policy' | 'timer' | 'outcome'

export const decisionCause = (judged: Judged, policy: Pick<ActivePolicy, 'version'>): DecisionCause => {
  const { events_seen, events_folded } = judged.identity
  if (events_seen > events_folded) return 'event'
  if (policyIsNew(judged.identity, policy)) return 'policy'
  return judged.plan.create.some(({ reason }) => reason.kind === 'inverse-of-claimed') ? 'outcome' : 'timer'
}

/** Somebody who was judged before is judged by this version for the first time. */
export const policyIsNew = (
  { evaluated_policy }: Pick<DueIdentity, 'evaluated_policy'>,
  { version }: Pick<ActivePolicy, 'version'>,
): boolean => evaluated_policy !== null && evaluated_policy !== version

/** A decision is told when it says something: new events folded, or anything that changed by it. */
export const isTold = (judged: Judged): boolean =>
  judged.identity.events_seen > judged.identity.events_folded ||
  judged.planChanged ||
  judged.desired !== null ||
  judged.holdsToOpen.length > 0 ||
  judged.holdsToClose.length > 0

export const decisionEntry = (
  judged: Judged,
  decision: number,
  created: readonly (NewAction & { readonly id: number })[],
  policy: ActivePolicy,
): AuditEntry => {
  const { identity, plan } = judged
  const cause = decisionCause(judged, policy)
  const inbox =
    identity.last_stream_id === null || identity.last_offset === null
      ? null
      : { streamId: identity.last_stream_id, offset: identity.last_offset }
  const key = (id: number) => policy.entitlements.get(id as never)?.key ?? null
  return auditEntry(
    'decision',
    identity.now,
    { subjectRef: identity.subject_ref, decisionId: decision, inbox: cause === 'event' ? inbox : null },
    {
      subject: identity.subject_ref,
      decision,
      actor: { type: 'engine' },
      planVersion: judged.planVersion,
      policy: { version: policy.version, hash: policy.hash },
      cause: {
        kind: cause,
        ...(cause === 'event' && inbox !== null ? { stream: inbox.streamId, offset: inbox.offset } : {}),
      },
      lifecycle: judged.at.lifecycle,
      leaver: judged.at.leaver,
      ...(judged.endedAt === null ? {} : { endedAt: new Date(judged.endedAt).toISOString() }),
      actions: created.map((action) => ({
        id: action.id,
        kind: action.kind,
        target: action.target,
        entitlement: action.entitlement,
        key: action.entitlement === null ? null : key(action.entitlement),
        lane: action.lane,
        reason: action.reason,
      })),
      superseded: plan.supersede,
      held: plan.held.map((held) => ({ ...held, key: key(held.entitlement) })),
      violations: judged.decision.violations.map(({ policy: name, exception }) => ({ policy: name, exception })),
      before: { held: judged.heldBefore },
      after: { wanted: judged.decision.wanted.map(({ entitlement }) => entitlement) },
    },
  )
}
