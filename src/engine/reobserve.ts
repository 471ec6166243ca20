import type { ObservedEntitlement, Outcome } from '../domain/outcome.ts'
import { type AccountSeen, saveAccounts } from '../store/accounts.ts'
import { appendAudit } from '../store/audit-log.ts'
import { databaseNow } from '../store/clock.ts'
import type { Transaction } from '../store/database.ts'
import { closeFinding, openFinding } from '../store/findings.ts'
import {
  distinctGrants,
  type GrantSeen,
  knownEntitlements,
  lockPresent,
  raiseTaken,
  saveGone,
  saveListed,
  savePresent,
  verifiedSince,
} from '../store/grants.ts'
import {
  finishReobservation,
  lockReobservation,
  postponeReobservation,
  reobservationOf,
} from '../store/reobservations.ts'
import { lockIdentities, makeDue } from '../store/work-queue.ts'
import { auditedBy } from './audited-account.ts'
import type { Claim, ClaimedAction } from './claim.ts'
import { contestFound } from './contest-found.ts'
import type { Engine } from './engine.ts'
import { isOutOfSight, isSettling, isSilence, isTold, presence } from './late-answer.ts'
import { createsAccounts, toOperation } from './operation.ts'
import { lateEntry } from './outcome-entry.ts'
import { withIndirect } from './read-indirect.ts'
import { saveIndirectAccess } from './save-indirect.ts'

export type Late = Pick<Claim, 'dispatch' | 'target' | 'lane'>

/**
 * A zombie came back: its lease was taken, its outcome rejected, but what it wrote stands on the target. Every member
 * of its dispatch is read again and evaluation repairs what is not wanted. What is to be read was written down with the rejection.
 * Answers whether its target told anything: that an account cannot be read, too.
 */
export const reobserve = async (engine: Engine, claim: Late): Promise<boolean> => {
  const connector = engine.connectors.get(claim.target)
  if (connector === undefined) return false
  const late = await reobservationOf<ClaimedAction>(engine.db, claim.dispatch)
  if (late === null) return true
  const { actions, recorded, rejectedMsAgo, now: readAt } = late
  const identities = [...new Set(actions.map((action) => action.identity_id))]
  // What it may have given counts from now on, not only from when it is read.
  if (actions.some(({ told }) => told !== true)) await wantEvaluation(engine, identities)
  const create = createsAccounts(engine, claim.target)
  const signal = AbortSignal.timeout(engine.settings.leaseMs)
  const observed = await connector.observe(
    actions.map((action) => toOperation(action, create, claim.lane)),
    // Its worker wrote before it was rejected.
    { signal, sentMsAgo: actions.map(() => rejectedMsAgo) },
  )
  const outcomes = await withIndirect(connector, actions, observed, claim.lane, signal)
  // What others verify while we read is newer than what we read, and what they verified just before it may not show.
  const since = readAt - connector.manifest.settleMs
  await engine.db.transaction(async (tx) => {
    await lockIdentities(tx, identities)
    const now = await lockReobservation(tx, claim.dispatch)
    // Somebody else has read it meanwhile, and told all of it.
    if (now === null) return
    const seen = actions.flatMap((action, index): readonly Seen[] => {
      const outcome = outcomes[index] as Outcome
      if (now.recorded !== recorded) return [{ action, outcome }]
      const left = now.left.get(action.id)
      return left === undefined ? [] : [{ action: { ...action, told: left.told }, outcome }]
    })
    const at = await databaseNow(tx)
    const accounts = await saveAccounts(
      tx,
      seen.flatMap((one) => accountSeen(one, claim, readAt)),
      { verifies: 'nothing', since },
    )
    const read = readsOf(seen, accounts)
    const listed = await listedGrants(tx, claim, read)
    await appendAudit(
      tx,
      at,
      await contestFound(
        tx,
        claim,
        read.flatMap(({ grants }) => grants),
        at,
      ),
    )
    const indirect = seen.flatMap(({ action, outcome }) => {
      const account = accounts.get(action.identity_id)
      if (account === undefined || outcome.kind !== 'done' || outcome.account === undefined) return []
      const { identity_id: identity, subject_ref, account_id } = action
      const {
        account: { nativeId: native_id },
        indirect: held,
      } = outcome
      return held === undefined
        ? []
        : [{ identity, subject_ref, account, native_id, held, addsOnly: account_id !== null }]
    })
    await appendAudit(
      tx,
      at,
      (await saveIndirectAccess(tx, claim.target, auditedBy(engine, claim.target), at, readAt, indirect)).entries,
    )
    const ours = seen.flatMap(({ action, outcome }) => (presence(action, outcome) === true ? grantOf(action) : []))
    const gone = seen.flatMap(({ action, outcome }) =>
      presence(action, outcome) === false
        ? // A grant that is not there was taken by another hand; its revoke may have done it.
          grantOf(action).map((one) => ({ ...one, taken: action.kind === 'revoke' }))
        : [],
    )
    tx.defer(lockPresent(tx, [...ours, ...listed, ...gone]))
    const isNewer = await verifiedSince(tx, since, [...ours, ...gone])
    await savePresent(
      tx,
      readAt,
      claim.dispatch,
      distinctGrants(ours.filter((one) => !isNewer(one)).map((one) => ({ ...one, given: true }))),
    )
    // What a list shows beside, another hand may have given: as with any other list.
    await saveListed(tx, readAt, claim.dispatch, since, listed)
    await saveGone(
      tx,
      readAt,
      claim.dispatch,
      gone.filter((one) => !isNewer(one)),
    )
    await raiseTaken(
      tx,
      claim.dispatch,
      gone.filter((one) => one.taken && !isNewer(one)),
    )
    await makeDue(tx, identities)
    const isKnown = ({ action, outcome }: Seen) =>
      isTold(outcome) && !(presence(action, outcome) !== null && grantOf(action).some(isNewer))
    const left = seen.filter((one) => !isKnown(one))
    if (left.length === 0) {
      if (await finishReobservation(tx, claim.dispatch, recorded))
        await closeFinding(tx, 'late-outcome-unread', `dispatch:${claim.dispatch}`)
    } else {
      const isSeldom = left.every(({ outcome }) => isOutOfSight(outcome))
      const read = { recorded, isSeldom, left: left.map(({ action }) => ({ ...action, told: true })) }
      // What no read tells yet is no finding.
      if (left.every(({ outcome }) => isTold(outcome) || isSettling(outcome)))
        await postponeReobservation(tx, claim.dispatch, read)
      else await readAgainLater(tx, claim, read)
    }
    await appendAudit(
      tx,
      at,
      // Once that it was rejected, and once what is known of it.
      seen
        .filter((one) => one.action.told !== true || isKnown(one))
        .map(({ action, outcome }) => lateEntry(at, claim, action, outcome, presence(action, outcome))),
    )
  })
  nudgeEvaluation(engine)
  return outcomes.some((outcome) => !isSilence(outcome))
}

