import type { Actor } from '../domain/actor.ts'
import type { TargetId } from '../domain/ids.ts'
import {
  accountsBehind,
  accountsUpToDate,
  believedElsewhere,
  noteAccounts,
  saveFullRead,
  upToDate,
} from '../store/behind.ts'
import { databaseNow } from '../store/clock.ts'
import { listables, saveListedAt } from '../store/reconciliations.ts'
import { changesOf } from './changes-of.ts'
import { believedOf, type Compared, compare, driftOf, notShown, shrunkenOf } from './compare-members.ts'
import { confirmDrift } from './confirm-drift.ts'
import { correlate } from './correlate.ts'
import { accountsOf, readLists, readUnresolved } from './list-members.ts'
import { reconcileAccounts } from './reconcile-accounts.ts'
import { reconcileIndirect } from './reconcile-indirect.ts'
import type { AccountsReconciled, Correlated, IndirectReconciled, Reconciler, Reconciliation } from './reconciler.ts'
import { type Drift, saveDrift } from './save-drift.ts'
import type { Returned } from './save-returned.ts'
import { takeChanges } from './take-changes.ts'
import { conclude, tellStrangers } from './tell-reconciled.ts'

export type ReconcileOptions = {
  readonly actor: Actor
  /** A human has looked: what the lists lack is gone indeed. */
  readonly acceptShrunken?: boolean
  /** Everything is read, whatever the target's change log says. */
  readonly full?: boolean
  readonly signal: AbortSignal
}

/**
 * Lists who is in each entitlement of the catalogue and compares that with what was verified. What differs, and neither
 * the work in hand nor a second look explains, is written down as drift, and whoever it concerns is evaluated: the one
 * planner decides what follows. Only complete lists count, and none that lacks too much of what was there.
 */
