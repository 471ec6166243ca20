import { forgetSessionsEnded, type SessionsTold, saveSessions } from '../store/accounts.ts'
import type { Transaction } from '../store/database.ts'
import type { Claim, ClaimedAction } from './claim.ts'
import type { Engine } from './engine.ts'
import { revokedBesideSessions } from './revoked-beside-sessions.ts'
import { rulesOf } from './rules-of.ts'
import type { Verdict } from './verdict.ts'

/**
 * One whose answer was lost may have shut them long after it was sent; and where we had not seen it shut, another hand may have shut it
 * only now.
 */
export const mayBeShutNow = (action: Pick<ClaimedAction, 'unknown' | 'account_enabled'>, changed: boolean): boolean =>
  changed || action.unknown || action.account_enabled !== false

/**
 * Shut by this call, or at a moment that nobody knows, and not signed out by the same call, which would have done it afterwards:
 * whatever was sent to end their sessions went out while they could still sign in.
 */
const shutLater = (
  engine: Pick<Engine, 'targets'>,
  { target }: Pick<Claim, 'target'>,
  verdicts: readonly Verdict[],
): readonly Verdict[] => {
  if (rulesOf(engine, target)?.endSessions !== 'native') return []
  const beside = new Set(
    verdicts.flatMap(({ action, sent }) => (action.kind === 'endSessions' && sent ? [action.identity_id] : [])),
  )
  return verdicts.filter(
    ({ action, outcome, sent }) =>
      action.kind === 'disable' &&
      !beside.has(action.identity_id) &&
      (sent
        ? outcome.kind !== 'done' || mayBeShutNow(action, outcome.changed)
        : outcome.kind === 'done' && action.unknown && action.handle === null),
  )
}

/** Whose sessions are ended by what these tell, as far as the call itself knows. */
export const signedOutBy = (
  engine: Pick<Engine, 'targets'>,
  claim: Pick<Claim, 'target'>,
  verdicts: readonly Verdict[],
): ReadonlySet<number> => {
  const later = new Set(shutLater(engine, claim, verdicts).map(({ action }) => action.identity_id))
  return new Set(
    verdicts.flatMap(({ action, next }) =>
      action.kind === 'endSessions' && next.kind === 'done' && !later.has(action.identity_id)
        ? [action.identity_id]
        : [],
    ),
  )
}

/**
 * Stores whose sessions ended. Answers whose have, and what ended them was sent before they were shut: they must be signed out once
 * more.
 */
export const saveSignOuts = async (
  engine: Pick<Engine, 'targets'>,
  tx: Transaction,
  claim: Claim,
  verdicts: readonly Verdict[],
  at: number,
): Promise<readonly number[]> => {
  const accountsOf = (some: readonly Verdict[]) => some.flatMap(({ action }) => action.account_id ?? [])
  // Sent together, in this order: what this call found of sessions is measured by when they were shut.
  const late = [...revokedBesideSessions(engine, claim, verdicts), ...shutLater(engine, claim, verdicts)]
  tx.defer(forgetSessionsEnded(tx, accountsOf(late), at))
  const told = verdicts.flatMap(({ action, next, sent }): readonly SessionsTold[] =>
    action.kind === 'endSessions' && action.account_id !== null && (sent || next.kind === 'done')
      ? [{ account: action.account_id, sent, ended: next.kind === 'done' }]
      : [],
  )
  const early = new Set(await saveSessions(tx, at, claim.claimedAt, told))
  return verdicts.flatMap(({ action }) =>
    action.kind === 'endSessions' && early.has(action.account_id ?? 0) ? [action.identity_id] : [],
  )
}