const wantEvaluation = async (engine: Engine, identities: readonly number[]): Promise<void> => {
  await engine.db.transaction(async (tx) => {
    await lockIdentities(tx, identities)
    await makeDue(tx, identities)
  })
  nudgeEvaluation(engine)
}

const nudgeEvaluation = (engine: Engine): void => {
  for (const lane of ['leaver', 'bulk'] as const) engine.nudge('evaluate', lane)
}

/** Told urgently: what its worker wrote stands on the target, and nobody knows. */
export const readAgainLater = async (
  tx: Transaction,
  { dispatch, target, lane }: Late,
  read?: Parameters<typeof postponeReobservation>[2],
): Promise<void> => {
  await postponeReobservation(tx, dispatch, read)
  await openFinding(tx, {
    kind: 'late-outcome-unread',
    key: `dispatch:${dispatch}`,
    urgent: true,
    identityId: null,
    detail: { dispatch, target, lane },
  })
}

const grantOf = (action: ClaimedAction): readonly GrantSeen[] =>
  action.account_id === null || action.entitlement_id === null
    ? []
    : [{ account: action.account_id, entitlement: action.entitlement_id }]

type Seen = { readonly action: ClaimedAction & { readonly told?: boolean }; readonly outcome: Outcome }

/** A link that a zombie made comes with what the account holds: no grant may go to it unread (DESIGN §4). */
const accountSeen = (
  { action, outcome }: Seen,
  { target }: Pick<Claim, 'target'>,
  readAt: number,
): readonly AccountSeen[] => {
  if (outcome.kind !== 'done' || outcome.account === undefined) return []
  const { nativeId, settled } = outcome.account
  const { enabled, attributesHash } = settled === false ? { enabled: null, attributesHash: null } : outcome.account
  const grantsReadAt = outcome.grants === undefined || settled === false ? null : readAt
  // Whatever the read finds, its worker may have moved it.
  const mayBeMoved = action.kind === 'disable' || action.kind === 'enable'
  const identity = action.identity_id
  return [{ identity, target, nativeId, origin: 'linked', enabled, attributesHash, grantsReadAt, mayBeMoved }]
}

type Read = { readonly account: number; readonly grants: readonly ObservedEntitlement[] }

/** Complete reads of accounts that are linked. */
const readsOf = (seen: readonly Seen[], accounts: ReadonlyMap<number, number>): readonly Read[] =>
  seen.flatMap(({ action, outcome }) => {
    const account = accounts.get(action.identity_id) ?? action.account_id
    return outcome.kind === 'done' && account !== null ? [{ account, grants: outcome.grants ?? [] }] : []
  })

/** What complete reads of accounts show. */
const listedGrants = async (
  tx: Transaction,
  claim: Pick<Claim, 'target'>,
  reads: readonly Read[],
): Promise<readonly GrantSeen[]> => {
  const known = await knownEntitlements(
    tx,
    claim.target,
    reads.flatMap(({ grants }) => grants),
  )
  return reads.flatMap(({ account, grants }) =>
    grants.flatMap(({ nativeId }) => {
      const entitlement = known.get(nativeId)
      return entitlement === undefined ? [] : [{ account, entitlement }]
    }),
  )
}
