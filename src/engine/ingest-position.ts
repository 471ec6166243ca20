import { createHash } from 'node:crypto'
import type { Arrival } from '../domain/inbox-message.ts'
import type { Queryable, Transaction } from '../store/database.ts'
import { openFinding } from '../store/findings.ts'
import {
  armedFrom,
  armStreams,
  currentStreams,
  ensureStreams,
  knownMessages,
  passTo,
  requireEnd,
  retireStream,
  type StreamRow,
} from '../store/streams.ts'
import type { IngestEngine } from './ingest.ts'

/** What the broker holds of a partition: offsets low ≤ x < high. */
export type PartitionEnds = { readonly partition: number; readonly low: number; readonly high: number }

/** Where to go on reading, and the first offset that the broker still has. */
export type Position = {
  readonly stream: number
  readonly partition: number
  readonly next: number
  readonly low: number
}

type Context = Pick<IngestEngine, 'db'>

/**
 * Grants wait, from the moment this returns, until what these topics hold when they are asked next has been brought in
 * (DESIGN §5). To be called before anything claims: no leaver may be overlooked because nobody has read Kafka yet.
 */
export const armIngest = async ({ db }: Context, topics: readonly string[]): Promise<void> => {
  for (const topic of topics) await armStreams(db, topic)
}

/** Somebody armed this topic and did not live to name its ends: whoever agrees on positions next does it for them. */
export const needsEnds = async ({ db }: Context, topic: string): Promise<boolean> =>
  (await currentStreams(db, topic)).some(({ required }) => required >= armedFrom)

/** Some partition ends before our cursor: it was made anew, or its leader does not know yet what it has. */
export const goesBack = async ({ db }: Context, topic: string, ends: readonly PartitionEnds[]): Promise<boolean> => {
  const highs = new Map(ends.map(({ partition, high }) => [partition, high]))
  return (await currentStreams(db, topic)).some(({ partition, next }) => next > (highs.get(partition) ?? 0))
}

/**
 * Positions of all partitions of a topic, agreed with what the broker holds: what expired unread is passed, what went
 * back is a new incarnation, both with a finding; and the ends that grants wait for are named.
 */
export const agreeOnPositions = async (
  { db }: Context,
  topic: string,
  readEnds: () => Promise<readonly PartitionEnds[]>,
): Promise<readonly Position[]> => {
  // Before the ends are read: an arming of later than that waits for later ends.
  const armed = (await currentStreams(db, topic)).filter(({ required }) => required >= armedFrom)
  const ends = await readEnds()
  const highs = new Map(ends.map(({ partition, high }) => [partition, high]))
  return await db.transaction(async (tx) => {
    for (const { id, partition, next } of await currentStreams(tx, topic)) {
      const high = highs.get(partition)
      if (high === undefined || next > high) await retire(tx, id)
    }
    const rows = await ensureStreams(tx, topic, ends)
    for (const { id, partition, required } of armed) await requireEnd(tx, id, required, highs.get(partition) ?? 0)
    const positions: Position[] = []
    for (const { partition, low } of ends) {
      const row = rows.find((candidate) => candidate.partition === partition)
      if (row === undefined) continue
      if (low > row.next) await expire(tx, topic, row, low)
      positions.push({ stream: row.id, partition, next: Math.max(low, row.next), low })
    }
    return positions
  })
}

const retire = async (tx: Transaction, stream: number): Promise<void> => {
  const old = await retireStream(tx, stream)
  if (old === undefined) return
  const { topic, partition, incarnation } = old
  const key = `${topic}/${partition}/${incarnation}`
  await openFinding(tx, {
    kind: 'topic-recreated',
    key,
    urgent: true,
    identityId: null,
    detail: { topic, partition, incarnation },
  })
}

const expire = async (tx: Transaction, topic: string, row: StreamRow, low: number): Promise<void> => {
  await passTo(tx, row.id, low)
  const gap = { stream: row.id, topic, partition: row.partition, from: row.next, to: low }
  // In front of the first event ever read, that is an old topic and a new Muster: to be known, not to be woken for.
  await tellGap(tx, 'events-expired', gap, row.next > 0)
}

export type Gap = {
  readonly stream: number
  readonly topic: string
  readonly partition: number
  readonly from: number
  readonly to: number
}

const tellGap = (db: Queryable, kind: 'events-expired' | 'events-missing', gap: Gap, urgent: boolean) =>
  openFinding(db, { kind, key: `${gap.stream}/${gap.from}`, urgent, identityId: null, detail: gap })

/** Offsets from ≤ x < to were never shown to us although nothing explains it. */
export const reportMissing = ({ db }: Context, gap: Gap): Promise<void> => tellGap(db, 'events-missing', gap, true)

/** Offsets below `next` hold no messages for anybody (control records, aborted transactions). */
export const passOffsets = ({ db }: Context, stream: number, next: number): Promise<void> => passTo(db, stream, next)

/**
 * Whether messages below the cursor are those that the inbox holds there. Others, by bytes or time, mean that the topic
 * was deleted and made anew, even when it has grown beyond our cursor since.
 */
export const isSameTopic = async ({ db }: Context, stream: number, messages: readonly Arrival[]): Promise<boolean> => {
  const [first] = messages
  const last = messages.at(-1)
  if (first === undefined || last === undefined) return true
  const rows = await knownMessages(db, stream, first.offset, last.offset + 1)
  const known = new Map(rows.map((row) => [row.offset, row]))
  return messages.every(({ offset, raw, appendedAt }) => {
    const row = known.get(offset)
    if (row === undefined) return true
    // A timestamp from the future, or none, was stored as the moment of receipt.
    const clamped = row.appendedAt >= row.receivedAt
    const sameTime = appendedAt === row.appendedAt || (clamped && (appendedAt === null || appendedAt >= row.receivedAt))
    return (
      sameTime &&
      createHash('sha256')
        .update(raw ?? '')
        .digest('hex') === row.sha256
    )
  })
}

/** The topic was made anew under its name: its successor is made when positions are agreed upon next. */
export const endIncarnation = ({ db }: Context, stream: number): Promise<void> =>
  db.transaction((tx) => retire(tx, stream))
