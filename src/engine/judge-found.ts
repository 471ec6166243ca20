import type { Plan } from '../domain/action.ts'
import type { Decision, Violation } from '../domain/decision.ts'
import type { IdentityAt } from '../domain/identity.ts'
import type { EntitlementId } from '../domain/ids.ts'
import type { TargetRules } from '../domain/target.ts'
import type { PresentGrant } from '../planning/plan-input.ts'
import type { EvaluationFacts } from '../store/evaluation-facts.ts'
import { isFought } from './judge-observed.ts'
import type { ActivePolicy, KnownEntitlement } from './policy-book.ts'

/** Of what reads found: what a rule wants by now, and what a human should see. */
export const explainFound = (
  grants: readonly PresentGrant[],
  { wanted }: Decision,
  at: IdentityAt,
  plan: Plan,
  facts: EvaluationFacts,
  targets: readonly TargetRules[],
): { readonly adopt: readonly EntitlementId[]; readonly unexplained: readonly EntitlementId[] } => {
  // Before Muster enforces, no rule has given anything: what a draft wanted for a day is not taken away for it.
  const enforced = new Set(targets.flatMap(({ id, mode }) => (mode === 'enforce' ? [id] : [])))
  const isLeaving = (entitlement: EntitlementId) =>
    [...plan.create, ...facts.open].some((action) => action.kind === 'revoke' && action.entitlement === entitlement)
  const found = grants.filter(
    (grant) => grant.found === true && grant.managed && !(grant.reverted === true && isLeaving(grant.entitlement)),
  )
  // Of leavers only what came after they had left nothing behind, and stays.
  const came = new Set(facts.grants.flatMap(({ entitlement, appeared }) => (appeared ? [entitlement] : [])))
  const isTold = ({ entitlement }: PresentGrant) => !at.leaver || (came.has(entitlement) && !isLeaving(entitlement))
  const isWanted = ({ entitlement }: PresentGrant) =>
    wanted.some((assignment) => assignment.entitlement === entitlement)
  return {
    adopt: grants
      .filter((grant) => grant.found === true && grant.managed && enforced.has(grant.target) && isWanted(grant))
      .map(({ entitlement }) => entitlement),
    unexplained: found.filter((grant) => !isWanted(grant) && isTold(grant)).map(({ entitlement }) => entitlement),
  }
}

/** Of what changed behind our back: what a human should see. */
export const explainDrift = (
  grants: readonly PresentGrant[],
  { wanted }: Decision,
  plan: Plan,
  facts: EvaluationFacts,
  policy: ActivePolicy,
): { readonly missing: readonly EntitlementId[]; readonly fought: readonly EntitlementId[] } => {
  const isThere = (entitlement: EntitlementId) => grants.some((grant) => grant.entitlement === entitlement)
  const isComing = (entitlement: EntitlementId) =>
    plan.create.some((action) => action.kind === 'grant' && action.entitlement === entitlement) ||
    facts.open.some((action) => action.kind === 'grant' && action.entitlement === entitlement)
  const isWanted = (entitlement: EntitlementId) => wanted.some((assignment) => assignment.entitlement === entitlement)
  const drifted = facts.drift.map(({ entitlement, missingSince }) => ({
    entitlement: entitlement as EntitlementId,
    missingSince,
  }))
  return {
    missing: drifted.flatMap(({ entitlement, missingSince }) =>
      missingSince !== null && isWanted(entitlement) && !isThere(entitlement) && !isComing(entitlement)
        ? [entitlement]
        : [],
    ),
    fought: drifted.flatMap(({ entitlement }) =>
      policy.entitlements.get(entitlement)?.drift === 'revert' &&
      isFought(entitlement, facts.drift) &&
      isThere(entitlement) !== isWanted(entitlement)
        ? [entitlement]
        : [],
    ),
  }
}

/** On which targets both sides are held: one as `target`, like in other findings; several as `targets`, blanks between. */
export const placeOf = (
  { sides }: Pick<Violation, 'sides'>,
  { entitlements }: { readonly entitlements: ReadonlyMap<EntitlementId, Pick<KnownEntitlement, 'target'>> },
): Readonly<Record<string, string>> => {
  const targets = new Set(
    sides.flatMap((side) => side.entitlements.flatMap((id) => entitlements.get(id)?.target ?? [])),
  )
  return targets.size === 0 ? {} : { [targets.size === 1 ? 'target' : 'targets']: [...targets].sort().join(' ') }
}
