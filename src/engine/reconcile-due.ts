import type { TargetId } from '../domain/ids.ts'
import { errorFields } from '../log.ts'
import { postponeReconcile, takeReconcileTurn } from '../store/reconciliations.ts'
import type { Engine } from './engine.ts'
import { reconcile } from './reconcile.ts'

/** After a failure, ms. */
const againMs = 60_000

/** Longer than the largest target takes, ms: what was not told by then is unread, with its finding, and asked again. */
const patienceMs = 6 * 3_600_000

/** What is being listed now. */
export type Listing = Map<TargetId, Promise<void>>

/**
 * Begins to list and compare every target whose time has come; of several processes one takes the turn. A target that takes
 * long, fails or hangs stops no other: its own next turn waits for it.
 */
export const reconcileDue = async (engine: Engine, listing: Listing, signal: AbortSignal): Promise<void> => {
  for (const { id, reconcileEveryMs } of engine.targets) {
    if (signal.aborted || listing.has(id) || !(await takeReconcileTurn(engine.db, id, reconcileEveryMs))) continue
    listing.set(
      id,
      reconcileOne(engine, id, signal).finally(() => listing.delete(id)),
    )
  }
}

const reconcileOne = async (engine: Engine, id: TargetId, signal: AbortSignal): Promise<void> => {
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
    engine.log.info({ ...counts, unread: unread.length, shrunken: shrunken.length }, 'reconciled')
  } catch (error) {
    await postponeReconcile(engine.db, id, againMs).catch(() => {})
    engine.log.error({ target: id, ...errorFields(error) }, 'a target could not be reconciled')
  }
}
