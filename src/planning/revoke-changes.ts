import type { ActionReason, NewAction } from '../domain/action.ts'
import { inverseWanted } from './inverse.ts'
import type { Lookups } from './lookups.ts'
import type { PlanInput, PresentGrant } from './plan-input.ts'

/**
 * There and not wanted. Separation of duties has no say here: it never takes away. Leavers lose what no catalogue knows
 * as well, where the target says so, and what a call in flight may still give them.
 */
export const revokeChanges = (input: PlanInput, lookups: Lookups): readonly NewAction[] => {
  const revokes = new Map<PresentGrant['entitlement'], NewAction>()
  for (const grant of lookups.grants.values()) {
    const reason = reasonToRevoke(grant, input, lookups)
    if (reason !== null) revokes.set(grant.entitlement, revoke(grant, reason, input, lookups))
  }
  if (!input.at.leaver) return [...revokes.values()]
  for (const { kind, target, entitlement } of input.open) {
    if (kind !== 'grant' || entitlement === null || !lookups.targets.has(target)) continue
    const reason = inverseWanted({ kind, target, entitlement }, input, lookups)
    if (reason !== null) revokes.set(entitlement, revoke({ target, entitlement }, reason, input, lookups))
  }
  return [...revokes.values()]
}

const reasonToRevoke = (grant: PresentGrant, { at }: PlanInput, { targets, wanted }: Lookups): ActionReason | null => {
  const target = targets.get(grant.target)
  if (target === undefined || grant.protected || wanted.has(grant.entitlement)) return null
  if (at.leaver)
    return grant.managed || target.leaverUnmanaged === 'remove' ? { kind: 'leaver', unmanaged: !grant.managed } : null
  if (!grant.managed) return null
  if (grant.reverted === true) return { kind: 'drift' }
  return grant.found !== true ? { kind: 'no-longer-assigned' } : null
}

const revoke = (
  { target, entitlement }: Pick<PresentGrant, 'target' | 'entitlement'>,
  reason: ActionReason,
  { at }: PlanInput,
  { accounts }: Lookups,
): NewAction => ({
  target,
  kind: 'revoke',
  entitlement,
  account: accounts.get(target)?.id ?? null,
  lane: at.leaver ? 'leaver' : 'bulk',
  reason,
  attributesHash: null,
  needsAccount: false,
  afterRevokeOf: [],
  validFrom: null,
  validTo: null,
})
