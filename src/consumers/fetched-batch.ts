import type { Batch, KafkaMessage } from 'kafkajs'
import type { Arrival } from '../domain/inbox-message.ts'
import type { Instant } from '../domain/instant.ts'
import { headersJson } from './message-headers.ts'

/** One fetch of one partition, as plain values. */
export type FetchedBatch = {
  readonly topic: string
  readonly partition: number
  /** The offset that was asked for: what lies between it and the first record is not there. */
  readonly fetched: number
  /** Behind the last record, control records and aborted ones included. */
  readonly next: number
  readonly high: number
  readonly messages: readonly KafkaMessage[]
  /** Offsets from ≤ x < to below `next` of which the broker showed nothing at all. */
  readonly holes: readonly { readonly from: number; readonly to: number }[]
}

/** kafkajs has these members of a batch, its types don't. */
type Unfiltered = { readonly fetchedOffset?: unknown; readonly messagesWithinOffset?: unknown }

export const fetchedBatch = (batch: Batch): FetchedBatch => {
  const { fetchedOffset, messagesWithinOffset } = batch as Batch & Unfiltered
  const records = Array.isArray(messagesWithinOffset)
    ? (messagesWithinOffset as readonly KafkaMessage[])
    : batch.messages
  const fetched = Number(fetchedOffset ?? batch.firstOffset() ?? 0)
  const holes: { from: number; to: number }[] = []
  let expected = fetched
  for (const { offset: text } of records) {
    const offset = Number(text)
    if (offset > expected) holes.push({ from: expected, to: offset })
    expected = Math.max(expected, offset + 1)
  }
  return {
    topic: batch.topic,
    partition: batch.partition,
    fetched,
    next: expected,
    high: Number(batch.highWatermark),
    messages: batch.messages,
    holes,
  }
}

/** Kafka's clients may write any timestamp; what a database cannot hold is none. Year 10000 ends it. */
const latest = 253_402_300_800_000

export const arrivalOf = ({ offset, timestamp, key, value, headers }: KafkaMessage): Arrival => {
  const at = Number(timestamp)
  return {
    offset: Number(offset),
    appendedAt: Number.isInteger(at) && at >= 0 && at < latest ? (at as Instant) : null,
    key,
    headers: headersJson(headers),
    raw: value,
  }
}
