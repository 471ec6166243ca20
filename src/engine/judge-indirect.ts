import type { Plan } from '../domain/action.ts'
import type { Decision } from '../domain/decision.ts'
import type { EntitlementId } from '../domain/ids.ts'
import type { Instant } from '../domain/instant.ts'
import { isKept } from '../domain/outcome.ts'
import type { TargetRules } from '../domain/target.ts'
import type { PresentGrant } from '../planning/plan-input.ts'
import type { EvaluationFacts, IndirectFact, IndirectRead } from '../store/evaluation-facts.ts'

/** A rule or a sync takes a leaver out of most by itself, in its own time: the leave check an hour on is after it. */
const keepersTimeMs = 1_800_000

/**
 * Of what is held indirectly: what a human should see, because no policy gives it and no action of ours ends it. Each
 * entitlement once. Of a leaver only what a read after the last revoke still shows: most of it goes with the direct groups; and what a rule or another
 * directory keeps beyond its time, known to the catalogue or not where the leaver is to keep nothing.
 */
export const explainIndirect = (
  { wanted }: Decision,
  plan: Plan,
  { indirect, accounts, open }: EvaluationFacts,
  grants: readonly PresentGrant[],
  targets: readonly TargetRules[],
  endedAt: Instant | null,
  heardAt: number | null,
): readonly IndirectFact[] => {
  const isLeaving = (target: string) =>
    [...plan.create, ...open].some((action) => action.kind === 'revoke' && action.target === target)
  /** HR may tell of a leave long afterwards: their time begins when the account was shut, and that was not before we heard of it. */
  const shutAt = (target: string) =>
    Math.max(
      endedAt ?? 0,
      heardAt ?? 0,
      ...accounts.flatMap((one) => (one.target === target ? (one.sessionsEndedAt ?? 0) : [])),
    )
  const standing = new Map(grants.flatMap((grant) => (grant.indirect ? [[grant.entitlement, grant] as const] : [])))
  const keepsNothing = new Set<string>(targets.flatMap((one) => (one.leaverUnmanaged === 'remove' ? [one.id] : [])))
  const isTold = (one: IndirectFact & IndirectRead) => {
    const known = standing.get(one.entitlement as EntitlementId)
    const managed = known?.managed === true
    if (endedAt === null) return managed
    if (!isKept(one)) return managed && one.readAt >= endedAt && !isLeaving(one.target)
    const mayStay = known?.protected === true || !(managed || keepsNothing.has(one.target))
    return !mayStay && one.readAt >= shutAt(one.target) + keepersTimeMs
  }
  const told = indirect.filter(
    (one) => !wanted.some((assignment) => assignment.entitlement === one.entitlement) && isTold(one),
  )
  return [...new Map(told.map((one) => [one.entitlement, one])).values()]
}
