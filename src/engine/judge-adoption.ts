import type { Decision } from '../domain/decision.ts'
import type { IdentityAt } from '../domain/identity.ts'
import type { TargetRules } from '../domain/target.ts'
import type { PresentGrant } from '../planning/plan-input.ts'
import type { EvaluationFacts } from '../store/evaluation-facts.ts'
import { isFought } from './judge-observed.ts'
import type { ActivePolicy } from './policy-book.ts'

/**
 * What `drift: adopt` makes wanted: access that somebody was let into behind our back, where Muster enforces, of a person who
 * has access. Not what no human should find wanted one day: what would stand in a conflict, what Muster itself has taken
 * away before or a human has ended, what somebody fights over, what is protected or in doubt, and what a call is about.
 */
export const takenOver = (
  grants: readonly PresentGrant[],
  { wanted, violations, verdicts }: Decision,
  at: IdentityAt,
  facts: EvaluationFacts,
  targets: readonly TargetRules[],
  policy: ActivePolicy,
): readonly PresentGrant[] => {
  if (at.leaver || !at.employments.some(({ givesAccess }) => givesAccess)) return []
  const adoptable = new Set(facts.grants.flatMap((grant) => (grant.adoptable === true ? [grant.entitlement] : [])))
  if (adoptable.size === 0) return []
  const inConflict = new Set([
    ...violations.flatMap(({ exception, sides }) =>
      exception === null ? sides.flatMap(({ entitlements }) => entitlements) : [],
    ),
    ...[...verdicts.values()].flatMap((verdict) => (verdict.kind === 'held' ? verdict.conflictsWith : [])),
  ])
  const settled = new Set<number>([
    ...wanted.map(({ entitlement }) => entitlement),
    ...facts.adopted.map(({ entitlement }) => entitlement),
    ...facts.open.flatMap(({ entitlement }) => entitlement ?? []),
  ])
  return grants.filter(
    ({ entitlement, target, managed, found, indirect, protected: untouchable }) =>
      managed &&
      found === true &&
      !indirect &&
      !untouchable &&
      adoptable.has(entitlement) &&
      policy.entitlements.get(entitlement)?.drift === 'adopt' &&
      targets.some(({ id, mode }) => id === target && mode === 'enforce') &&
      !settled.has(entitlement) &&
      !inConflict.has(entitlement) &&
      !isFought(entitlement, facts.drift),
  )
}
