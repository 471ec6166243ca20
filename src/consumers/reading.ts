import type { Consumer, EachBatchPayload } from 'kafkajs'
import type { IngestEngine } from '../engine/ingest.ts'
import {
  agreeOnPositions,
  goesBack,
  needsEnds,
  type PartitionEnds,
  type Position,
  passOffsets,
} from '../engine/ingest-position.ts'
import { errorFields } from '../log.ts'
import type { BrokerView } from './broker-view.ts'
import type { Decode } from './decode.ts'
import { fetchedBatch } from './fetched-batch.ts'
import { takeBatch } from './partition.ts'

/** What a member of the group does with the partitions that it has been given. */
export type Reading = {
  /** The group gave us these partitions, and no others. */
  readonly assigned: (assignment: Readonly<Record<string, readonly number[]>>) => void
  readonly eachBatch: (payload: EachBatchPayload) => Promise<void>
  /** Control records passed up to `next` without a batch that we would see. */
  readonly passed: (topic: string, partition: number, next: number) => void
  /** What no batch tells: looked for now and then. */
  readonly look: () => Promise<void>
  readonly stop: () => void
}

export type ReadingOptions = {
  readonly engine: IngestEngine
  readonly decode: Decode
  readonly broker: BrokerView
  readonly consumer: Pick<Consumer, 'pause' | 'resume' | 'seek'>
  readonly topics: readonly string[]
}

type Place = { position: Position; passed: number; failures: number; committing: boolean }

const firstBackoffMs = 100
const longestBackoffMs = 5_000
/** A new leader may know less than the one before for a moment: only what stays gone is gone. */
const secondLookMs = 1_000
const commitAfterMs = 200

export const createReading = ({ engine, decode, broker, consumer, topics }: ReadingOptions): Reading => {
  const { log } = engine
  const places = new Map<string, Place>()
  const timers = new Set<NodeJS.Timeout>()
  let assignment: Readonly<Record<string, readonly number[]>> = {}
  let generation = 0
  let stopping = false

  const later = (ms: number, of: number, work: () => void) => {
    const timer = setTimeout(() => {
      timers.delete(timer)
      if (!stopping && of === generation) work()
    }, ms)
    timers.add(timer)
  }

  const steadyEnds = async (topic: string): Promise<readonly PartitionEnds[]> => {
    const ends = await broker.ends(topic)
    if (!(await goesBack(engine, topic, ends))) return ends
    await new Promise((resolve) => setTimeout(resolve, secondLookMs))
    return await broker.ends(topic)
  }

  /** Our cursor and the broker's ends agree; then these partitions are read from our cursor. */
  const agree = async (topic: string, partitions: readonly number[], failures: number): Promise<void> => {
    const of = generation
    try {
      const positions = await agreeOnPositions(engine, topic, () => steadyEnds(topic))
      if (of !== generation || stopping) return
      for (const partition of partitions) {
        const position = positions.find((candidate) => candidate.partition === partition)
        if (position === undefined) continue
        places.set(keyOf(topic, partition), { position, passed: 0, failures, committing: false })
        // One before our cursor, to see that the topic still is the one we know.
        consumer.seek({ topic, partition, offset: String(Math.max(position.low, position.next - 1)) })
        consumer.resume([{ topic, partitions: [partition] }])
      }
    } catch (error) {
      if (of !== generation || stopping) return
      if (isTold(failures + 1))
        log.warn({ topic, failures: failures + 1, ...errorFields(error) }, 'positions cannot be agreed upon yet')
      later(backoff(failures + 1), of, () => void agree(topic, partitions, failures + 1))
    }
  }

  /** These partitions rest until positions are agreed upon anew. */
  const rest = (topic: string, partitions: readonly number[], failures = 0) => {
    for (const partition of partitions) places.delete(keyOf(topic, partition))
    consumer.pause([{ topic, partitions: [...partitions] }])
    if (failures === 0) void agree(topic, partitions, 0)
    else later(backoff(failures), generation, () => void agree(topic, partitions, failures))
  }

  const eachBatch = async (payload: EachBatchPayload): Promise<void> => {
    const { topic, partition } = payload.batch
    const place = places.get(keyOf(topic, partition))
    if (place === undefined || payload.isStale()) return
    try {
      const { stream, next } = place.position
      const taken = await takeBatch(
        engine,
        decode,
        { stream, next: Math.max(next, place.passed) },
        fetchedBatch(payload.batch),
        payload,
      )
      if (taken.kind === 'lost') return rest(topic, [partition])
      place.failures = 0
      place.position = { ...place.position, next: taken.next }
      commitSoon(payload, place)
    } catch (error) {
      // kafkajs' own errors (the group rebalances, the member is unknown) are how it is told what to do.
      if (error instanceof Error && error.name.startsWith('KafkaJS')) throw error
      // The database is away, or something broke that is no message's fault: nothing is resolved, all of it comes again.
      const failures = place.failures + 1
      if (isTold(failures))
        log.warn({ topic, partition, failures, ...errorFields(error) }, 'a batch could not be written: trying again')
      rest(topic, [partition], failures)
    }
  }

  /** The group's offsets follow our cursor a moment later: nobody waits for them and nothing depends on them. */
  const commitSoon = (payload: EachBatchPayload, place: Place) => {
    if (place.committing) return
    place.committing = true
    later(commitAfterMs, generation, () => {
      place.committing = false
      const { topic, partition } = payload.batch
      const topics = [{ topic, partitions: [{ partition, offset: String(place.position.next) }] }]
      payload
        .commitOffsetsIfNecessary({ topics })
        .catch((error: unknown) =>
          log.debug({ topic, partition, ...errorFields(error) }, 'the group does not take our offset'),
        )
    })
  }

  return {
    assigned: (given) => {
      generation++
      assignment = given
      places.clear()
      for (const [topic, partitions] of Object.entries(given)) rest(topic, partitions)
    },
    eachBatch,
    passed: (topic, partition, next) => {
      const place = places.get(keyOf(topic, partition))
      if (place === undefined || next <= place.passed) return
      place.passed = next
      // Grants may wait for just this; what fails here is done by the next look.
      passOffsets(engine, place.position.stream, next).catch(() => {})
    },
    look: async () => {
      for (const { position, passed } of places.values())
        if (passed > position.next) await passOffsets(engine, position.stream, passed)
      for (const topic of topics) {
        // It was made anew and nothing has come since; or somebody armed it and did not live to name its ends.
        if (await goesBack(engine, topic, await steadyEnds(topic))) rest(topic, assignment[topic] ?? [])
        else if (await needsEnds(engine, topic)) await agreeOnPositions(engine, topic, () => broker.ends(topic))
      }
    },
    stop: () => {
      stopping = true
      for (const timer of timers) clearTimeout(timer)
    },
  }
}

const keyOf = (topic: string, partition: number): string => `${partition}/${topic}`

const backoff = (failures: number): number =>
  Math.min(longestBackoffMs, firstBackoffMs * 2 ** Math.min(failures - 1, 10))

/** An outage says the same at every try: told at 1, 2, 4, 8 … */
const isTold = (failures: number): boolean => (failures & (failures - 1)) === 0