export const reconcile = async (
  engine: Reconciler,
  target: TargetId,
  { actor, acceptShrunken = false, full = acceptShrunken, signal }: ReconcileOptions,
): Promise<Reconciliation> => {
  const connector = engine.connectors.get(target)
  if (connector === undefined) throw new Error(`there is no connector for ${target}`)
  const extent = await takeChanges(engine, target, connector, { full, signal })
  // Before the first read: whatever was verified later is newer than what is read here.
  const begun = await databaseNow(engine.db)
  const catalogue = await listables(engine.db, target, extent === 'delta')
  const correlated = await correlate(engine, target, connector, signal)
  const { lists, unread: unlisted } = await readLists(connector, catalogue, signal)
  const unread = [...unlisted, ...(await readUnresolved(engine.db, connector, signal))]
  const who = await accountsOf(connector, lists, signal)
  const believed = await believedOf(engine, lists)
  if (who.kind === 'read' && extent === 'delta') await noteAccounts(engine.db, notShown(lists, who.accounts, believed))
  // Before it is noted that these were read.
  const behind = extent === 'delta' ? await accountsBehind(engine.db, target) : []
  const {
    told: accounts,
    absent,
    outOfSight,
    returned,
    stillBehind,
  } = await reconcileAccounts(engine, target, connector, {
    begun,
    extent,
    acceptShrunken,
    signal,
  })
  const beside = { extent, behind, acceptShrunken, signal }
  /** What they are, and what they hold indirectly: whoever dies before both are read must be read again. */
  const caughtUp = async () => {
    if (stillBehind === null) return
    // A full run was told of nobody: what it leaves open, no change log tells again.
    if (extent === 'full') await noteAccounts(engine.db, stillBehind)
    await accountsUpToDate(engine.db, target, begun, stillBehind)
  }
  if (who.kind === 'unread') {
    const indirect = await reconcileIndirect(engine, target, connector, { ...beside, lists: [], accounts: new Map() })
    await caughtUp()
    const result = nothingLearnt(target, extent, returned, { ...accounts, ...correlated, ...indirect }, [
      ...unread,
      ...lists.map(({ key }) => ({ key, cause: who.cause })),
    ])
    await conclude(engine, result, actor, begun)
    return result
  }

  const compared: Compared[] = []
  for (const list of lists)
    compared.push(await compare(engine, target, list, who, believed.get(list.id) ?? [], { absent, outOfSight }))
  const lost = compared.some(({ differences }) => differences.some(({ kind }) => kind === 'gone'))
  const read = compared.map(({ entitlement }) => entitlement.id)
  const elsewhere = lost && extent === 'delta' ? await believedElsewhere(engine.db, target, read) : 0
  const shrunken = acceptShrunken ? [] : shrunkenOf(compared, elsewhere)
  const trusted = compared.filter(({ entitlement }) => !shrunken.some(({ key }) => key === entitlement.key))
  // A list that lacks too much is not believed in what it lacks; whom it shows is there.
  const drift = compared.flatMap((one) =>
    driftOf(one).filter(({ kind }) => kind !== 'missing' || trusted.includes(one)),
  )
  const confirmed = await confirmDrift(connector, drift, { outOfSight, turn: begun, signal })
  await engine.settings.pause?.('reconcile:compared')
  const saved = await saveDrift(engine, target, confirmed.drift, { begun })
  // After who was let in is known: that may have brought more than it says.
  const indirect = await reconcileIndirect(engine, target, connector, { ...beside, lists, accounts: who.accounts })
  await caughtUp()
  const notTold = new Set(confirmed.unread.map(({ entitlement }) => entitlement))
  const done = trusted.filter(({ entitlement }) => !notTold.has(entitlement.id))
  await engine.db.transaction(async (tx) => {
    await saveListedAt(tx, begun, done.filter(isFirstListWhole(drift, saved.drift)).map(listed))
    await upToDate(
      tx,
      begun,
      done.filter(isSettled(drift, saved.drift)).map(({ entitlement }) => entitlement.id),
    )
  })
  const result: Reconciliation = {
    target,
    extent,
    listed: done.length,
    members: done.reduce((sum, { members }) => sum + members, 0),
    appeared: saved.counts.appeared + returned.counts.appeared,
    missing: saved.counts.missing,
    found: saved.counts.found + returned.counts.found,
    changes: [...returned.changes, ...changesOf(catalogue, saved.drift)],
    passing: drift.length - confirmed.unread.length - saved.drift.length,
    uncorrelated: compared.reduce((sum, { strangers }) => sum + strangers.length, 0),
    noAccounts: compared.reduce((sum, { noAccounts }) => sum + noAccounts, 0),
    unread: [
      ...unread,
      ...trusted.flatMap(({ entitlement }) =>
        notTold.has(entitlement.id) ? [{ key: entitlement.key, cause: 'second-look-failed' }] : [],
      ),
    ],
    shrunken,
    ...accounts,
    ...correlated,
    ...indirect,
  }
  await tellStrangers(engine, target, compared)
  await conclude(engine, result, actor, begun)
  if (extent === 'full' && result.accountsUnread === null && result.indirectUnread === null)
    await saveFullRead(engine.db, target, begun)
  return result
}

const listed = ({ entitlement: { id, members_read_at }, members }: Compared) => ({
  entitlement: id,
  members,
  before: members_read_at,
})

/** Whom a first list shows and nobody wrote down would seem to come behind our back at the next one. */
const isFirstListWhole =
  (drift: readonly Drift[], saved: readonly Drift[]) =>
  ({ entitlement }: Compared): boolean =>
    entitlement.members_read_at !== null ||
    drift.filter((one) => one.entitlement === entitlement.id).every((one) => saved.includes(one))

/**
 * A difference that was not written down, because of work in hand or a doubtful second look, is looked at again; so is who stands there
 * where Muster may not look: no change log tells when it may.
 */
const isSettled =
  (drift: readonly Drift[], saved: readonly Drift[]) =>
  ({ entitlement, unseen }: Compared): boolean =>
    unseen === 0 && drift.filter((one) => one.entitlement === entitlement.id).every((one) => saved.includes(one))

const nothingLearnt = (
  target: TargetId,
  extent: Reconciliation['extent'],
  { counts, changes }: Returned,
  accounts: AccountsReconciled & Correlated & IndirectReconciled,
  unread: Reconciliation['unread'],
): Reconciliation => ({
  target,
  extent,
  listed: 0,
  members: 0,
  ...counts,
  passing: 0,
  uncorrelated: 0,
  noAccounts: 0,
  changes,
  unread,
  shrunken: [],
  ...accounts,
})
