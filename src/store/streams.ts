import type { Queryable, Transaction } from './database.ts'

/** One partition of one incarnation of a topic, and how far it is in the inbox. */
export type StreamRow = {
  readonly id: number
  readonly partition: number
  readonly incarnation: number
  /** Everything below is in the inbox, or explained. */
  readonly next: number
  /** Until `next` reaches it, no grant is claimed. From `armedFrom` on: no end has been read since it was armed. */
  readonly required: number
  readonly current: boolean
}

/**
 * Beyond any offset and below 2^53. What is added to it tells one arming from another: an end that was read before the
 * last arming must not disarm it.
 */
export const armedFrom = 9_000_000_000_000_000

const arming = `${armedFrom} + floor(random() * 1e12)::bigint`

const columns = 'id, partition, incarnation, next_offset as next, required_offset as required, current'

/**
 * From now on grants wait until the end offsets of this topic have been read anew and reached. The first thing that a
 * start does, before anything may claim. A topic never seen before gets its first partition, so that grants wait for it.
 */
export const armStreams = async (db: Queryable, topic: string): Promise<void> => {
  await db.query({
    text: `with armed as (update muster.stream set required_offset = ${arming} where topic = $1 and current returning 1)
      insert into muster.stream (topic, incarnation, partition, required_offset)
      select $1, 1, 0, ${arming} where not exists (select from armed) on conflict do nothing`,
    values: [topic],
  })
}

/** Makes what is missing of these partitions; grants wait for their ends. */
export const ensureStreams = async (
  db: Queryable,
  topic: string,
  ends: readonly { readonly partition: number; readonly high: number }[],
): Promise<readonly StreamRow[]> => {
  await db.query({
    text: `insert into muster.stream (topic, incarnation, partition, required_offset)
      select $1, coalesce((select max(incarnation) from muster.stream o where o.topic = $1 and o.partition = e.partition), 0) + 1, e.partition, e.high
      from unnest($2::int[], $3::bigint[]) as e(partition, high)
      where not exists (select from muster.stream s where s.topic = $1 and s.partition = e.partition and s.current) on conflict do nothing`,
    values: [topic, ends.map(({ partition }) => partition), ends.map(({ high }) => high)],
  })
  return await currentStreams(db, topic)
}

export const currentStreams = (db: Queryable, topic: string): Promise<readonly StreamRow[]> =>
  db.query({
    name: 'stream-current',
    text: `select ${columns} from muster.stream where topic = $1 and current order by partition`,
    values: [topic],
  })

/** Names the end that grants wait for, of a stream that was armed like this before the end was read. */
export const requireEnd = async (db: Queryable, id: number, armed: number, end: number): Promise<void> => {
  await db.query({
    name: 'stream-require',
    text: 'update muster.stream set required_offset = $3 where id = $1 and required_offset = $2',
    values: [id, armed, end],
  })
}

export const readStream = async (db: Queryable, id: number): Promise<StreamRow | undefined> => {
  const [row] = await db.query<StreamRow>({
    name: 'stream-read',
    text: `select ${columns} from muster.stream where id = $1`,
    values: [id],
  })
  return row
}

/** Offsets up to here hold no message for us (control records, aborted or expired ones). */
export const passTo = async (db: Queryable, id: number, next: number): Promise<void> => {
  await db.query({
    name: 'stream-pass',
    text: 'update muster.stream set next_offset = $2 where id = $1 and next_offset < $2',
    values: [id, next],
  })
}

/** The topic behind this stream is another one now. undefined: somebody else said so before. */
export const retireStream = async (
  tx: Transaction,
  id: number,
): Promise<{ readonly topic: string; readonly partition: number; readonly incarnation: number } | undefined> => {
  const [old] = await tx.query<{ topic: string; partition: number; incarnation: number }>({
    text: 'update muster.stream set current = false where id = $1 and current returning topic, partition, incarnation',
    values: [id],
  })
  return old
}

/** What the inbox holds at these offsets, to be compared with what Kafka holds there. */
export type KnownMessage = {
  readonly offset: number
  readonly sha256: string
  /** ms since 1970 */
  readonly appendedAt: number
  readonly receivedAt: number
}

export const knownMessages = (db: Queryable, id: number, from: number, to: number): Promise<readonly KnownMessage[]> =>
  db.query({
    text: `select "offset", encode(raw_sha256, 'hex') as sha256, (extract(epoch from appended_at) * 1000)::bigint as "appendedAt",
        (extract(epoch from received_at) * 1000)::bigint as "receivedAt"
      from muster.inbox where stream_id = $1 and "offset" >= $2 and "offset" < $3 order by "offset" limit 1000`,
    values: [id, from, to],
  })
