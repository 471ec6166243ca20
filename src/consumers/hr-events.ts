import type { ConsumerGroupJoinEvent, EachBatchPayload } from 'kafkajs'
import type { IngestEngine } from '../engine/ingest.ts'
import { agreeOnPositions, armIngest, needsEnds, type Position, passOffsets } from '../engine/ingest-position.ts'
import { errorFields } from '../log.ts'
import { createBrokerView } from './broker-view.ts'
import { createDecoder } from './decode.ts'
import { fetchedBatch } from './fetched-batch.ts'
import { createKafka, type KafkaConnection } from './kafka-client.ts'
import { takeBatch } from './partition.ts'
import { refuseCompacted } from './refusal.ts'
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
  /** Resolves when the batch in work is done or after `withinMs` (default 10,000). */
  readonly stop: (withinMs?: number) => Promise<void>
}

/** Empty fetches return after this, so this is also how late a heartbeat, a resumed partition or a stop can be, ms. */
const idleFetchMs = 250
const firstBackoffMs = 100
const longestBackoffMs = 5_000
const tickMs = 2_000

type Place = {
  position: Position | undefined
  failures: number
  committed: number
  committing: boolean
  passed: number
}

/**
 * Reads worker events into the inbox as a member of a consumer group. Our own cursor decides where to go on, the group's
 * offsets only follow it. Throws ConsumerRefused for a topic that must not be read.
 */
