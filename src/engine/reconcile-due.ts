import type { TargetId } from '../domain/ids.ts'
import { errorFields } from '../log.ts'
import { endReconcileTurn, keepReconcileTurn, postponeReconcile, takeReconcileTurn } from '../store/reconciliations.ts'
import type { Engine } from './engine.ts'
import { reconcile } from './reconcile.ts'

/** After a failure, ms. */
const againMs = 60_000

/** Longer than the largest target takes, ms: what was not told by then is unread, with its finding, and asked again. */
const patienceMs = 6 * 3_600_000

/** What is being listed now. */
export type Listing = Map<TargetId, Promise<void>>

/**
 * Begins to list and compare every target whose time has come; of several processes one takes the turn, and says at
 * each look that it still is at it. A target that takes long, fails or hangs stops no other: its own next turn waits for it.
 */
export const reconcileDue = async (engine: Engine, listing: Listing, signal: AbortSignal): Promise<void> => {
  for (const one of engine.targets) {
    const { id, reconcileEveryMs } = one
    if (signal.aborted) return
    if (listing.has(id)) await keepReconcileTurn(engine.db, id)
    else if (await takeReconcileTurn(engine.db, id, reconcileEveryMs))
      listing.set(
        id,
        reconcileOne(engine, one, signal).finally(() => listing.delete(id)),
      )
  }
}

const reconcileOne = async (
  engine: Engine,
  { id, reconcileEveryMs }: Engine['targets'][number],
  signal: AbortSignal,
): Promise<void> => {
  try {
    const {
      unread,
      shrunken,
      changes: _,
      ...counts
    } = await reconcile(engine, id, {
      actor: { type: 'engine', name: 'schedule' },
      signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]),
    })
    // Else it counts as going on for ten minutes more.
    await endReconcileTurn(engine.db, id, reconcileEveryMs).catch(() => {})
    engine.log.info({ ...counts, unread: unread.length, shrunken: shrunken.length }, 'reconciled')
  } catch (error) {
    await postponeReconcile(engine.db, id, againMs).catch(() => {})
    engine.log.error({ target: id, ...errorFields(error) }, 'a target could not be reconciled')
  }
}
