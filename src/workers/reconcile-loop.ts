import { checkLeavers } from '../engine/check-leavers.ts'
import type { Engine } from '../engine/engine.ts'
import { type Listing, reconcileDue } from '../engine/reconcile-due.ts'
import { createLoop, type Loop } from './loop.ts'

/** How often it is looked whether a target is due. */
const pollMs = 30_000

export const createReconcileLoop = (engine: Engine): Loop => {
  const listing: Listing = new Map()
  const loop = createLoop({
    name: 'reconcile',
    log: engine.log,
    pollMs,
    turn: async (signal) => {
      await checkLeavers(engine, signal)
      await reconcileDue(engine, listing, signal)
      return { next: 'rest' }
    },
  })
  return {
    ...loop,
    stop: async () => {
      await loop.stop()
      await Promise.all(listing.values())
    },
  }
}
