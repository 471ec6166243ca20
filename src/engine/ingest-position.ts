import { createHash } from 'node:crypto'
import type { Arrival } from '../domain/inbox-message.ts'
import type { Queryable, Transaction } from '../store/database.ts'
import { openFinding } from '../store/findings.ts'
import {
  armStreams,
  ensureStreams,
  isArmed,
  knownMessages,
  passTo,
  readStream,
  requireEnds,
  retireStreams,
  type StreamRow,
  startIncarnation,
} from '../store/streams.ts'
import type { IngestEngine } from './ingest.ts'

/** What the broker holds of a partition: offsets low ≤ x < high. */
export type PartitionEnds = { readonly partition: number; readonly low: number; readonly high: number }

/** Where to go on reading. */
export type Position = {
  readonly stream: number
  readonly partition: number
  readonly next: number
  readonly low: number
}

/**
 * Grants wait, from the moment this returns, until what these topics held when they were asked next has been brought in
 * (DESIGN §5). To be called before anything claims: no leaver may be overlooked because nobody has read Kafka yet.
 */
export const armIngest = async (engine: Pick<IngestEngine, 'db'>, topics: readonly string[]): Promise<void> => {
  for (const topic of topics) await armStreams(engine.db, topic)
}

/** Somebody armed this topic and did not live to read its ends: whoever reads them next names them. */
export const needsEnds = (engine: Pick<IngestEngine, 'db'>, topic: string): Promise<boolean> =>
  isArmed(engine.db, topic)

/**
 * Positions of all partitions of a topic, agreed with what the broker holds: what expired unread is passed, what went
 * back is a new incarnation, both with a finding; and the ends that grants wait for are named. `ends` must be fresh.
 */
export const agreeOnPositions = (
  engine: IngestEngine,
  topic: string,
  ends: readonly PartitionEnds[],
): Promise<readonly Position[]> =>
  engine.db.transaction(async (tx) => {
    const partitions = ends.map(({ partition }) => partition)
    for (const { partition, incarnation } of await retireStreams(tx, topic, partitions))
      await tellRecreated(tx, topic, partition, incarnation)
    const rows = await ensureStreams(tx, topic, partitions)
    const positions: Position[] = []
    for (const { partition, low, high } of ends) {
      const row = rows.find((candidate) => candidate.partition === partition)
      if (row === undefined) continue
      positions.push(await agree(tx, topic, row, low, high))
    }
    await requireEnds(
      tx,
      topic,
      ends.map(({ partition, high }) => ({ partition, end: high })),
    )
    return positions
  })

const agree = async (tx: Transaction, topic: string, row: StreamRow, low: number, high: number): Promise<Position> => {
  const { partition } = row
  if (row.next > high) {
    const successor = await startIncarnation(tx, row.id)
    if (successor !== undefined) {
      await tellRecreated(tx, topic, partition, row.incarnation)
      return await agree(tx, topic, successor, low, high)
    }
  }
  if (low > row.next) await expired(tx, topic, row, low)
  return { stream: row.id, partition, next: Math.max(low, row.next), low }
}

const expired = async (tx: Transaction, topic: string, row: StreamRow, low: number): Promise<void> => {
  await passTo(tx, row.id, low)
  // In front of the first event ever read, that is an old topic and a new Muster: to be known, not to be woken for.
  await tellGap(
    tx,
    'events-expired',
    { stream: row.id, topic, partition: row.partition, from: row.next, to: low },
    row.next > 0,
  )
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
export const reportMissing = (engine: IngestEngine, gap: Gap): Promise<void> =>
  tellGap(engine.db, 'events-missing', gap, true)

const tellRecreated = (db: Queryable, topic: string, partition: number, incarnation: number) =>
  openFinding(db, {
    kind: 'topic-recreated',
    key: `${topic}/${partition}/${incarnation}`,
    urgent: true,
    identityId: null,
    detail: { topic, partition, incarnation },
  })

/** Offsets below `next` hold no messages for anybody (control records, aborted transactions). */
export const passOffsets = (engine: Pick<IngestEngine, 'db'>, stream: number, next: number): Promise<void> =>
  passTo(engine.db, stream, next)

/**
 * Whether messages below the cursor are those that the inbox holds there. Others, by bytes or time, mean that the topic
 * was deleted and made anew, even when it has grown beyond our cursor since.
 */
export const isSameTopic = async (
  engine: Pick<IngestEngine, 'db'>,
  stream: number,
  messages: readonly Arrival[],
): Promise<boolean> => {
  const [first] = messages
  const last = messages.at(-1)
  if (first === undefined || last === undefined) return true
  const known = new Map(
    (await knownMessages(engine.db, stream, first.offset, last.offset + 1)).map((row) => [row.offset, row]),
  )
  return messages.every(({ offset, raw, appendedAt }) => {
    const row = known.get(offset)
    if (row === undefined) return true
    // A timestamp from the future was stored as the moment of receipt.
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

/** The topic was made anew under its name. Its successor is positioned by agreeOnPositions. */
export const beginIncarnation = (engine: IngestEngine, topic: string, stream: number): Promise<void> =>
  engine.db.transaction(async (tx) => {
    const old = await readStream(tx, stream)
    if (old !== undefined && (await startIncarnation(tx, stream)) !== undefined)
      await tellRecreated(tx, topic, old.partition, old.incarnation)
  })
