import { WaitingError, Worker } from 'bullmq'
import type { Lane } from '../domain/action.ts'
import type { Engine } from '../engine/engine.ts'
import type { GiveWay } from './give-way.ts'
import { provisionUntilDone } from './provision-until-done.ts'
import { type DispatchJob, queueName } from './queues.ts'
import { type RedisLink, within } from './redis-link.ts'
import type { EngineVerbs } from './verbs.ts'

export type ProvisionWorkerOptions = {
  readonly engine: Engine
  readonly verbs: EngineVerbs
  readonly redis: RedisLink
  readonly prefix: string
  readonly target: string
  readonly lane: Lane
  readonly concurrency: number
  readonly way: GiveWay
  /** Aborts when the process is told to stop. */
  readonly signal: AbortSignal
}

/** How soon a dead worker's jobs are noticed. Postgres decides who may do them, so noticing too early is harmless. */
const stalls = {
  leaver: { lockDuration: 10_000, stalledInterval: 5_000 },
  bulk: { lockDuration: 30_000, stalledInterval: 15_000 },
} as const satisfies Record<Lane, object>

/** At the default of 1 a second crash would fail the job without ever running it. */
const maxStalledCount = 20

export type ProvisionWorker = {
  readonly queue: string
  /** Jobs in work, and when one last began or ended (performance.now()): for the watchdog. */
  readonly activity: () => { readonly active: number; readonly lastAt: number }
  /** Waits for the jobs in work at most so long, ms. */
  readonly stop: (withinMs: number) => Promise<void>
}

/** Takes dispatches of one target and lane from its queue. What became of one is written in Postgres, never here. */
export const startProvisionWorker = (options: ProvisionWorkerOptions): ProvisionWorker => {
  const { engine, redis, prefix, target, lane, concurrency, way } = options
  let active = 0
  let lastAt = performance.now()
  const worker = new Worker<DispatchJob>(
    queueName(target, lane),
    async (job, token) => {
      if (options.signal.aborted) {
        // Taken from the queue in the moment of the end: somebody else's now.
        await job.moveToWait(token)
        throw new WaitingError()
      }
      active++
      lastAt = performance.now()
      if (lane === 'bulk') await way.given()
      const gone = lane === 'leaver' ? way.inHand() : () => {}
      try {
        await provisionUntilDone(options, job.data.dispatch)
      } finally {
        active--
        lastAt = performance.now()
        gone()
      }
    },
    {
      connection: redis.connect(),
      prefix,
      concurrency,
      maxStalledCount,
      skipVersionCheck: true,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
      ...stalls[lane],
    },
  )
  worker.on('error', () => {}) // the link tells of trouble with the connection
  worker.on('stalled', (id) => engine.log.warn({ target, lane, job: id }, 'a job stalled: its worker died or hung'))
  return {
    queue: queueName(target, lane),
    activity: () => ({ active, lastAt }),
    stop: async (withinMs) => {
      // Without Redis `close` would never end: then only the jobs in work are waited for.
      const ended = redis.reachable() ? worker.close() : untilIdle(() => active, withinMs)
      await within(withinMs, ended).catch(() => {})
      await within(500, worker.disconnect()).catch(() => {})
    },
  }
}

const untilIdle = async (active: () => number, withinMs: number): Promise<void> => {
  const until = performance.now() + withinMs
  while (active() > 0 && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 20))
}
