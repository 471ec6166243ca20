import { Queue } from 'bullmq'
import { expect, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { createLog } from '../../src/log.ts'
import { createGiveWay, giveWayMemory } from '../../src/workers/give-way.ts'
import {
  type ProvisionWorker,
  type ProvisionWorkerOptions,
  startProvisionWorker,
} from '../../src/workers/provision-worker.ts'
import { jobId, openQueues, queueName } from '../../src/workers/queues.ts'
import { openRedis } from '../../src/workers/redis-link.ts'
import type { EngineVerbs } from '../../src/workers/verbs.ts'
import { watchWorkers } from '../../src/workers/watchdog.ts'
import { freshRedisPrefix } from '../support/stack.ts'
import { until } from '../support/until.ts'

const log = createLog('silent', 'test')

const workerOf = (
  own: Pick<ProvisionWorkerOptions, 'verbs' | 'redis' | 'prefix' | 'lane' | 'signal'>,
): ProvisionWorker =>
  startProvisionWorker({
    ...own,
    engine: { log } as Engine,
    target: 'corp',
    concurrency: 1,
    way: createGiveWay(giveWayMemory()),
  })

/** As seen after failovers: it says that it runs, and takes nothing. */
const hanging = (lastAt: number): ProvisionWorker => ({
  queue: queueName('corp', 'bulk'),
  activity: () => ({ active: 0, lastAt }),
  stop: async () => {},
})

test('a worker that takes nothing although jobs wait is replaced, and the jobs are done; one that merely rests is left alone', async () => {
  const { url, prefix } = freshRedisPrefix()
  const redis = openRedis(url, log)
  await until(() => redis.reachable())
  const queues = openQueues(redis, prefix, log)
  const provisioned: number[] = []
  const verbs = {
    provision: async (_engine: Engine, dispatch: number) => void provisioned.push(dispatch),
  } as unknown as EngineVerbs
  const started: ProvisionWorker[] = []
  const ending = new AbortController()
  const replace = () => {
    started.push(workerOf({ verbs, redis, prefix, lane: 'bulk', signal: ending.signal }))
  }
  try {
    const longAgo = performance.now() - 60_000
    await watchWorkers([{ worker: hanging(longAgo), replace }], redis, prefix, log)
    expect(started).toHaveLength(0)

    expect(await queues.put([{ id: 7, target: 'corp', lane: 'bulk', queueNo: 1 }])).toEqual([7])
    await watchWorkers([{ worker: hanging(performance.now()), replace }], redis, prefix, log)
    expect(started).toHaveLength(0)

    await watchWorkers([{ worker: hanging(longAgo), replace }], redis, prefix, log)
    expect(started).toHaveLength(1)
    await until(() => provisioned.length === 1)
    expect(provisioned).toEqual([7])
  } finally {
    ending.abort()
    for (const worker of started) await worker.stop(5_000)
    await queues.close()
    redis.close()
  }
})

test('the same dispatch is queued again under its next number, also when its last job failed or is done', async () => {
  const { url, prefix } = freshRedisPrefix()
  const redis = openRedis(url, log)
  await until(() => redis.reachable())
  const queues = openQueues(redis, prefix, log)
  const runs: number[] = []
  const verbs = {
    provision: async (_engine: Engine, dispatch: number) => {
      runs.push(dispatch)
      throw new Error('a bug')
    },
  } as unknown as EngineVerbs
  const ending = new AbortController()
  const worker = workerOf({ verbs, redis, prefix, lane: 'leaver', signal: ending.signal })
  try {
    for (const queueNo of [1, 2, 3]) {
      await queues.put([{ id: 7, target: 'corp', lane: 'leaver', queueNo }])
      await until(() => runs.length === queueNo)
    }
  } finally {
    ending.abort()
    await worker.stop(5_000)
    await queues.close()
    redis.close()
  }
})

test('a job that is taken in the moment of the end goes back to the queue', async () => {
  const { url, prefix } = freshRedisPrefix()
  const redis = openRedis(url, log)
  await until(() => redis.reachable())
  const queues = openQueues(redis, prefix, log)
  const queue = new Queue(queueName('corp', 'leaver'), { connection: redis.connect(), prefix })
  const ending = new AbortController()
  ending.abort()
  const worker = workerOf({ verbs: {} as EngineVerbs, redis, prefix, lane: 'leaver', signal: ending.signal })
  try {
    await queues.put([{ id: 7, target: 'corp', lane: 'leaver', queueNo: 1 }])
    const id = jobId({ id: 7, target: 'corp', lane: 'leaver', queueNo: 1 })
    // Taken at least once, or over.
    await until(async () => {
      const job = await queue.getJob(id)
      return job === undefined || job.attemptsStarted > 0
    })
    await worker.stop(5_000)
    expect((await queue.getWaitingCount()) + (await queue.getActiveCount())).toBe(1)
  } finally {
    await queue.close()
    await queues.close()
    redis.close()
  }
})
