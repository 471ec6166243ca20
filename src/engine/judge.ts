import canonicalize from 'canonicalize'
import type { Connector } from '../connectors/connector.ts'
import type { Plan } from '../domain/action.ts'
import type { Decision } from '../domain/decision.ts'
import { fold, identityAt } from '../domain/fold.ts'
import type { IdentityHistory } from '../domain/identity.ts'
import type { AccountId, ActionId, EntitlementId, PersonKey, TargetId } from '../domain/ids.ts'
import { contains, type Instant } from '../domain/instant.ts'
import type { TargetRules } from '../domain/target.ts'
import type { AttributeValue } from '../domain/worker-event.ts'
import { planChanges, planIsEmpty } from '../planning/plan-changes.ts'
import type { PresentGrant } from '../planning/plan-input.ts'
import type { CompiledPolicy } from '../policies/compile.ts'
import { evaluate } from '../policies/evaluate.ts'
import { lostAdoptions } from '../policies/lost-adoptions.ts'
import type { PolicyWindow } from '../policies/timeline.ts'
import type { EvaluationFacts, HoldFact } from '../store/evaluation-facts.ts'
import type { DueIdentity } from '../store/work-queue.ts'
import { takenOver } from './judge-adoption.ts'
import { explainDrift, explainFound } from './judge-found.ts'
import { explainIndirect } from './judge-indirect.ts'
import { absentOn, adoptedOf, keptByAdoption, onlyReported, presentGrants, presentOf } from './judge-observed.ts'
import type { Judged } from './judged.ts'
import type { ActivePolicy } from './policy-book.ts'
import { profileAt } from './profile.ts'
import { readsIndirect } from './read-indirect.ts'

const nothing: ReadonlySet<EntitlementId> = new Set()

/** What decides what is wanted now. */
const judgeOfNow = ({ policies }: ActivePolicy): CompiledPolicy => (policies.at(-1) as PolicyWindow).policy

export type JudgeContext = {
  readonly policy: ActivePolicy
  readonly targets: readonly TargetRules[]
  readonly connectors: ReadonlyMap<TargetId, Connector>
}

/** Pure but for what the connectors' attribute mapping hashes: the same facts give the same answer. */
export const judge = (identity: DueIdentity, facts: EvaluationFacts, context: JudgeContext): Judged => {
  const { judged, grants } = judgeAs(identity, facts, context)
  const taken = takenOver(grants, judged.decision, judged.at, facts, context.targets, context.policy)
  if (taken.length === 0) return judged
  // What is adopted is a wish from now on: all that follows from it is decided with it.
  const adopted = taken.map(({ entitlement, target }) => ({
    entitlement,
    target,
    from: identity.now,
    to: null,
    takenBy: null,
  }))
  const again = judgeAs(identity, { ...facts, adopted: [...facts.adopted, ...adopted] }, context)
  return { ...again.judged, takeOver: taken.map(({ entitlement }) => entitlement) }
}

const judgeAs = (
  identity: DueIdentity,
  facts: EvaluationFacts,
  context: JudgeContext,
): { readonly judged: Judged; readonly grants: readonly PresentGrant[] } => {
  const now = identity.now as Instant
  const history = fold(facts.events)
  const at = identityAt(history, now)
  const profile = profileAt(history, at, now)
  const leaveHeardAt = at.leaver ? leaveHeard(identity, facts) : null
  const endedAt = leaveHeardAt === null ? null : leaverSince(history, now, leaveHeardAt)
  const grants = presentGrants(facts, context.policy, context.targets)
  const decision = evaluate({
    history,
    personKey: identity.person_key as PersonKey,
    policies: context.policy.policies,
    now,
    present: presentOf(context.targets, grants, facts),
    adopted: adoptedOf(facts),
  })
  const plan = planChanges({
    now,
    at,
    endedAt,
    decision,
    targets: context.targets,
    accounts: facts.accounts.map(
      ({ id, target, enabled, attributesHash, grantsReadAt, indirectReadAt, sessionsEndedAt, goneAt }) => ({
        id: id as AccountId,
        target: target as TargetId,
        // A leaver's account counts as never read until its grants were read since the leave, and since we heard of it:
        // disable reads them.
        enabled: endedAt !== null && (grantsReadAt ?? 0) < Math.max(endedAt, leaveHeardAt ?? 0) ? null : enabled,
        attributesHash,
        indirectUnread: indirectReadAt === null && readsIndirect(context.connectors.get(target as TargetId)) === true,
        sessionsEnded: endedAt !== null && (sessionsEndedAt ?? 0) >= endedAt,
        gone: goneAt !== null,
      }),
    ),
    wantedAttributes: profile === null ? new Map() : wantedAttributes(profile, facts, context),
    grants,
    missing: onlyReported(facts, context.policy),
    lost:
      facts.adopted.length === 0
        ? nothing
        : lostAdoptions(decision.wanted, keptByAdoption(facts, context.policy), judgeOfNow(context.policy)),
    open: facts.open,
    absent: absentOn(profile, facts, endedAt ?? now, context.connectors),
    inverseSent: new Set(facts.open.flatMap(({ inverseOf }) => (inverseOf === null ? [] : [inverseOf as ActionId]))),
  })
  const planChanged = !planIsEmpty(plan)
  const next = decision.nextChangeAt
  const holds = reconcileHolds(plan, facts)
  const judged: Judged = {
    identity,
    at,
    decision,
    takeOver: [],
    plan,
    planChanged,
    planVersion: identity.plan_version + (planChanged ? 1 : 0),
    workDueAt: earliest(next, deletionDue(facts, endedAt, now, context.targets)),
    lane: at.leaver || (next !== null && identityAt(history, next).leaver) ? 'leaver' : 'bulk',
    endedAt,
    leaveHeardAt,
    urgent: isUrgent(history, now),
    profile,
    desired: desiredChange(decision, facts.desired),
    hadDesired: facts.desired !== null,
    desiredSince: facts.desiredSince,
    ...holds,
    ...explainFound(grants, decision, at, plan, facts, context.targets),
    ...explainDrift(grants, decision, plan, facts, context.policy),
    indirect: explainIndirect(decision, plan, facts, grants, context.targets, endedAt, leaveHeardAt),
    staysOpen: context.targets.flatMap(({ id, mode, disable }) =>
      mode === 'enforce' &&
      disable === 'none' &&
      !at.accountsEnabled &&
      !at.leaver &&
      facts.accounts.some(({ target }) => target === id)
        ? [id]
        : [],
    ),
    adoptionsEnded: facts.adopted.flatMap(({ entitlement, to }) =>
      to !== null && to > (identity.evaluated_at ?? 0) ? [entitlement] : [],
    ),
    heldBefore: facts.grants.map(({ entitlement }) => entitlement),
  }
  return { judged, grants }
}

