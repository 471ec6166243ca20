import { setFlagsFromString } from 'node:v8'
import { Worker } from 'node:worker_threads'
import { errorFields, type Log } from '../log.ts'
import type { FromThread, LaneThreadData, ToThread } from './lane-thread.ts'

export type LeaverThread = {
  readonly started: Promise<void>
  readonly resume: () => void
  /** Resolves when it ended, by itself or by force after `graceMs`. */
  readonly stop: (graceMs: number) => Promise<void>
}

/** More deaths than this within `windowMs` are no accident: the process ends and whoever runs it must see. */
const deathsAllowed = 5
const windowMs = 60_000
/** Half of the main thread's: leavers are few, and what ingest reads lives only until it is stored. */
const semiSpaceMb = 8

/**
 * Runs the leaver lane and ingest in a thread and starts it again when it dies. Meanwhile the sweeper
 * of the main thread evaluates leavers that wait too long; events wait until Kafka has given up the dead consumer (ADR 0014).
 */
export const startLeaverThread = (
  data: LaneThreadData,
  log: Log,
  /** It died too often, or says that it cannot go on: why. */
  giveUp: (why: string) => void,
): LeaverThread => {
  let stopping = false
  let thread: Worker
  let exited: Promise<void>
  const deaths: number[] = []

  const start = (): Promise<void> =>
    new Promise((resolve, reject) => {
      // A flag of the process goes before the resourceLimits of a thread; the heap of this thread stays as it is.
      setFlagsFromString(`--max-semi-space-size=${semiSpaceMb}`)
      thread = new Worker(new URL('./lane-thread.ts', import.meta.url), {
        workerData: data,
        name: `muster-${data.lane}`,
      })
      exited = new Promise((ended) => {
        thread.on('exit', (code) => {
          ended()
          reject(new Error(`the ${data.lane} thread ended with ${code} before it had started`))
          if (!stopping) restart(code)
        })
      })
      thread.on('error', (error) =>
        log.error({ lane: data.lane, ...errorFields(error) }, 'the thread of a lane failed'),
      )
      thread.on('message', (message: FromThread) => (message === 'started' ? resolve() : giveUp(message.fatal)))
    })

  const restart = (code: number) => {
    const now = performance.now()
    deaths.push(now)
    const recent = deaths.filter((at) => now - at < windowMs).length
    log.error({ lane: data.lane, code, recent }, 'the thread of a lane ended: starting it again')
    if (recent > deathsAllowed) return giveUp(`the ${data.lane} thread ends again and again`)
    setTimeout(() => stopping || start().catch(() => {}), 100 * 2 ** (recent - 1))
  }

  const started = start()
  return {
    started,
    resume: () => thread.postMessage('resume' satisfies ToThread),
    stop: async (graceMs) => {
      stopping = true
      thread.postMessage('stop' satisfies ToThread)
      const timer = setTimeout(() => void thread.terminate(), graceMs)
      await exited
      clearTimeout(timer)
    },
  }
}
