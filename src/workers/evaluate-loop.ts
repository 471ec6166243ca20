import type { Lane } from '../domain/action.ts'
import type { Engine } from '../engine/engine.ts'
import { createLoop, type Loop } from './loop.ts'
import type { EngineVerbs } from './verbs.ts'

/** Timers (future-dated joiners, last days of work) come true by this poll: their lateness is at most this, ms. */
const pollMs = 250

export const createEvaluateLoop = (engine: Engine, verbs: EngineVerbs, lane: Lane): Loop => {
  let before = 0
  return createLoop({
    name: `evaluate-${lane}`,
    log: engine.log,
    pollMs,
    turn: async () => {
      const { evaluated, more } = await verbs.evaluate(engine, lane)
      // Said also when evaluation just ran dry: a dispatch that waited for more may go now.
      if (evaluated > 0 || before > 0) engine.nudge('dispatch', lane)
      before = evaluated
      return { next: more || evaluated > 0 ? 'now' : 'rest' }
    },
  })
}
