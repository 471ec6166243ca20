import { type AccountSeen, saveAccounts } from '../store/accounts.ts'
import type { Transaction } from '../store/database.ts'
import {
  distinctGrants,
  type GrantGone,
  type GrantPresent,
  type GrantSeen,
  knownEntitlements,
  pinEntitlements,
  saveGone,
  saveListed,
  savePresent,
} from '../store/grants.ts'
import type { Claim } from './claim.ts'
import { contestFound } from './contest-found.ts'
import { unmanagedEntry } from './outcome-entry.ts'
import type { Verdict } from './verdict.ts'

/** Pins what was resolved for the first time, before anything is stored of it. See `pinEntitlements` for the answer. */
export const pinResolved = (tx: Transaction, done: readonly Verdict[]): Promise<ReadonlyMap<number, number>> =>
  pinEntitlements(
    tx,
    done.flatMap(({ action, outcome }) =>
      outcome.kind === 'done' &&
      action.entitlement_id !== null &&
      action.entitlement_native === null &&
      outcome.evidence.entitlement !== null
        ? [{ id: action.entitlement_id, nativeId: outcome.evidence.entitlement }]
        : [],
    ),
  )

/** What the call told of the account itself. */
const accountSeen = ({ action, outcome }: Verdict, claim: Claim): readonly AccountSeen[] => {
  if (outcome.kind !== 'done' || outcome.account === undefined) return []
  const { nativeId, origin, enabled, attributesHash, settled } = outcome.account
  const isKnown = settled !== false
  return [
    {
      identity: action.identity_id,
      target: claim.target,
      nativeId,
      origin: origin === 'created' ? 'created' : 'linked',
      enabled: isKnown ? enabled : null,
      attributesHash: isKnown ? attributesHash : null,
      // The read began after the claim; what came between it and this write, it may not show.
      grantsReadAt: outcome.grants === undefined || !isKnown ? null : claim.claimedAt,
      // What was sent before and is read back now is told as no change.
      mayBeMoved: (action.kind === 'disable' || action.kind === 'enable') && (outcome.changed || action.unknown),
    },
  ]
}

/**
 * Accounts of outcomes that are done. Each kind of change has verified what it is about; the rest of its outcome is but a read,
 * and does not count beside what was verified since its claim, or within the settling time before.
 */
export const saveAccountsSeen = async (
  tx: Transaction,
  done: readonly Verdict[],
  claim: Claim,
  settleMs: number,
): Promise<ReadonlyMap<number, number>> => {
  const since = claim.claimedAt - settleMs
  const save = (verifies: 'state' | 'attributes') =>
    saveAccounts(
      tx,
      done.flatMap((one) =>
        (one.action.kind === 'ensureAccount') === (verifies === 'attributes') ? accountSeen(one, claim) : [],
      ),
      { verifies, since },
    )
  // Most dispatches have one kind: the other statement is not sent.
  const saved = await Promise.all([save('state'), save('attributes')])
  return new Map(saved.flatMap((rows) => [...rows]))
}

/**
 * Stores verified grants, and what complete reads found beside them. Returns the entries that list unmanaged ones, and
 * those of the catalogue's entitlements whose names turned out to be another thing's (ADR 0010); and, later, who holds what
 * nobody knew of.
 */
export const saveGrants = async (
  tx: Transaction,
  claim: Claim,
  done: readonly Verdict[],
  accounts: ReadonlyMap<number, number>,
  twins: ReadonlyMap<number, number>,
  at: number,
  settleMs: number,
) => {
  const present: GrantPresent[] = []
  const found: GrantSeen[] = []
  const gone: GrantGone[] = []
  for (const { action, outcome } of done) {
    if (outcome.kind !== 'done' || action.entitlement_id === null || action.account_id === null) continue
    const twin = twins.get(action.entitlement_id)
    const seen = { account: action.account_id, entitlement: twin ?? action.entitlement_id }
    // Given under a key that means the same as another: taking it back under that one would begin it all again.
    if (action.kind === 'grant') present.push({ ...seen, given: twin === undefined })
    // Found gone, and of nothing that went out before is it unknown what became of it: another hand took it.
    if (action.kind === 'revoke') gone.push({ ...seen, taken: outcome.changed || action.doubtful })
  }
  const reads = done.flatMap(({ action, outcome }) =>
    outcome.kind === 'done' && outcome.grants !== undefined && outcome.grants.length > 0
      ? [{ action, grants: outcome.grants }]
      : [],
  )
  const seen = reads.flatMap(({ grants }) => grants.map(({ nativeId, name }) => ({ nativeId, name })))
  const known = await knownEntitlements(tx, claim.target, seen)
  const contested = await contestFound(tx, claim, seen, at)
  const listed = reads.map(({ action, grants }) => {
    const account = accounts.get(action.identity_id) ?? action.account_id
    const entitlements = grants.flatMap(({ nativeId }) => known.get(nativeId) ?? [])
    if (account !== null) for (const entitlement of entitlements) found.push({ account, entitlement })
    return unmanagedEntry(at, claim, action, entitlements)
  })
  tx.defer(saveGone(tx, at, claim.dispatch, gone))
  tx.defer(savePresent(tx, at, claim.dispatch, distinctGrants(present)))
  // A list is as old as its claim: what this dispatch or another one verified since, or within the settling time before, it may
  // not overrule. What a leaver seems to hold is taken away once more (ADR 0024).
  const since = claim.lane === 'leaver' ? claim.claimedAt : claim.claimedAt - settleMs
  const saving = saveListed(tx, at, claim.dispatch, since, found)
  tx.defer(saving)
  const surprising = async (): Promise<readonly number[]> => {
    const fresh = new Set(await saving)
    return reads.flatMap(({ action }) =>
      fresh.has(accounts.get(action.identity_id) ?? action.account_id ?? 0) ? [action.identity_id] : [],
    )
  }
  return { entries: [...listed, ...contested], surprising }
}
