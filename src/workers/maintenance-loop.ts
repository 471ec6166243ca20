import type { Engine } from '../engine/engine.ts'
import { forgetNames } from '../engine/forget-names.ts'
import { keepPartitions } from '../engine/keep-partitions.ts'
import { reportFinding } from '../engine/report-finding.ts'
import { createLoop, type Loop } from './loop.ts'
import type { RedisLink } from './redis-link.ts'

const everyMs = 3_600_000

/** Once at start and then hourly: room for the audit's next months, names that are needed no more, and whether Redis may throw jobs away. */
export const createMaintenanceLoop = (engine: Engine, redis: RedisLink): Loop =>
  createLoop({
    name: 'maintenance',
    log: engine.log,
    pollMs: everyMs,
    turn: async () => {
      await keepPartitions(engine)
      await forgetNames(engine)
      const policy = redis.reachable() ? await redis.memoryPolicy() : null
      if (policy !== null && policy !== 'noeviction') {
        engine.log.warn({ policy }, 'redis may evict jobs: set maxmemory-policy to noeviction')
        await reportFinding(engine, {
          kind: 'redis-evicts',
          key: 'maxmemory-policy',
          urgent: false,
          identityId: null,
          detail: { policy },
        })
      }
      // Redis was not asked yet: soon again, else in an hour.
      return policy === null && !redis.reachable() ? { next: 'soon', afterMs: 10_000 } : { next: 'rest' }
    },
  })
