import type { EachBatchPayload, KafkaMessage } from 'kafkajs'
import { type IngestEngine, type Ingested, ingestBatch, ingestPrepared } from '../engine/ingest.ts'
import { endIncarnation, isSameTopic, type Position, passOffsets, reportMissing } from '../engine/ingest-position.ts'
import { type Prepared, prepare } from '../engine/judge-arrivals.ts'
import type { Decode } from './decode.ts'
import { arrivalOf, type FetchedBatch } from './fetched-batch.ts'

/** `lost`: our position and the broker's disagree; they must be agreed upon anew before anything else is read. */
export type Taken = { readonly kind: 'taken'; readonly next: number } | { readonly kind: 'lost' }

/** Bytes of values that one transaction takes at most. */
const ingestBytes = 8 * 1024 * 1024
/** Messages, and bytes of them, decoded without a pause: some 3 ms, so that others have their turn. */
const slice = { messages: 200, bytes: 256 * 1024 }

type Control = Pick<EachBatchPayload, 'resolveOffset' | 'heartbeat' | 'isRunning' | 'isStale'>

/**
 * Brings one fetched batch in, from our own cursor on. Throws for a database that cannot be reached and for a group
 * that rebalances; never for what a message holds.
 */
export const takeBatch = async (
  engine: IngestEngine,
  decode: Decode,
  position: Pick<Position, 'stream' | 'next'>,
  batch: FetchedBatch,
  control: Control,
): Promise<Taken> => {
  const { topic, partition } = batch
  if (batch.fetched > position.next || batch.high < position.next) return { kind: 'lost' }
  const before = batch.messages.filter(({ offset }) => Number(offset) < position.next)
  if (!(await isSameTopic(engine, position.stream, before.map(arrivalOf)))) {
    await endIncarnation(engine, position.stream)
    return { kind: 'lost' }
  }
  for (const { from, to } of batch.holes)
    if (to > position.next)
      await reportMissing(engine, {
        stream: position.stream,
        topic,
        partition,
        from: Math.max(from, position.next),
        to,
      })

  let next = position.next
  let writing: Promise<Ingested> | undefined
  const settle = async (): Promise<boolean> => {
    const done = await writing
    writing = undefined
    if (done === undefined) return true
    if (done.next === null) return false
    next = Math.max(next, done.next)
    control.resolveOffset(String(next - 1))
    await control.heartbeat()
    return true
  }
  const fresh = batch.messages.slice(before.length)
  for (const [chunk, isLast] of chunks(fresh)) {
    // The next chunk is decoded while the database writes this one.
    const prepared = await prepareAll(decode, chunk)
    if (!(await settle())) return { kind: 'lost' }
    if (!control.isRunning() || control.isStale()) return { kind: 'taken', next }
    writing = ingestPrepared(engine, position.stream, prepared, isLast ? batch.next : undefined)
    writing.catch(() => {}) // awaited above or below; until then it is nobody's
  }
  if (!(await settle())) return { kind: 'lost' }
  if (fresh.length === 0 && batch.next > next) {
    await passOffsets(engine, position.stream, batch.next)
    next = batch.next
  }
  control.resolveOffset(String(next - 1))
  return { kind: 'taken', next }
}

function* chunks(messages: readonly KafkaMessage[]): Generator<readonly [readonly KafkaMessage[], boolean]> {
  let from = 0
  let bytes = 0
  for (let at = 0; at < messages.length; at++) {
    bytes += messages[at]?.value?.length ?? 0
    if (at + 1 - from < ingestBatch && bytes < ingestBytes && at + 1 < messages.length) continue
    yield [messages.slice(from, at + 1), at + 1 === messages.length]
    from = at + 1
    bytes = 0
  }
}

const prepareAll = async (decode: Decode, messages: readonly KafkaMessage[]): Promise<readonly Prepared[]> => {
  const prepared: Prepared[] = []
  let since = { messages: 0, bytes: 0 }
  for (const message of messages) {
    if (since.messages >= slice.messages || since.bytes >= slice.bytes) {
      await new Promise(setImmediate)
      since = { messages: 0, bytes: 0 }
    }
    const arrival = arrivalOf(message)
    prepared.push(prepare({ ...arrival, verdict: decode(arrival) }))
    since.messages++
    since.bytes += message.value?.length ?? 0
  }
  return prepared
}
