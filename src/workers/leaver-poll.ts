import type { GiveWay } from './give-way.ts'
import { createLoop, type Loop } from './loop.ts'
import { type ProvisionContext, provisionUntilDone } from './provision-until-done.ts'
import type { RedisLink } from './redis-link.ts'

/** A queued leaver that no worker claimed for so long is taken from Postgres, whatever Redis says. */
const unclaimedForMs = 1_000
const pollMs = 250

/**
 * The leavers' way around Redis (DESIGN §3): while it is unreachable every queued leaver is taken at once, and always
 * those that have waited too long. Never waits for Redis, and one slow target call never for another leaver's.
 */
export const createLeaverPoll = (
  context: ProvisionContext & { readonly redis: RedisLink; readonly way: GiveWay; readonly concurrency: number },
): Loop => {
  const { engine, verbs, redis, way, concurrency } = context
  const inWork = new Map<number, Promise<void>>()
  const loop = createLoop({
    name: 'leaver-poll',
    log: engine.log,
    pollMs,
    turn: async () => {
      if (inWork.size >= concurrency) return { next: 'rest' }
      const found = await verbs.unclaimedLeavers(engine, redis.reachable() ? unclaimedForMs : 0)
      const todo = found
        .map(({ id }) => id)
        .filter((id) => !inWork.has(id))
        .slice(0, concurrency - inWork.size)
      if (todo.length > 0 && redis.reachable())
        engine.log.warn({ dispatches: todo.length }, 'leavers waited for their queue: taken from the database')
      for (const id of todo) {
        const gone = way.inHand()
        const work = provisionUntilDone(context, id).finally(() => {
          gone()
          inWork.delete(id)
          loop.nudge()
        })
        inWork.set(id, work)
      }
      return { next: 'rest' }
    },
  })
  return {
    ...loop,
    stop: async () => {
      await loop.stop()
      await Promise.all(inWork.values())
    },
  }
}
