import { personalDetail } from '../audit/personal.ts'
import { type Lane, seeksOnly } from '../domain/action.ts'
import { saveAbsent, saveDeleted } from '../store/accounts.ts'
import { releaseWaiting } from '../store/actions.ts'
import { appendAudit } from '../store/audit-log.ts'
import type { Transaction } from '../store/database.ts'
import { finishDispatch, lockLeased } from '../store/dispatches.ts'
import { scheduleLeaveChecks } from '../store/leave-checks.ts'
import { describedOtherwise, overtakenIdentities, settleActions, unsettledSince } from '../store/outcomes.ts'
import { savePersonalDetails } from '../store/personal-details.ts'
import { saveReobservation } from '../store/reobservations.ts'
import { lockIdentities, makeDue } from '../store/work-queue.ts'
import { auditedBy } from './audited-account.ts'
import type { Claim } from './claim.ts'
import { distrustInverses, distrustTakenAccounts, distrustTwins } from './distrust.ts'
import type { Engine } from './engine.ts'
import { saveGoneAndBack, unlinkReplacedBy } from './gone-accounts.ts'
import { outcomeEntry } from './outcome-entry.ts'
import { type HeldIndirectly, holdersOfCatalogued, saveIndirectAccess } from './save-indirect.ts'
import { pinResolved, saveAccountsSeen, saveGrants } from './save-verified.ts'
import { settleMsOf } from './settle-ms-of.ts'
import { settledRow } from './settled-row.ts'
import { saveSignOuts } from './sign-outs.ts'
import { tellOutcomes } from './tell-outcomes.ts'
import type { Verdict } from './verdict.ts'

/** Rolls back: these, too, must be locked before anything else is. */
export class Relock extends Error {
  readonly identities: readonly number[]
  constructor(identities: readonly number[]) {
    super('more identities are concerned')
    this.identities = identities
  }
}

const mustBeLocked = (due: ReadonlySet<number>, identities: readonly number[]): void => {
  if (identities.some((id) => !due.has(id))) throw new Relock(identities)
}

type SavedSettled = { readonly kind: 'rejected' } | { readonly kind: 'settled'; readonly released: readonly Lane[] }

