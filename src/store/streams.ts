import type { Queryable, Transaction } from './database.ts'

/** One partition of one incarnation of a topic, and how far it is in the inbox. */
export type StreamRow = {
  readonly id: number
  readonly partition: number
  readonly incarnation: number
  /** Everything below is in the inbox, or explained. */
  readonly next: number
  /** Until `next` reaches it, no grant is claimed. */
  readonly required: number
  readonly current: boolean
}

/** No end offset has been read since this was written: beyond any position. */
const unknownEnd = '9223372036854775807'

const columns = 'id, partition, incarnation, next_offset as next, required_offset as required, current'

/**
 * From now on grants wait until the end offsets of this topic have been read anew and reached. The first thing that a
 * start does, before anything may claim. A topic never seen before gets its first partition, so that grants wait for it.
 */
export const armStreams = async (db: Queryable, topic: string): Promise<void> => {
  await db.query({
    text: `with armed as (update muster.stream set required_offset = $2 where topic = $1 and current returning 1)
      insert into muster.stream (topic, incarnation, partition, required_offset)
      select $1, 1, 0, $2 where not exists (select from armed) on conflict do nothing`,
    values: [topic, unknownEnd],
  })
}

/** Makes what is missing of these partitions, armed. */
export const ensureStreams = async (
  db: Queryable,
  topic: string,
  partitions: readonly number[],
): Promise<readonly StreamRow[]> => {
  await db.query({
    text: `insert into muster.stream (topic, incarnation, partition, required_offset)
      select $1, 1, p, $3 from unnest($2::int[]) as p
      where not exists (select from muster.stream s where s.topic = $1 and s.partition = p and s.current) on conflict do nothing`,
    values: [topic, partitions, unknownEnd],
  })
  return await db.query({
    text: `select ${columns} from muster.stream where topic = $1 and current order by partition`,
    values: [topic],
  })
}

/** Names the ends that grants wait for, where none is named yet. They must have been read after arming. */
export const requireEnds = async (
  db: Queryable,
  topic: string,
  ends: readonly { readonly partition: number; readonly end: number }[],
): Promise<void> => {
  await db.query({
    text: `update muster.stream s set required_offset = e.at from unnest($2::int[], $3::bigint[]) as e(partition, at)
      where s.topic = $1 and s.current and s.partition = e.partition and s.required_offset = $4`,
    values: [topic, ends.map(({ partition }) => partition), ends.map(({ end }) => end), unknownEnd],
  })
}

/** Whether somebody armed this topic and has not named its ends. */
export const isArmed = async (db: Queryable, topic: string): Promise<boolean> => {
  const [row] = await db.query<{ yes: boolean }>({
    text: 'select exists (select from muster.stream where topic = $1 and current and required_offset = $2) as yes',
    values: [topic, unknownEnd],
  })
  return row?.yes ?? false
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

/** The topic behind this stream is another one now: its successor begins at 0. undefined: somebody else said so before. */
export const startIncarnation = async (tx: Transaction, id: number): Promise<StreamRow | undefined> => {
  const [old] = await tx.query<{ topic: string; partition: number; incarnation: number }>({
    text: 'update muster.stream set current = false where id = $1 and current returning topic, partition, incarnation',
    values: [id],
  })
  if (old === undefined) return undefined
  const [row] = await tx.query<StreamRow>({
    text: `insert into muster.stream (topic, incarnation, partition, required_offset) values ($1, $2, $3, $4) returning ${columns}`,
    values: [old.topic, old.incarnation + 1, old.partition, unknownEnd],
  })
  return row
}

/** Partitions that the topic no longer has: nothing will come from them, and nothing waits for them. */
export const retireStreams = (
  db: Queryable,
  topic: string,
  partitions: readonly number[],
): Promise<readonly { readonly partition: number; readonly incarnation: number }[]> =>
  db.query({
    text: 'update muster.stream set current = false where topic = $1 and current and partition <> all($2::int[]) returning partition, incarnation',
    values: [topic, partitions],
  })

/** What the inbox holds at these offsets, to be compared with what Kafka holds there. */
export type KnownMessage = {
  readonly offset: number
  readonly sha256: string
  readonly appendedAt: number
  readonly receivedAt: number
}

export const knownMessages = (db: Queryable, id: number, from: number, to: number): Promise<readonly KnownMessage[]> =>
  db.query({
    text: `select "offset", encode(raw_sha256, 'hex') as sha256, (extract(epoch from appended_at) * 1000)::bigint as "appendedAt",
        (extract(epoch from received_at) * 1000)::bigint as "receivedAt"
      from muster.inbox where stream_id = $1 and "offset" >= $2 and "offset" < $3 order by "offset" limit 500`,
    values: [id, from, to],
  })
