import type { Plan } from '../domain/action.ts'
import type { Decision } from '../domain/decision.ts'
import type { EntitlementId } from '../domain/ids.ts'
import type { Instant } from '../domain/instant.ts'
import type { EvaluationFacts, IndirectFact } from '../store/evaluation-facts.ts'
import type { ActivePolicy } from './policy-book.ts'

/**
 * Of what is held indirectly: what a human should see, because no policy gives it and no action of ours ends it. Each
 * entitlement once. Of a leaver only what a read after the last revoke still shows: most of it goes with the direct groups.
 */
export const explainIndirect = (
  { wanted }: Decision,
  plan: Plan,
  { indirect, accounts, open }: EvaluationFacts,
  policy: ActivePolicy,
  endedAt: Instant | null,
): readonly IndirectFact[] => {
  const isLeaving = (target: string) =>
    [...plan.create, ...open].some((action) => action.kind === 'revoke' && action.target === target)
  const isKnownSince = (target: string) =>
    accounts.some((account) => account.target === target && (account.indirectReadAt ?? 0) >= (endedAt ?? 0))
  const told = indirect.filter(
    ({ entitlement, target }) =>
      policy.entitlements.get(entitlement as EntitlementId)?.managed === true &&
      !wanted.some((assignment) => assignment.entitlement === entitlement) &&
      (endedAt === null || (isKnownSince(target) && !isLeaving(target))),
  )
  return [...new Map(told.map((one) => [one.entitlement, one])).values()]
}
