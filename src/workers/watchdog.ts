import { Queue } from 'bullmq'
import type { Log } from '../log.ts'
import type { ProvisionWorker } from './provision-worker.ts'
import { type RedisLink, within } from './redis-link.ts'

/** Jobs wait, Redis answers, and the worker neither began nor ended one for so long: it hangs (seen after failovers). */
const stuckForMs = 10_000

export type WatchedWorker = { readonly worker: ProvisionWorker; readonly replace: () => void }

/** Looks once at every worker and replaces those that hang. Jobs in work of a replaced worker go on; the claim decides. */
export const watchWorkers = async (
  workers: readonly WatchedWorker[],
  redis: RedisLink,
  prefix: string,
  log: Log,
): Promise<void> => {
  for (const { worker, replace } of workers) {
    const { active, lastAt } = worker.activity()
    if (active > 0 || performance.now() - lastAt < stuckForMs || !redis.reachable()) continue
    const queue = new Queue(worker.queue, {
      connection: redis.commands,
      prefix,
      skipVersionCheck: true,
      skipMetasUpdate: true,
    })
    queue.on('error', () => {})
    const waiting = await within(1_000, queue.getWaitingCount()).catch(() => 0)
    await within(1_000, queue.close()).catch(() => {})
    // Looked at again: a job may have come and gone meanwhile.
    if (waiting === 0 || worker.activity().lastAt !== lastAt) continue
    log.error({ queue: worker.queue, waiting }, 'a queue worker hangs: replacing it')
    replace()
  }
}
