import type { Lane } from '../domain/action.ts'
import { type ProvisionWorker, type ProvisionWorkerOptions, startProvisionWorker } from './provision-worker.ts'
import { watchWorkers } from './watchdog.ts'

export type ProvisionTarget = { readonly id: string; readonly concurrency: Readonly<Record<Lane, number>> }

type Options = Omit<ProvisionWorkerOptions, 'target' | 'lane' | 'concurrency'> & {
  readonly lanes: readonly Lane[]
  readonly targets: readonly ProvisionTarget[]
}

const watchEveryMs = 5_000

/** One worker for each target and lane: a slow target keeps no other waiting, bulk work keeps no leaver waiting. */
export const startProvisionWorkers = ({
  lanes,
  targets,
  ...options
}: Options): { readonly stop: (withinMs: number) => Promise<void> } => {
  const workers = targets.flatMap(({ id, concurrency }) =>
    lanes.map((lane) => {
      const start = () => startProvisionWorker({ ...options, target: id, lane, concurrency: concurrency[lane] })
      return { worker: start(), start }
    }),
  )
  const replaced: Promise<void>[] = []
  let watching = false
  const watch = async () => {
    if (watching || options.signal.aborted) return
    watching = true
    const watched = workers.map((one) => ({
      worker: one.worker,
      replace: () => {
        replaced.push(one.worker.stop(30_000))
        one.worker = one.start()
      },
    }))
    await watchWorkers(watched, options.redis, options.prefix, options.engine.log).catch(() => {})
    watching = false
  }
  const timer = setInterval(() => void watch(), watchEveryMs)
  return {
    stop: async (withinMs) => {
      clearInterval(timer)
      await Promise.all(workers.map(({ worker }: { worker: ProvisionWorker }) => worker.stop(withinMs)))
    },
  }
}
