import { errorFields } from '../log.ts'
import { postponeReconcile, takeReconcileTurn } from '../store/reconciliations.ts'
import type { Engine } from './engine.ts'
import { reconcile } from './reconcile.ts'

/** After a failure, ms. */
const againMs = 60_000

/** Lists and compares every target whose time has come; of several processes one takes the turn. One that fails stops no other. */
export const reconcileDue = async (engine: Engine, signal: AbortSignal): Promise<void> => {
  for (const { id, reconcileEveryMs } of engine.targets) {
    if (signal.aborted || !(await takeReconcileTurn(engine.db, id, reconcileEveryMs))) continue
    try {
      const {
        unread,
        shrunken,
        changes: _,
        ...counts
      } = await reconcile(engine, id, {
        actor: { type: 'engine', name: 'schedule' },
        signal,
      })
      engine.log.info({ ...counts, unread: unread.length, shrunken: shrunken.length }, 'reconciled')
    } catch (error) {
      await postponeReconcile(engine.db, id, againMs).catch(() => {})
      engine.log.error({ target: id, ...errorFields(error) }, 'a target could not be reconciled')
    }
  }
}
