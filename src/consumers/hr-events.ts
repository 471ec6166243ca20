import type { IngestEngine } from '../engine/ingest.ts'
import { armIngest } from '../engine/ingest-position.ts'
import { errorFields } from '../log.ts'
import { createBrokerView } from './broker-view.ts'
import { createDecoder } from './decode.ts'
import { createKafka, type KafkaConnection } from './kafka-client.ts'
import { createReading } from './reading.ts'
import { refuseUnfit } from './refusal.ts'
import { supervise } from './supervise.ts'

export type ConsumerOptions = {
  readonly engine: IngestEngine
  readonly connection: KafkaConnection
  readonly topics: readonly string[]
  readonly groupId: string
  /** kafkajs has given up or hangs: end the process (exit code 70), so that whatever runs it starts it again. */
  readonly onFatal: (why: string) => void
  /** A longer value is quarantined unread. Default 1 MiB. */
  readonly maxBytes?: number
  readonly clientId?: string
  /** How long the group waits for a member that says nothing, ms. Default 30,000. */
  readonly sessionTimeoutMs?: number
}

export type RunningConsumer = {
  /** Resolves when the batch in work is done, or after `withinMs` (default 10,000). */
  readonly stop: (withinMs?: number) => Promise<void>
}

export const defaultMaxBytes = 1024 * 1024

/** Empty fetches return after this, so this is also how late a heartbeat, a resumed partition or a stop can be, ms. */
const idleFetchMs = 250
const lookEveryMs = 5_000
/** A batch that the database lets wait (statements end after a minute) is no sign of death. */
const leastPatienceMs = 65_000

/**
 * Reads worker events into the inbox as a member of a consumer group. Our own cursor decides where to go on, the group's
 * offsets only follow it. Throws ConsumerRefused for a topic that must not be read, TopicMissing for one that is not
 * there, and kafkajs' error when no broker answers; then nothing is left behind but armed streams, so that grants go on waiting.
 */
export const startConsumer = async (options: ConsumerOptions): Promise<RunningConsumer> => {
  const { engine, topics, groupId, sessionTimeoutMs = 30_000 } = options
  const { log } = engine
  await armIngest(engine, topics)
  const kafka = createKafka(options.connection, options.clientId ?? 'muster', log)
  const broker = createBrokerView(kafka)
  const decode = createDecoder({
    maxBytes: options.maxBytes ?? defaultMaxBytes,
    tzVersion: process.versions.tz ?? 'unknown',
  })
  let stopping = false
  const consumer = kafka.consumer({
    groupId,
    sessionTimeout: sessionTimeoutMs,
    rebalanceTimeout: sessionTimeoutMs * 2,
    heartbeatInterval: Math.min(3_000, Math.floor(sessionTimeoutMs / 4)),
    maxWaitTimeInMs: idleFetchMs,
    minBytes: 1,
    maxBytesPerPartition: 1024 * 1024,
    maxBytes: 8 * 1024 * 1024,
    metadataMaxAge: 30_000,
    // Without a broker kafkajs gives up after some tries; then it begins again, as long as it takes.
    retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 10, restartOnFailure: async () => !stopping },
  })
  const reading = createReading({ engine, decode, broker, consumer, topics })
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => reading.assigned(payload.memberAssignment))
  // A batch of control records only never comes to eachBatch; what it passes is told here alone.
  consumer.on(
    consumer.events.END_BATCH_PROCESS,
    ({ payload: { topic, partition, batchSize, firstOffset, lastOffset } }) => {
      if (batchSize === 0 && firstOffset !== null) reading.passed(topic, partition, Number(lastOffset) + 1)
    },
  )
  const patienceMs = Math.max(leastPatienceMs, sessionTimeoutMs * 2)
  const watching = supervise({ consumer, broker, log, patienceMs, onFatal: options.onFatal })
  let looks = false
  const looking = setInterval(() => {
    if (looks) return
    looks = true
    reading
      .look()
      .catch((error: unknown) => log.debug(errorFields(error), 'the look at what no batch tells failed'))
      .finally(() => {
        looks = false
      })
  }, lookEveryMs)

  const stop = async (withinMs = 10_000) => {
    stopping = true
    reading.stop()
    watching.stop()
    clearInterval(looking)
    await within(withinMs, consumer.disconnect())
    await within(1_000, broker.close())
  }
  try {
    for (const topic of topics) await refuseUnfit(broker, topic)
    await consumer.connect()
    await consumer.subscribe({ topics: [...topics], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 3,
      eachBatch: reading.eachBatch,
    })
  } catch (error) {
    await stop()
    throw error
  }
  log.info({ topics: topics.join(','), group: groupId }, 'reading worker events')
  return { stop }
}

/** kafkajs waits without end for a handler that hangs. */
const within = async (ms: number, work: Promise<void>): Promise<void> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([work.catch(() => {}), late])
  clearTimeout(timer)
}
