import type { Engine } from '../engine/engine.ts'
import type { Reobserving } from '../engine/reobserve-due.ts'
import { createLoop, type Loop } from './loop.ts'
import type { Queues } from './queues.ts'
import type { EngineVerbs } from './verbs.ts'

const everyMs = 2_000

/**
 * The net under everything: what was lost on a queue or by a dead worker comes back from Postgres. A target that does not answer
 * when late outcomes are read holds up no turn.
 */
export const createSweepLoop = (engine: Engine, verbs: EngineVerbs, queues: Queues): Loop => {
  const reading: Reobserving = new Map()
  const loop = createLoop({
    name: 'sweep',
    log: engine.log,
    pollMs: everyMs,
    turn: async () => {
      const { requeue, expired } = await verbs.sweep(engine, reading)
      if (requeue.length > 0 || expired > 0)
        engine.log.warn({ requeued: requeue.length, expired }, 'the sweeper repaired something')
      await queues.put(requeue)
      return { next: 'rest' }
    },
  })
  return {
    ...loop,
    stop: async () => {
      await loop.stop()
      await Promise.all(reading.values())
    },
  }
}
