import type { Config } from '../config.ts'
import { type RunningConsumer, startConsumer } from '../consumers/hr-events.ts'
import { ConsumerRefused } from '../consumers/refusal.ts'
import type { Engine } from '../engine/engine.ts'
import { errorFields } from '../log.ts'
import { pause } from '../workers/pause.ts'
import { within } from '../workers/redis-link.ts'
import { maxMessageBytes } from './decoder.ts'

type IngestOptions = {
  readonly engine: Engine
  readonly config: Config
  readonly name: string
  readonly onFatal: (why: string) => void
  readonly signal: AbortSignal
}

const longestPauseMs = 5_000
const unstartedWithinMs = 200

/** Reads every source. A broker that is away is waited for: everybody whose events are here already goes on meanwhile. */
export const ingestAll = ({
  config,
  engine,
  name,
  onFatal,
  signal,
}: IngestOptions): { readonly stop: (withinMs: number) => Promise<void> } => {
  const starting = config.sources.map(
    async ({ id, topics, group, sessionTimeout }): Promise<RunningConsumer | undefined> => {
      for (let attempt = 0; !signal.aborted; attempt++)
        try {
          return await startConsumer({
            engine,
            connection: config.kafka,
            topics,
            groupId: group,
            sessionTimeoutMs: sessionTimeout,
            clientId: name,
            maxBytes: maxMessageBytes,
            onFatal,
          })
        } catch (error) {
          if (error instanceof ConsumerRefused) return void onFatal(`${error.message}: ${error.hint}`)
          if ((attempt & (attempt + 1)) === 0)
            engine.log.warn(
              { source: id, attempt, ...errorFields(error) },
              'the source cannot be read yet: trying again',
            )
          await pause(Math.min(longestPauseMs, 250 * 2 ** Math.min(attempt, 6)), signal)
        }
      return undefined
    },
  )
  return {
    stop: async (withinMs) => {
      const stopping = starting.map(async (one) => (await one)?.stop(withinMs))
      // One that is still looking for its broker gives up by itself, later: nothing of it is worth waiting for.
      const started = starting.map((one) => within(unstartedWithinMs, one).catch(() => undefined))
      await Promise.all(started.map(async (one, index) => ((await one) === undefined ? undefined : stopping[index])))
    },
  }
}
