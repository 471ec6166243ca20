import type { Lane } from '../domain/action.ts'
import type { Engine } from '../engine/engine.ts'
import { createLoop, type Loop } from './loop.ts'
import type { Queues } from './queues.ts'
import type { DispatchRef, EngineVerbs } from './verbs.ts'

const pollMs = 500
/** While bulk actions gather, the verb is asked so often whether a batch may go. */
const tickMs = 40
/** A pass looks at all that is ready, also at what waits for its account: passes take at most a tenth of the time. */
const spacing = 9
/** So long after a nudge a batch may still be gathering: the verb lets none grow older than 1 s. */
const gathersForMs = 1_100

/**
 * Turns ready actions into dispatches and puts them on their queues after the commit. When the queue is not there, the
 * leavers' own poll is told at once; joiners wait for Redis or the sweeper.
 */
export const createDispatchLoop = (engine: Engine, verbs: EngineVerbs, lane: Lane, queues: Queues): Loop => {
  let gatheringUntil = 0
  const putOrTell = async (dispatched: readonly DispatchRef[]): Promise<readonly number[]> => {
    const put = await queues.put(dispatched)
    if (put.length < dispatched.length) engine.nudge('provision', lane)
    return put
  }
  const loop = createLoop({
    name: `dispatch-${lane}`,
    log: engine.log,
    pollMs,
    turn: async () => {
      const begun = performance.now()
      const dispatched = await verbs.dispatch(engine, lane)
      const costMs = performance.now() - begun
      if (dispatched.length > 0) gatheringUntil = Math.max(gatheringUntil, performance.now() + 2 * tickMs)
      if (lane === 'leaver') {
        // Nobody waits for a Redis that hangs, and no claim for the mark that bulk dispatches get: age counts from creation.
        void putOrTell(dispatched)
        return { next: 'rest' }
      }
      const put = await putOrTell(dispatched)
      if (put.length > 0) await verbs.markQueued(engine, put)
      return performance.now() < gatheringUntil
        ? { next: 'soon', afterMs: Math.max(tickMs, spacing * costMs) }
        : { next: 'rest' }
    },
  })
  if (lane !== 'bulk') return loop
  // Nudges do not hurry a batch that gathers: each would ask the database about the same half-full groups.
  return {
    ...loop,
    nudge: () => {
      const gathers = performance.now() < gatheringUntil
      gatheringUntil = performance.now() + gathersForMs
      if (!gathers) loop.nudge()
    },
  }
}
