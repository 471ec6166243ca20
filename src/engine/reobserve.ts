import { auditEntry } from '../audit/entry.ts'
import { notSettled, notSo } from '../connectors/connector.ts'
import type { TargetId } from '../domain/ids.ts'
import type { ObservedEntitlement, Outcome, RefusalReason } from '../domain/outcome.ts'
import { errorFields } from '../log.ts'
import { type AccountSeen, saveAccounts } from '../store/accounts.ts'
import { appendAudit } from '../store/audit-log.ts'
import { isContended, isUnavailable, type Queryable, type Transaction } from '../store/database.ts'
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
import { dueReobservations, finishReobservation, postponeReobservation } from '../store/reobservations.ts'
import { lockIdentities, makeDue } from '../store/work-queue.ts'
import { auditedBy } from './audited-account.ts'
import type { Claim, ClaimedAction } from './claim.ts'
import { contestFound } from './contest-found.ts'
import type { Engine } from './engine.ts'
import { createsAccounts, toOperation } from './operation.ts'
import { withIndirect } from './read-indirect.ts'
import { saveIndirectAccess } from './save-indirect.ts'

/**
 * A zombie came back: its lease was taken, its outcome rejected, but what it wrote stands on the target. Every member
 * of its dispatch is read again and evaluation repairs what is not wanted.
 */
export const reobserve = async (
  engine: Engine,
  claim: Pick<Claim, 'dispatch' | 'target' | 'lane' | 'actions'>,
  /** So long ago, ms, the late outcome was rejected: its worker wrote before. */
  rejectedMsAgo = 0,
): Promise<void> => {
  const connector = engine.connectors.get(claim.target)
  if (connector === undefined) return
  const create = createsAccounts(engine, claim.target)
  // What others verify while we read is newer than what we read.
  const readAt = await clockOf(engine.db)
  const signal = AbortSignal.timeout(engine.settings.leaseMs)
  const observed = await connector.observe(
    claim.actions.map((action) => toOperation(action, create, claim.lane)),
    { signal, sentMsAgo: claim.actions.map(() => rejectedMsAgo) },
  )
  const outcomes = await withIndirect(connector, claim.actions, observed, claim.lane, signal)
  const seen = claim.actions.map((action, index) => ({ action, outcome: outcomes[index] as Outcome }))
  const identities = [...new Set(claim.actions.map((action) => action.identity_id))]
  await engine.db.transaction(async (tx) => {
    await lockIdentities(tx, identities)
    const at = await clockOf(tx)
    const accounts = await saveAccounts(
      tx,
      seen.flatMap((one) => accountSeen(one, claim, readAt)),
      { verifies: 'nothing', since: readAt - connector.manifest.settleMs },
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
    const isOlder = await verifiedSince(tx, readAt, [...present, ...gone])
    await savePresent(
      tx,
      readAt,
      claim.dispatch,
      present.filter((one) => !isOlder(one)),
    )
    await saveGone(
      tx,
      readAt,
      claim.dispatch,
      gone.filter((one) => !isOlder(one)),
    )
    await makeDue(tx, identities)
    if (seen.every(({ outcome }) => isTold(outcome))) {
      await finishReobservation(tx, claim.dispatch)
      await closeFinding(tx, 'late-outcome-unread', `dispatch:${claim.dispatch}`)
    } else {
      // What no read tells yet is no finding.
      if (seen.every(({ outcome }) => isTold(outcome) || isSettling(outcome)))
        await postponeReobservation(tx, claim.dispatch)
      else await readAgainLater(tx, claim)
    }
    await appendAudit(
      tx,
      at,
      seen.map(({ action, outcome }) =>
        auditEntry(
          'late-outcome-rejected',
          at,
          {
            subjectRef: action.subject_ref,
            actionId: action.id,
            dispatchId: claim.dispatch,
            decisionId: action.decision_id,
            entitlementId: action.entitlement_id,
          },
          {
            subject: action.subject_ref,
            action: action.id,
            dispatch: claim.dispatch,
            target: claim.target,
            kind: action.kind,
            entitlement: action.entitlement_id,
            attempt: action.attempts + 1,
            readBack: outcome.kind,
            held: presence(action, outcome),
            actor: { type: 'engine' },
          },
        ),
      ),
    )
  })
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
  for (const { dispatch, target, lane, actions, rejectedMsAgo } of await dueReobservations<ClaimedAction>(
    engine.db,
    50,
  )) {
    if (!engine.connectors.has(target as TargetId)) continue
    const late: Late = { dispatch, target: target as TargetId, lane }
    try {
      await reobserve(engine, { ...late, actions }, rejectedMsAgo)
    } catch (error) {
      if (isUnavailable(error) && !isContended(error)) throw error
      engine.log.error({ ...late, ...errorFields(error) }, 'a late outcome could not be read: the others go on')
      await engine.db
        .transaction((tx) => readAgainLater(tx, late))
        .catch((second: unknown) => engine.log.error(errorFields(second), 'a try of it could not be counted'))
    }
  }
}

type Late = Pick<Claim, 'dispatch' | 'target' | 'lane'>

/** Told urgently: what its worker wrote stands on the target, and nobody knows. */
const readAgainLater = async (tx: Transaction, { dispatch, target, lane }: Late): Promise<void> => {
  await postponeReobservation(tx, dispatch)
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

type Seen = { readonly action: ClaimedAction; readonly outcome: Outcome }

const clockOf = async (db: Queryable): Promise<number> => {
  const [clock] = await db.query<{ now: number }>({
    text: 'select (extract(epoch from muster.now()) * 1000)::bigint as now',
  })
  if (clock === undefined) throw new Error('the database told no time')
  return clock.now
}

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
