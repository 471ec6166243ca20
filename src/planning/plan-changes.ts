import type { ActionKind, NewAction, Plan } from '../domain/action.ts'
import type { EntitlementId } from '../domain/ids.ts'
import { accountChanges } from './account-changes.ts'
import { grantChanges } from './grant-changes.ts'
import { inFlight, type Lookups, lookupsOf, opposite } from './lookups.ts'
import { matchOpen } from './match-open.ts'
import type { PlanInput } from './plan-input.ts'
import { revokeChanges } from './revoke-changes.ts'

/**
 * Desired minus observed for one person, open actions counted. Pure, and independent of the order of every list given.
 * Throws when a wanted entitlement that is not there carries no verdict: nothing may be granted unjudged.
 */
export const planChanges = (input: PlanInput): Plan => {
  const lookups = lookupsOf(input)
  const revokes = revokeChanges(input, lookups)
  const leaving = new Set<EntitlementId>()
  for (const { kind, entitlement } of [...revokes, ...input.open.filter(inFlight)])
    if (kind === 'revoke' && entitlement !== null) leaving.add(entitlement)
  const { grants, held } = grantChanges(input, lookups, leaving)
  const wishes = [...accountChanges(input, lookups), ...revokes, ...grants].filter(
    (wish) => !mustHoldBack(wish, lookups),
  )
  const { create, keep, awaited, supersede } = matchOpen(wishes, lookups)
  return {
    create: [...create].sort(inOrder),
    supersede: [...supersede].sort((a, b) => a - b),
    keep: [...keep].sort((a, b) => a.action - b.action),
    awaited: [...awaited].sort((a, b) => a.action - b.action),
    held: [...held]
      .filter(({ entitlement }) => !isComing(entitlement, input))
      .sort((a, b) => a.entitlement - b.entitlement),
  }
}

/** A plan that changes nothing bumps nothing. */
export const planIsEmpty = ({ create, supersede, keep, awaited }: Plan): boolean =>
  create.length === 0 &&
  supersede.length === 0 &&
  !keep.some(({ changed }) => changed) &&
  !awaited.some(({ changed }) => changed)

/**
 * While the opposite call is in flight, its outcome is waited for: one open call per account and entitlement. Only what
 * a leaver loses does not wait.
 */
const mustHoldBack = ({ target, kind, entitlement, lane }: NewAction, lookups: Lookups): boolean => {
  // Whatever is wanted of an account that is just being deleted is wanted of the next one.
  if (kind !== 'deleteAccount' && lookups.inFlight({ target, kind: 'deleteAccount', entitlement: null }) !== undefined)
    return true
  const other = opposite[kind]
  return lane === 'bulk' && other !== null && lookups.inFlight({ target, kind: other, entitlement }) !== undefined
}

/** Its grant is in flight: there is nothing to hold any more; the outcome decides whether there is something to report. */
const isComing = (entitlement: EntitlementId, { open }: PlanInput): boolean =>
  open.some((action) => action.kind === 'grant' && action.entitlement === entitlement && inFlight(action))

const rank: Record<ActionKind, number> = {
  disable: 0,
  endSessions: 1,
  revoke: 2,
  deleteAccount: 3,
  ensureAccount: 4,
  enable: 5,
  grant: 6,
}

const inOrder = (a: NewAction, b: NewAction): number =>
  rank[a.kind] - rank[b.kind] ||
  (a.target < b.target ? -1 : a.target > b.target ? 1 : 0) ||
  (a.entitlement ?? 0) - (b.entitlement ?? 0)