const lookAgainMs = 3_600_000

/** When the first account of a leaver is to be deleted, or looked at again. */
const deletionDue = (
  { accounts }: EvaluationFacts,
  endedAt: Instant | null,
  now: Instant,
  targets: readonly TargetRules[],
): Instant | null => {
  if (endedAt === null) return null
  const times = targets.flatMap(({ id, deleteAfterMs }) =>
    deleteAfterMs !== null && accounts.some(({ target }) => target === id) ? [endedAt + deleteAfterMs] : [],
  )
  // What could not be deleted in its time (something was still held) is looked at again.
  const coming = times.map((time) => (time > now ? time : now + lookAgainMs))
  return coming.length === 0 ? null : (Math.min(...coming) as Instant)
}

const earliest = (one: Instant | null, other: Instant | null): Instant | null =>
  one === null || other === null ? (one ?? other) : (Math.min(one, other) as Instant)

/** An account that is there is never renamed; of one that is not, the name is part of what is wanted. */
const wantedAttributes = (
  profile: Readonly<Record<string, AttributeValue>>,
  { accounts }: EvaluationFacts,
  { connectors }: JudgeContext,
): ReadonlyMap<TargetId, string> =>
  new Map(
    [...connectors].map(([target, { attributesHash, creationHash }]) => [
      target,
      (accounts.some((account) => account.target === target) ? attributesHash : creationHash)(profile),
    ]),
  )

/** Whatever HR says later of somebody who has left is no news of the leave: a change of their cost centre shuts nobody again. */
const leaveHeard = ({ leave_heard_at }: DueIdentity, { events }: EvaluationFacts): number =>
  leave_heard_at ?? Math.max(...events.map(({ receivedAt }) => receivedAt))

/**
 * The first moment from which the person has been a leaver without a break. Somebody of whom all was rescinded has no such
 * moment in valid time: they are one since HR said so, and not since now, which would be another moment at every look.
 */
const leaverSince = (history: IdentityHistory, now: Instant, heardAt: number): Instant => {
  let since = Math.min(now, heardAt) as Instant
  for (const point of history.changePoints.filter((candidate) => candidate <= now).reverse()) {
    if (!identityAt(history, point).leaver) break
    since = point
  }
  return since
}

/** Somebody ended an employment at once (involuntary, or `urgency: immediate`), or asks for haste otherwise. */
export const isUrgent = (history: IdentityHistory, now: Instant): boolean =>
  history.employments.some(
    ({ snapshots, endedAtOnce }) =>
      endedAtOnce.some((span) => contains(span, now)) || snapshots.at(-1)?.event.urgency === 'immediate',
  )

const desiredChange = (decision: Decision, stored: string | null): Judged['desired'] => {
  const assignments = decision.timeline.map(({ entitlement, interval, reasons }) => ({
    e: entitlement,
    from: interval.from,
    to: interval.to,
    reasons,
  }))
  if (stored === null && assignments.length === 0) return null
  if (stored !== null && canonicalize(JSON.parse(stored)) === canonicalize(assignments)) return null
  return { assignments: JSON.stringify(assignments), entitlements: [...new Set(assignments.map(({ e }) => e))] }
}

const sameHold = (a: HoldFact, b: HoldFact): boolean =>
  a.entitlement === b.entitlement &&
  a.policies.join('\n') === b.policies.join('\n') &&
  a.conflictsWith.join() === b.conflictsWith.join()

const reconcileHolds = (plan: Plan, facts: EvaluationFacts): Pick<Judged, 'holdsToOpen' | 'holdsToClose'> => ({
  holdsToOpen: plan.held.filter(
    (held) =>
      !facts.holds.some((hold) => sameHold(hold, held)) && !facts.rejected.some((rejected) => sameHold(rejected, held)),
  ),
  holdsToClose: facts.holds
    .filter((hold) => !plan.held.some(({ entitlement }) => entitlement === hold.entitlement))
    .map(({ id }) => id),
})
