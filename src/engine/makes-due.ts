import { givesAccess, seeksOnly } from '../domain/action.ts'
import type { Outcome } from '../domain/outcome.ts'
import type { Claim, ClaimedAction } from './claim.ts'
import type { Engine } from './engine.ts'
import { wasOpen } from './opened-before-deletion.ts'
import { leavesUnread } from './read-indirect.ts'
import { rulesOf } from './rules-of.ts'
import { mayBeShutNow } from './sign-outs.ts'
import type { Verdict } from './verdict.ts'

/**
 * What an outcome found changes what is desired or observed beyond its own action: evaluation must look. So it must where a list
 * of grants shows one that nobody knew of; that is known only once it is stored (save-settled.ts). `signedOut`: whose sessions the same
 * call has ended.
 */
export const makesDue = (
  engine: Engine,
  { lane, target }: Claim,
  { action, outcome }: Pick<Verdict, 'action' | 'outcome'>,
  signedOut: ReadonlySet<number>,
): boolean => {
  if (wasOpen(action, outcome)) return true
  // It is gone: another one may stand in its place.
  if (seenGone(lane, action, outcome)) return action.gone_native === null
  if (outcome.kind !== 'done') return false
  // Whoever is back needs a new account; whoever was shut only now may have signed in since the sessions were ended.
  if (action.kind === 'deleteAccount') return true
  // It was gone, and is back with all that it held.
  if (lane === 'leaver' && action.gone_native !== null) return true
  // The last grant, or the lock, of an account that is to be deleted.
  if (
    (action.kind === 'revoke' || action.kind === 'disable') &&
    lane === 'leaver' &&
    (rulesOf(engine, target)?.deleteAfterMs ?? null) !== null
  )
    return true
  if (
    action.kind === 'disable' &&
    mayBeShutNow(action, outcome.changed) &&
    rulesOf(engine, target)?.endSessions === 'native'
  )
    return !signedOut.has(action.identity_id)
  if (action.kind !== 'ensureAccount' || outcome.account === undefined) return false
  if (outcome.grants !== undefined && outcome.grants.length > 0) return true
  if (seeksOnly({ kind: action.kind, lane })) return true
  // A plan reads it, as soon as something is to be given there.
  if (leavesUnread(engine.connectors.get(target), action, outcome)) return true
  // An account that is shut may have to be opened; one that was only read may have attributes of an earlier day.
  const { enabled, attributesHash, settled } = outcome.account
  return settled === false || !enabled || (action.unknown && attributesHash !== action.attributes_hash)
}

/** Of a leaver's linked account: what was to be taken from it found that it is not there. */
export const seenGone = (
  lane: Claim['lane'],
  { kind, account_id }: Pick<ClaimedAction, 'kind' | 'account_id'>,
  outcome: Outcome,
): boolean =>
  lane === 'leaver' &&
  account_id !== null &&
  !givesAccess[kind] &&
  outcome.kind === 'refused' &&
  outcome.reason === 'account-missing'
