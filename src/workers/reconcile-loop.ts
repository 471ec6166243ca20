import { checkLeavers } from '../engine/check-leavers.ts'
import type { Engine } from '../engine/engine.ts'
import { reconcileDue } from '../engine/reconcile-due.ts'
import { createLoop, type Loop } from './loop.ts'

/** How often it is looked whether a target is due. */
const pollMs = 30_000

export const createReconcileLoop = (engine: Engine): Loop =>
  createLoop({
    name: 'reconcile',
    log: engine.log,
    pollMs,
    turn: async (signal) => {
      await checkLeavers(engine, signal)
      await reconcileDue(engine, signal)
      return { next: 'rest' }
    },
  })
