import type { EntitlementRef, Operation } from '../connectors/connector.ts'
import type { Lane } from '../domain/action.ts'
import type { EntitlementId, NativeId, TargetId } from '../domain/ids.ts'
import type { ClaimedAction } from './claim.ts'
import type { Engine } from './engine.ts'
import { rulesOf } from './rules-of.ts'

/** Whether Muster creates accounts on this target, or something else does (`accounts: expect`). */
export const createsAccounts = (engine: Engine, target: TargetId): boolean =>
  rulesOf(engine, target)?.accounts === 'create'

export const toOperation = (action: ClaimedAction, create: boolean, lane: Lane): Operation => {
  const account = action.account_native as NativeId
  switch (action.kind) {
    case 'ensureAccount':
      return {
        op: 'ensureAccount',
        wanted: {
          correlation: { value: String(action.profile?.personKey ?? '') },
          worker: action.profile ?? {},
          attributesHash: action.attributes_hash ?? '',
        },
        create,
        account: action.account_native as NativeId | null,
      }
    case 'disable':
      // Only leavers are disabled in their lane.
      return { op: 'disable', account, away: lane === 'bulk' }
    case 'endSessions':
      return { op: 'endSessions', account, held: (action.held ?? []) as readonly NativeId[] }
    case 'enable':
    case 'deleteAccount':
      return { op: action.kind, account }
    case 'grant':
    case 'revoke':
      return { op: action.kind, account, entitlement: entitlementRef(action) }
  }
}

const entitlementRef = (action: ClaimedAction): EntitlementRef => ({
  id: action.entitlement_id as EntitlementId,
  lookup: action.lookup ?? '',
  nativeId: action.entitlement_native as NativeId | null,
})
