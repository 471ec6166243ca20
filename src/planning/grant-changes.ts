import type { HeldGrant, NewAction } from '../domain/action.ts'
import type { Assignment, Decision, Reason } from '../domain/decision.ts'
import type { EntitlementId } from '../domain/ids.ts'
import { assertNever } from '../domain/never.ts'
import { inFlight, type Lookups } from './lookups.ts'
import type { PlanInput } from './plan-input.ts'

/**
 * Wanted and not there, minus what separation of duties holds. `leaving`: entitlements that this plan revokes; a grant
 * may wait only for those and for calls in flight, because a wait for anything else would never end.
 */
export const grantChanges = (
  { decision, missing, lost }: PlanInput,
  lookups: Lookups,
  leaving: ReadonlySet<EntitlementId>,
): { readonly grants: readonly NewAction[]; readonly held: readonly HeldGrant[] } => {
  const grants: NewAction[] = []
  const held: HeldGrant[] = []
  const mayStillCome = new Set(
    [...lookups.open.values()].flat().flatMap((o) => (o.kind === 'grant' && inFlight(o) ? [o.entitlement] : [])),
  )
  for (const [entitlement, assignment] of lookups.wanted) {
    if (lookups.grants.has(entitlement) || lookups.kept.has(entitlement) || lost.has(entitlement)) continue
    if (isOnlyReported(assignment, decision, missing)) continue
    const verdict = decision.verdicts.get(entitlement)
    if (verdict === undefined)
      throw new Error(`entitlement ${entitlement} is wanted and not there, but nothing judged it`)
    switch (verdict.kind) {
      case 'go':
        grants.push(grant(assignment, lookups, []))
        break
      case 'held':
        held.push({ entitlement, policies: verdict.policies, conflictsWith: verdict.conflictsWith })
        break
      case 'wait': {
        const stays = verdict.after.filter(
          (id) => lookups.indirect.has(id) || (lookups.grants.has(id) && !leaving.has(id)),
        )
        const goes = verdict.after.filter((id) => leaving.has(id) || mayStillCome.has(id))
        if (stays.length > 0) held.push({ entitlement, policies: verdict.policies, conflictsWith: stays })
        else grants.push(grant(assignment, lookups, goes))
      }
    }
  }
  return { grants, held }
}

/** Taken away behind our back while it was wanted. What is wanted anew since then is given. */
const isOnlyReported = (
  { entitlement, interval }: Assignment,
  { timeline }: Decision,
  missing: PlanInput['missing'],
): boolean => {
  const goneAt = missing.get(entitlement)
  if (goneAt === undefined) return false
  // Another reason for the same wish begins an interval, and is no break.
  let from = interval.from
  for (let before: Assignment | undefined; from !== null; from = before.interval.from) {
    before = timeline.find((one) => one.entitlement === entitlement && one.interval.to === from)
    if (before === undefined) break
  }
  return from === null || from <= goneAt
}

/** Key of what gives it, as far as it has one. */
const giverOf = (reason: Reason): string => {
  switch (reason.kind) {
    case 'rule':
      return reason.rule
    case 'implied':
      return reason.implication
    case 'exception':
      return reason.exception
    case 'adopted':
      return reason.kind
    default:
      return assertNever(reason)
  }
}

const grant = (
  { entitlement, target, interval, reasons }: Assignment,
  { accounts }: Lookups,
  after: readonly EntitlementId[],
): NewAction => {
  const account = accounts.get(target)?.id ?? null
  const rules = reasons.map(giverOf)
  return {
    target,
    kind: 'grant',
    entitlement,
    account,
    lane: 'bulk',
    reason: { kind: 'assigned', rules: [...new Set(rules)].sort() },
    attributesHash: null,
    needsAccount: account === null,
    afterRevokeOf: [...after].sort((a, b) => a - b),
    validFrom: interval.from,
    validTo: interval.to,
  }
}
