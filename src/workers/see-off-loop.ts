import type { Claim } from '../engine/claim.ts'
import type { Engine } from '../engine/engine.ts'
import { errorFields } from '../log.ts'
import type { GiveWay } from './give-way.ts'
import { createLoop, type Loop } from './loop.ts'
import type { Queues } from './queues.ts'
import type { EngineVerbs } from './verbs.ts'

const pollMs = 250
/** So many leavers' calls may be out, of all their targets, before others take the way of the queue. */
const atOnce = 2

/**
 * The leaver lane's evaluation in a process that also dispatches and provisions. While fewer than `atOnce` calls are out,
 * a leaver goes from evaluation to its target without a queue; else the dispatch loop and BullMQ share the work.
 */
export const createSeeOffLoop = (engine: Engine, verbs: EngineVerbs, queues: Queues, way: GiveWay): Loop => {
  const out = new Set<Promise<void>>()
  const carryOut = (claim: Claim, begun: number): Promise<void> =>
    verbs
      .carryOut(engine, claim, begun)
      // Its lease runs out and the sweeper has it read back: nothing is lost, only time.
      .catch((error: unknown) =>
        engine.log.error(
          { dispatch: claim.dispatch, ...errorFields(error) },
          'a leaver was not recorded: its lease will run out',
        ),
      )
  const carryOutAll = (claims: readonly Claim[], begun: number) => {
    if (claims.length === 0) return
    const gone = way.inHand()
    const calls = Promise.all(claims.map((claim) => carryOut(claim, begun))).then(() => {
      out.delete(calls)
      gone()
      // What came beside them was dispatched by nobody: one look, when nobody waits for it.
      engine.nudge('dispatch', 'leaver')
    })
    out.add(calls)
  }
  const loop = createLoop({
    name: 'see-off',
    log: engine.log,
    pollMs,
    turn: async () => {
      const direct = out.size < atOnce
      const seen = direct
        ? await verbs.seeOff(engine)
        : { ...(await verbs.evaluate(engine, 'leaver')), claims: [], dispatched: false, queue: [], begun: 0 }
      carryOutAll(seen.claims, seen.begun)
      const put = seen.queue.length === 0 ? [] : await queues.put(seen.queue)
      if (put.length < seen.queue.length) engine.nudge('provision', 'leaver')
      if (seen.evaluated > 0 && !seen.dispatched) engine.nudge('dispatch', 'leaver')
      if (seen.evaluated > 0) engine.nudge('dispatch', 'bulk')
      return { next: seen.more ? 'now' : 'rest' }
    },
  })
  return {
    ...loop,
    stop: async () => {
      await loop.stop()
      await Promise.all(out)
    },
  }
}