export const startConsumer = async (options: ConsumerOptions): Promise<RunningConsumer> => {
  const { engine, topics, groupId, sessionTimeoutMs = 30_000 } = options
  const { log } = engine
  await armIngest(engine, topics)
  const kafka = createKafka(options.connection, options.clientId ?? 'muster', log)
  const broker = createBrokerView(kafka)
  for (const topic of topics) await refuseCompacted(broker, topic)

  const decode = createDecoder({
    maxBytes: options.maxBytes ?? 1024 * 1024,
    tzVersion: process.versions.tz ?? 'unknown',
  })
  const places = new Map<string, Place>()
  const timers = new Set<NodeJS.Timeout>()
  let generation = 0
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
    // Without a broker kafkajs gives up after some tries; then it begins again, as long as it takes.
    retry: { initialRetryTime: 100, maxRetryTime: 5_000, retries: 8, restartOnFailure: async () => !stopping },
  })

  const later = (ms: number, work: () => void) => {
    const timer = setTimeout(() => {
      timers.delete(timer)
      if (!stopping) work()
    }, ms)
    timers.add(timer)
  }
  const backoff = (failures: number) => Math.min(longestBackoffMs, firstBackoffMs * 2 ** Math.min(failures - 1, 10))

  /** Every partition rests until our cursor and the broker's ends agree; then it is read from our cursor. */
  const agree = async (topic: string, partitions: readonly number[], of: number, failures = 0): Promise<void> => {
    try {
      const positions = await agreeOnPositions(engine, topic, await broker.ends(topic))
      if (of !== generation || stopping) return
      for (const partition of partitions) {
        const position = positions.find((candidate) => candidate.partition === partition)
        if (position === undefined) continue
        places.set(`${topic}/${partition}`, { position, failures: 0, committed: -1, committing: false, passed: 0 })
        // One before our cursor, to see that the topic still is the one we know.
        consumer.seek({ topic, partition, offset: String(Math.max(position.low, position.next - 1)) })
        consumer.resume([{ topic, partitions: [partition] }])
      }
    } catch (error) {
      if (of !== generation || stopping) return
      if ((failures & (failures + 1)) === 0)
        log.warn(
          { topic, failures: failures + 1, ...errorFields(error) },
          'positions cannot be agreed upon yet: trying again',
        )
      later(backoff(failures + 1), () => void agree(topic, partitions, of, failures + 1))
    }
  }

  const rest = (topic: string, partitions: readonly number[]) => {
    for (const partition of partitions) places.delete(`${topic}/${partition}`)
    consumer.pause([{ topic, partitions: [...partitions] }])
    void agree(topic, partitions, generation)
  }

  const joined = ({ payload }: ConsumerGroupJoinEvent) => {
    generation++
    places.clear()
    for (const [topic, partitions] of Object.entries(payload.memberAssignment)) rest(topic, partitions)
  }

  const eachBatch = async (payload: EachBatchPayload): Promise<void> => {
    const batch = fetchedBatch(payload.batch)
    const { topic, partition } = batch
    const place = places.get(`${topic}/${partition}`)
    if (place?.position === undefined || payload.isStale()) return
    try {
      const { stream, next } = place.position
      const taken = await takeBatch(engine, decode, { stream, next: Math.max(next, place.passed) }, batch, payload)
      if (taken.kind === 'lost') return rest(topic, [partition])
      place.failures = 0
      place.position = { ...place.position, next: taken.next }
      commitSoon(payload, place, topic, partition)
    } catch (error) {
      if (isOfTheGroup(error)) throw error
      pauseAWhile(payload, place, error)
    }
  }

  /** The database is away, or something broke that is no message's fault: the partition rests, nothing is resolved. */
  const pauseAWhile = (payload: EachBatchPayload, place: Place, error: unknown) => {
    const { topic, partition } = payload.batch
    place.failures++
    if ((place.failures & (place.failures - 1)) === 0)
      log.warn(
        { topic, partition, failures: place.failures, ...errorFields(error) },
        'a batch could not be written: trying again',
      )
    const of = generation
    consumer.pause([{ topic, partitions: [partition] }])
    later(backoff(place.failures), () => {
      if (of === generation) void agree(topic, [partition], of)
    })
  }

  /** The group's offsets follow our cursor, one commit at a time: nobody waits for them, nothing depends on them. */
  const commitSoon = (payload: EachBatchPayload, place: Place, topic: string, partition: number) => {
    const next = place.position?.next ?? 0
    if (place.committing || next <= place.committed) return
    place.committing = true
    payload
      .commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition, offset: String(next) }] }] })
      .then(
        () => {
          place.committed = next
        },
        (error: unknown) =>
          log.debug({ topic, partition, ...errorFields(error) }, 'the group does not take our offset'),
      )
      .finally(() => {
        place.committing = false
        if ((place.position?.next ?? 0) > place.committed && place.committed === next)
          commitSoon(payload, place, topic, partition)
      })
  }

  consumer.on(consumer.events.GROUP_JOIN, joined)
  // A batch of control records only never comes to eachBatch; what it passes is told here alone.
  consumer.on(
    consumer.events.END_BATCH_PROCESS,
    ({ payload: { topic, partition, batchSize, firstOffset, lastOffset } }) => {
      const place = places.get(`${topic}/${partition}`)
      if (batchSize === 0 && firstOffset !== null && place !== undefined)
        place.passed = Math.max(place.passed, Number(lastOffset) + 1)
    },
  )

  /** What no batch tells: offsets passed without one, and ends that somebody armed and did not name. */
  const tick = async () => {
    for (const { position, passed } of places.values())
      if (position !== undefined && passed > position.next) await passOffsets(engine, position.stream, passed)
    for (const topic of topics)
      if (await needsEnds(engine, topic)) await agreeOnPositions(engine, topic, await broker.ends(topic))
  }
  const ticking = setInterval(() => {
    tick().catch((error: unknown) => log.debug(errorFields(error), 'the look at what nobody told failed'))
  }, tickMs)

  const watching = supervise({ consumer, broker, log, sessionTimeoutMs, onFatal: options.onFatal })
  await consumer.connect()
  await consumer.subscribe({ topics: [...topics], fromBeginning: true })
  await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, partitionsConsumedConcurrently: 3, eachBatch })
  log.info({ topics: topics.join(','), group: groupId }, 'reading worker events')

  return {
    stop: async (withinMs = 10_000) => {
      stopping = true
      watching.stop()
      clearInterval(ticking)
      for (const timer of timers) clearTimeout(timer)
      await within(withinMs, consumer.disconnect())
      await within(1_000, broker.close())
    },
  }
}

/** kafkajs' own errors (the group rebalances, the member is unknown) are how it is told what to do: they go back to it. */
const isOfTheGroup = (error: unknown): boolean => error instanceof Error && error.name.startsWith('KafkaJS')

/** kafkajs waits without end for a handler that hangs. */
const within = async (ms: number, work: Promise<void>): Promise<void> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([work.catch(() => {}), late])
  clearTimeout(timer)
}
