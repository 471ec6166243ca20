import { flushCompileCache } from 'node:module'
import { setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import type { Role } from '../app/roles.ts'
import { createApp } from '../app.ts'
import type { Config } from '../config.ts'
import type { Lane } from '../domain/action.ts'
import { errorFields } from '../log.ts'
import { pausesFor } from './test-pause.ts'

/** What the main thread gives, and the messages between both. */
export type LaneThreadData = {
  readonly config: Config
  readonly roles: readonly Role[]
  readonly lane: Lane
  readonly giveWay: SharedArrayBuffer
  readonly pauseAt?: string
}
export type ToThread = 'stop' | 'resume'
export type FromThread = 'started' | { readonly fatal: string }

/** One lane, and ingest with it, in a thread of its own: its event loop, its connections, its queue workers. Nothing is shared but the database and one moment. */
const main = async (
  { config, roles, lane, giveWay, pauseAt }: LaneThreadData,
  port: NonNullable<typeof parentPort>,
): Promise<void> => {
  try {
    setPriority(0, 0) // a thread started by a lowered main thread begins lowered
  } catch {
    // Raising a priority needs a right that not everybody has: then it stays as it is.
  }
  const pauses = pausesFor(pauseAt, lane)
  const app = await createApp(config, {
    roles,
    lanes: [lane],
    name: `muster-${lane}`,
    prepared: true,
    giveWay,
    onFatal: (fatal) => port.postMessage({ fatal } satisfies FromThread),
    ...(pauses ? { pause: pauses.pause } : {}),
  })
  port.on('message', async (message: ToThread) => {
    if (message === 'resume') return pauses?.resume()
    await app.stop().catch((error: unknown) => app.log.error(errorFields(error), 'stopping failed'))
    port.close() // nothing else keeps this thread: it ends when its last log line is written
  })
  await app.start()
  port.postMessage('started' satisfies FromThread)
  flushCompileCache()
}

if (parentPort !== null) await main(workerData as LaneThreadData, parentPort)
