import { notSettled, notSo } from '../connectors/connector.ts'
import type { TargetId } from '../domain/ids.ts'
import type { ObservedEntitlement, Outcome, RefusalReason } from '../domain/outcome.ts'
import { errorFields } from '../log.ts'
import { type AccountSeen, saveAccounts } from '../store/accounts.ts'
import { appendAudit } from '../store/audit-log.ts'
import { databaseNow } from '../store/clock.ts'
import { isContended, isUnavailable, type Transaction } from '../store/database.ts'
import { closeFinding, openFinding } from '../store/findings.ts'
import {
  distinctGrants,
  type GrantPresent,
  type GrantSeen,
  knownEntitlements,
  lockPresent,
  saveGone,
  savePresent,
  verifiedSince,
} from '../store/grants.ts'
import {
  dueReobservations,
  finishReobservation,
  postponeReobservation,
  reobservationOf,
} from '../store/reobservations.ts'
import { lockIdentities, makeDue } from '../store/work-queue.ts'
import { auditedBy } from './audited-account.ts'
import type { Claim, ClaimedAction } from './claim.ts'
import { contestFound } from './contest-found.ts'
import type { Engine } from './engine.ts'
import { createsAccounts, toOperation } from './operation.ts'
import { lateEntry } from './outcome-entry.ts'
import { withIndirect } from './read-indirect.ts'
import { saveIndirectAccess } from './save-indirect.ts'

type Late = Pick<Claim, 'dispatch' | 'target' | 'lane'>

/**
 * A zombie came back: its lease was taken, its outcome rejected, but what it wrote stands on the target. Every member
 * of its dispatch is read again and evaluation repairs what is not wanted. What is to be read was written down with the rejection.
 */
export const reobserve = async (engine: Engine, claim: Late): Promise<void> => {
  const connector = engine.connectors.get(claim.target)
  if (connector === undefined) return
  const late = await reobservationOf<ClaimedAction>(engine.db, claim.dispatch)
  if (late === null) return
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
  const seen = actions.map((action, index) => ({ action, outcome: outcomes[index] as Outcome }))
  // What others verify while we read is newer than what we read, and what they verified just before it may not show.
  const since = readAt - connector.manifest.settleMs
  await engine.db.transaction(async (tx) => {
    await lockIdentities(tx, identities)
    const at = await databaseNow(tx)
    const accounts = await saveAccounts(
      tx,
      seen.flatMap((one) => accountSeen(one, claim, readAt)),
      { verifies: 'nothing', since },
    )
    const read = readsOf(seen, accounts)
    const found = read.flatMap(({ grants }) => grants)
    const present = await presentGrants(tx, claim, seen, read)
    await appendAudit(tx, at, await contestFound(tx, claim, found, at))
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
    const gone = seen.flatMap(({ action, outcome }) => (presence(action, outcome) === false ? grantOf(action) : []))
    tx.defer(lockPresent(tx, [...present, ...gone]))
    const isNewer = await verifiedSince(tx, since, [...present, ...gone])
    await savePresent(
      tx,
      readAt,
      claim.dispatch,
      present.filter((one) => !isNewer(one)),
    )
    await saveGone(
      tx,
      readAt,
      claim.dispatch,
      gone.filter((one) => !isNewer(one)),
    )
    await makeDue(tx, identities)
    const isKnown = ({ action, outcome }: Seen) =>
      isTold(outcome) && !(presence(action, outcome) !== null && grantOf(action).some(isNewer))
    const left = seen.filter((one) => !isKnown(one))
    if (left.length === 0) {
      if (await finishReobservation(tx, claim.dispatch, recorded))
        await closeFinding(tx, 'late-outcome-unread', `dispatch:${claim.dispatch}`)
    } else {
      const read = { recorded, left: left.map(({ action }) => ({ ...action, told: true })) }
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

/** The read said how it is: as the action wants, not so, or that there is nothing to be so. */
const isTold = (outcome: Outcome): boolean =>
  outcome.kind === 'done' ||
  (outcome.kind === 'retry' && outcome.cause.word === notSo) ||
  (outcome.kind === 'refused' && nothingThere.has(outcome.reason))

const isSettling = (outcome: Outcome): boolean => outcome.kind === 'unknown' && outcome.cause.word === notSettled

const nothingThere = new Set<RefusalReason>(['entitlement-missing', 'account-missing'])

/**
 * What earlier reads could not tell, and what a worker left behind that died between its rejection and its read. One that
 * cannot be read or recorded counts a try and stops no other; only without a database there is nothing to do.
 */
export const reobserveDue = async (engine: Engine): Promise<void> => {
  for (const { dispatch, target, lane } of await dueReobservations(engine.db, 50)) {
    const late: Late = { dispatch, target: target as TargetId, lane }
    try {
      // muster.yaml does not name it any more: told, and no other waits behind it.
      if (!engine.connectors.has(late.target)) await engine.db.transaction((tx) => readAgainLater(tx, late))
      else await reobserve(engine, late)
    } catch (error) {
      if (isUnavailable(error) && !isContended(error)) throw error
      engine.log.error({ ...late, ...errorFields(error) }, 'a late outcome could not be read: the others go on')
      await engine.db
        .transaction((tx) => readAgainLater(tx, late))
        .catch((second: unknown) => engine.log.error(errorFields(second), 'a try of it could not be counted'))
    }
  }
}

/** Told urgently: what its worker wrote stands on the target, and nobody knows. */
const readAgainLater = async (
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

/** Whether the grant is there now; null = not told. `done` says it is as the action wants, `retry` that it is not. */
const presence = (action: ClaimedAction, outcome: Outcome): boolean | null => {
  if (action.kind !== 'grant' && action.kind !== 'revoke') return null
  if (outcome.kind === 'done') return action.kind === 'grant'
  if (outcome.kind === 'retry' && outcome.cause.word === notSo) return action.kind === 'revoke'
  return null
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
  return [{ identity: action.identity_id, target, nativeId, origin: 'linked', enabled, attributesHash, grantsReadAt }]
}

type Read = { readonly account: number; readonly grants: readonly ObservedEntitlement[] }

/** Complete reads of accounts that are linked. */
const readsOf = (seen: readonly Seen[], accounts: ReadonlyMap<number, number>): readonly Read[] =>
  seen.flatMap(({ action, outcome }) => {
    const account = accounts.get(action.identity_id) ?? action.account_id
    return outcome.kind === 'done' && account !== null ? [{ account, grants: outcome.grants ?? [] }] : []
  })

/** What is there by the zombie's own actions, and what complete reads of accounts found beside. */
const presentGrants = async (
  tx: Transaction,
  claim: Pick<Claim, 'target'>,
  seen: readonly Seen[],
  reads: readonly Read[],
): Promise<readonly GrantPresent[]> => {
  const ours = seen.flatMap(({ action, outcome }) =>
    presence(action, outcome) === true ? grantOf(action).map((one) => ({ ...one, given: true })) : [],
  )
  const known = await knownEntitlements(
    tx,
    claim.target,
    reads.flatMap(({ grants }) => grants),
  )
  const found = reads.flatMap(({ account, grants }) =>
    grants.flatMap(({ nativeId }) => {
      const entitlement = known.get(nativeId)
      return entitlement === undefined ? [] : [{ account, entitlement, given: false }]
    }),
  )
  return distinctGrants([...ours, ...found])
}
