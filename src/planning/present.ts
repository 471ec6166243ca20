import type { OpenAction } from '../domain/action.ts'
import type { EntitlementId } from '../domain/ids.ts'
import type { TargetRules } from '../domain/target.ts'
import { inFlight } from './lookups.ts'
import type { PresentGrant } from './plan-input.ts'

/** What separation of duties must count as there; the shape that policies/evaluate takes. */
export type PresentAccess = {
  readonly entitlement: EntitlementId
  readonly state: 'held' | 'in-flight' | 'unknown' | 'indirect' | 'being-revoked'
  /** A plan will revoke it if it is not wanted. */
  readonly revocable: boolean
}

/**
 * Everything that is there, may be there, or is being taken away but not yet verified as gone; what is held both directly and
 * indirectly is named twice, for the revoke of the one leaves the other. What is open and not in
 * flight does not count: this very plan keeps it, which its verdict decides, or supersedes it. Ascending by entitlement.
 */
export const presentAccess = (
  targets: readonly Pick<TargetRules, 'id' | 'mode'>[],
  grants: readonly PresentGrant[],
  open: readonly OpenAction[],
): readonly PresentAccess[] => {
  const acting = new Set(targets.flatMap(({ id, mode }) => (mode === 'observe' ? [] : [id])))
  const present = new Map<EntitlementId, PresentAccess>()
  for (const action of open) {
    const { kind, entitlement, target, claimed } = action
    if (entitlement === null || !inFlight(action)) continue
    const revocable = acting.has(target)
    if (kind === 'revoke') present.set(entitlement, { entitlement, state: 'being-revoked', revocable })
    else if (!present.has(entitlement))
      present.set(entitlement, { entitlement, state: claimed ? 'in-flight' : 'unknown', revocable })
  }
  const others = new Set<EntitlementId>()
  for (const { entitlement, target, managed, found, reverted, protected: untouchable, indirect } of grants) {
    if (indirect) {
      others.add(entitlement)
      continue
    }
    if (present.get(entitlement)?.state === 'being-revoked') continue
    const revocable = acting.has(target) && managed && (found !== true || reverted === true) && !untouchable
    present.set(entitlement, { entitlement, state: 'held', revocable })
  }
  const indirect = [...others].map((entitlement) => ({ entitlement, state: 'indirect', revocable: false }) as const)
  return [...present.values(), ...indirect].sort((a, b) => a.entitlement - b.entitlement)
}