/** In one transaction, under the lease: outcomes, what follows from them, and the audit. */
export const saveSettled = async (
  engine: Engine,
  tx: Transaction,
  claim: Claim,
  given: readonly Verdict[],
  due: ReadonlySet<number>,
  over: boolean,
): Promise<SavedSettled> => {
  // Sent together, run in this order: each reads what the locks before it let it see.
  tx.defer(lockIdentities(tx, [...due]))
  const locking = lockLeased(tx, claim.dispatch, claim.token)
  if (engine.settings.pause !== undefined) await locking
  await engine.settings.pause?.('settle:locked')
  const [leased, overtaken, otherwise, unsettled] = await Promise.all([
    locking,
    overtakenIdentities(tx, claim.dispatch),
    describedOtherwise(
      tx,
      given
        .filter((one) => foundNone(one) && one.action.kind === 'ensureAccount')
        .map(({ action: { identity_id, profile } }) => ({ identity: identity_id, profile })),
    ),
    unsettledSince(
      tx,
      given.flatMap(({ action }) => (action.inverse_of === null ? [] : [action.inverse_of])),
      claim.claimedAt,
    ),
  ])
  if (leased === null) {
    // In this transaction: whoever dies now leaves behind that the members must be read again.
    await saveReobservation(tx, claim)
    return { kind: 'rejected' }
  }
  const linking = given.flatMap(linkedWith)
  const holders = linking.length === 0 ? [] : await holdersOfCatalogued(tx, claim.target, linking)
  mustBeLocked(due, [...overtaken, ...otherwise, ...holders.map(({ identity }) => identity)])
  const verdicts = distrustInverses(given, unsettled)

  const done = verdicts.filter(({ next }) => next.kind === 'done')
  const at = leased.now
  const by = auditedBy(engine, claim.target)
  const replaced = await unlinkReplacedBy(tx, claim, by, done, at)
  const settleMs = settleMsOf(engine, claim.target)
  const accounts = await saveAccountsSeen(tx, done, claim, settleMs)
  const trusted = distrustTakenAccounts(claim, verdicts, accounts)
  const proved = trusted.filter(({ next }) => next.kind === 'done')
  const twins = await pinResolved(tx, proved)
  const { entries: listed, surprising } = await saveGrants(tx, claim, proved, accounts, twins, at, settleMs)
  const indirect = linking.flatMap((one) => {
    const account = accounts.get(one.identity)
    return account === undefined ? [] : [{ ...one, account }]
  })
  // Whoever it concerns is in `due`.
  const { entries } =
    indirect.length === 0
      ? { entries: [] }
      : await saveIndirectAccess(tx, claim.target, by, at, claim.claimedAt, indirect)
  const settled = distrustTwins(trusted, twins)
  tx.defer(settleActions(tx, settled.map(settledRow)))
  tx.defer(saveGoneAndBack(tx, claim, settled, at))
  tx.defer(
    saveAbsent(
      tx,
      at,
      claim.target,
      settled.filter(foundNone).map(({ action: { kind, identity_id, profile } }) => ({
        identity: identity_id,
        // Whoever's account was deleted was looked for by its native id.
        soughtAs:
          kind === 'ensureAccount' ? (engine.connectors.get(claim.target)?.creationHash(profile ?? {}) ?? null) : null,
      })),
    ),
  )
  if (over) tx.defer(finishDispatch(tx, claim.dispatch, 'done'))
  const releasing = releaseWaiting(
    tx,
    settled.flatMap(({ action, next }) =>
      action.kind === 'revoke' && next.kind === 'done' ? [action.identity_id] : [],
    ),
  )
  // Awaited at the end; until then its failure is not nobody's.
  releasing.catch(() => {})
  const accountsOf = (kind: 'disable' | 'endSessions' | 'deleteAccount') =>
    settled.flatMap(({ action, next }) =>
      action.kind === kind && next.kind === 'done' && action.account_id !== null ? [action.account_id] : [],
    )
  const signingOut = saveSignOuts(engine, tx, claim, settled, at)
  tx.defer(signingOut)
  // Found shut already, for one: nobody plans a disable of it, and it is read again all the same.
  const sought = settled.flatMap(({ action, next }) =>
    next.kind === 'done' && seeksOnly({ kind: action.kind, lane: claim.lane })
      ? (accounts.get(action.identity_id) ?? [])
      : [],
  )
  tx.defer(
    scheduleLeaveChecks(tx, at, claim.target, [
      ...new Set([...accountsOf('disable'), ...accountsOf('endSessions'), ...sought]),
    ]),
  )
  tx.defer(saveDeleted(tx, at, accountsOf('deleteAccount')))
  const twinned = twins.size === 0 ? [] : settled.filter(({ action }) => twins.has(action.entitlement_id ?? 0))
  tx.defer(makeDue(tx, [...due, ...twinned.map(({ action }) => action.identity_id)]))
  await tellOutcomes(tx, claim, by, settled, at)

  const details = settled.map(({ action, outcome }) => {
    const message = 'cause' in outcome ? outcome.cause.message : undefined
    return message === undefined ? null : personalDetail(action.subject_ref, { message })
  })
  tx.defer(
    savePersonalDetails(
      tx,
      at,
      details.filter((detail) => detail !== null),
    ),
  )
  tx.defer(
    appendAudit(tx, at, [
      ...replaced,
      ...listed,
      ...entries,
      ...settled.map((one, index) =>
        outcomeEntry(at, claim, one, details[index] ?? null, {
          by,
          account: one.action.account_id ?? accounts.get(one.action.identity_id) ?? null,
        }),
      ),
    ]),
  )
  mustBeLocked(due, [...(await surprising()), ...(await signingOut)])
  return { kind: 'settled', released: (await releasing).map(({ lane }) => lane as Lane) }
}

/** Accounts that this call found or made, with what they hold indirectly. */
const linkedWith = ({ action, outcome, next }: Verdict): readonly Omit<HeldIndirectly, 'account'>[] =>
  next.kind === 'done' && outcome.kind === 'done' && outcome.account !== undefined && outcome.indirect !== undefined
    ? [
        {
          identity: action.identity_id,
          subject_ref: action.subject_ref,
          native_id: outcome.account.nativeId,
          held: outcome.indirect,
          addsOnly: action.account_id !== null,
        },
      ]
    : []

/** Whoever looked for a leaver's account is done without one. */
const foundNone = ({ action, outcome, next }: Verdict): boolean =>
  next.kind === 'done' &&
  (action.kind === 'deleteAccount' || (action.kind === 'ensureAccount' && outcome.kind === 'refused'))
