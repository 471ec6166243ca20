import { Queue } from 'bullmq'
import type { Lane } from '../domain/action.ts'
import { errorFields, type Log } from '../log.ts'
import { type RedisLink, within } from './redis-link.ts'
import type { DispatchRef } from './verbs.ts'

/** A job is the id of a dispatch and nothing else: Redis holds no word about anybody. */
export type DispatchJob = { readonly dispatch: number }

export const queueName = (target: string, lane: Lane): string => `muster-${target}-${lane}`

/** Unknown to BullMQ for every queueing: an id that it remembers as failed or completed would be dropped in silence. */
export const jobId = ({ id, queueNo }: DispatchRef): string => `d-${id}-${queueNo}`

export type Queues = {
  /**
   * Puts dispatches on their queues and answers with the ids of those that surely are there. The others are kept and
   * tried again when Redis answers; a job too many is harmless, the claim decides.
   */
  readonly put: (refs: readonly DispatchRef[]) => Promise<readonly number[]>
  readonly close: () => Promise<void>
}

const putWithinMs = 1_000
/** More than this waits for the sweeper: a long outage must not fill the memory. */
const keptAtMost = 10_000

export const openQueues = (redis: RedisLink, prefix: string, log: Log): Queues => {
  const queues = new Map<string, Queue<DispatchJob>>()
  const kept = new Map<string, DispatchRef>()

  const queueOf = (target: string, lane: Lane): Queue<DispatchJob> => {
    const name = queueName(target, lane)
    const known = queues.get(name)
    if (known !== undefined) return known
    const queue = new Queue<DispatchJob>(name, {
      connection: redis.commands,
      prefix,
      skipVersionCheck: true,
      streams: { events: { maxLen: 100 } },
      defaultJobOptions: { attempts: 1, removeOnComplete: true, removeOnFail: true },
    })
    queue.on('error', () => {}) // the link tells of trouble with the connection
    queues.set(name, queue)
    return queue
  }

  const keep = (refs: readonly DispatchRef[]) => {
    for (const ref of refs) if (kept.size < keptAtMost) kept.set(jobId(ref), ref)
  }

  const put = async (refs: readonly DispatchRef[]): Promise<readonly number[]> => {
    if (refs.length === 0) return []
    if (!redis.reachable()) {
      keep(refs)
      return []
    }
    const groups = Map.groupBy(refs, ({ target, lane }) => queueName(target, lane))
    const done = await Promise.all(
      [...groups.values()].map(async (group) => {
        const [{ target, lane }] = group as [DispatchRef]
        const jobs = group.map((ref) => ({ name: 'dispatch', data: { dispatch: ref.id }, opts: { jobId: jobId(ref) } }))
        try {
          await within(putWithinMs, queueOf(target, lane).addBulk(jobs))
          return group.map(({ id }) => id)
        } catch (error) {
          log.warn(
            { target, lane, jobs: jobs.length, ...errorFields(error) },
            'jobs may not be on the queue: they are put there again',
          )
          keep(group)
          return []
        }
      }),
    )
    return done.flat()
  }

  redis.onReachable(() => {
    const again = [...kept.values()]
    kept.clear()
    void put(again)
  })

  return {
    put,
    close: async () => {
      await Promise.all([...queues.values()].map((queue) => within(1_000, queue.close()).catch(() => {})))
    },
  }
}
