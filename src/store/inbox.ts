import type { Decoded, Problem, QuarantineReason } from '../domain/inbox-message.ts'
import { byteaArray, float8Array, int4Array, int8Array, textArray } from './binary-array.ts'
import type { Queryable, Transaction } from './database.ts'

/** A message as it will stand in the inbox. */
export type InboxRow = Pick<Decoded, 'offset' | 'appendedAt' | 'key' | 'headers' | 'raw'> & InboxState

export type InboxState =
  | {
      readonly status: 'accepted'
      /** The message's key too. */
      readonly personKey: string
      readonly source: string
      readonly id: string
      /** From when on it ends access; -Infinity: whatever the time. */
      readonly endsAt: number | null
      /** JSON of the worker event without receivedAt. */
      readonly body: string
      readonly tzVersion: string
    }
  | { readonly status: 'duplicate'; readonly source: string; readonly id: string }
  | {
      readonly status: 'quarantined'
      readonly source: string | null
      readonly id: string | null
      readonly reason: QuarantineReason
      readonly problems: readonly Problem[]
    }

export type SavedBatch = {
  /** The database's clock, ms. */
  readonly at: number
  readonly leavers: boolean
  readonly bulk: boolean
}

/**
 * One statement for a batch of one stream, ascending by offset: its rows, one upsert per identity (in key order, as all
 * lock identities), and the cursor, moved to `next`. undefined, and nothing is written, when the cursor has already
 * passed the first of them or the stream is no longer current. A second accepted row of one (source, id) is SQLSTATE
 * 23505 and nothing is written either.
 */
export const saveInbox = async (
  db: Queryable,
  stream: number,
  rows: readonly InboxRow[],
  next: number,
): Promise<SavedBatch | undefined> => {
  const people = gather(rows)
  const [saved] = await db.query<SavedBatch>({
    name: 'inbox-save',
    text: saveText,
    values: [
      stream,
      rows[0]?.offset ?? next,
      next,
      rows.find((row) => row.status === 'accepted')?.tzVersion ?? null,
      textArray(people.map((p) => p.personKey)),
      float8Array(people.map((p) => p.endsAt)),
      int4Array(people.map((p) => p.events)),
      int8Array(people.map((p) => p.lastOffset)),
      float8Array(people.map((p) => p.appendedAt)),
      int8Array(rows.map((r) => r.offset)),
      textArray(rows.map((r) => (r.status === 'accepted' ? r.personKey : null))),
      textArray(rows.map((r) => r.source)),
      textArray(rows.map((r) => r.id)),
      float8Array(rows.map((r) => (r.status === 'accepted' ? r.endsAt : null))),
      float8Array(rows.map((r) => r.appendedAt)),
      byteaArray(rows.map((r) => (r.status === 'accepted' ? null : r.key))),
      byteaArray(rows.map((r) => r.raw)),
      textArray(rows.map((r) => r.headers)),
      textArray(rows.map((r) => (r.status === 'accepted' ? r.body : null))),
      textArray(rows.map((r) => (r.status === 'quarantined' ? r.reason : null))),
      textArray(rows.map((r) => (r.status === 'quarantined' ? JSON.stringify(r.problems) : null))),
    ],
  })
  return saved
}

const saveText = `with s as materialized (
    select id, muster.now() as at from muster.stream where id = $1 and current and next_offset <= $2 for update),
  people as (
    insert into muster.identity as i (person_key, work_due_at, lane, events_seen, last_stream_id, last_offset, last_appended_at)
    select p.person_key, s.at, (case when to_timestamp(p.ends_at / 1000) <= s.at then 'leaver' else 'bulk' end)::muster.lane,
      p.events, s.id, p.last_offset, least(to_timestamp(p.appended / 1000), s.at)
    from s, unnest($5::text[], $6::float8[], $7::int[], $8::bigint[], $9::float8[]) as p(person_key, ends_at, events, last_offset, appended)
    order by p.person_key
    on conflict (person_key) do update set work_due_at = least(i.work_due_at, excluded.work_due_at),
      lane = case when excluded.lane = 'leaver' then excluded.lane else i.lane end,
      events_seen = i.events_seen + excluded.events_seen, last_stream_id = excluded.last_stream_id,
      last_offset = excluded.last_offset, last_appended_at = excluded.last_appended_at,
      -- Whose evaluation failed is evaluated once more with what is new: better a second failure than a leaver who stays.
      parked_at = null
    returning id, person_key, lane),
  -- Looked up, not joined: nothing tells the planner how many rows two arrays of parameters have.
  ids as materialized (select jsonb_object_agg(person_key, id) as by_key from people),
  kept as (
    insert into muster.inbox (stream_id, "offset", status, identity_id, source, event_id, ends_access, appended_at, received_at,
      key, headers, raw, raw_sha256, body, tz_version, reason, problem)
    select s.id, m.off,
      (case when m.body is not null then 'accepted' when m.reason is not null then 'quarantined' else 'duplicate' end)::muster.inbox_status,
      (ids.by_key ->> m.person_key)::bigint, m.source, m.event_id, coalesce(to_timestamp(m.ends_at / 1000) <= s.at, false),
      least(to_timestamp(m.appended / 1000), s.at), s.at, coalesce(m.key, convert_to(m.person_key, 'UTF8')), m.headers::jsonb,
      m.raw, sha256(coalesce(m.raw, '')), m.body::json, case when m.body is not null then $4 end, m.reason, m.problem::jsonb
    from s cross join ids cross join unnest($10::bigint[], $11::text[], $12::text[], $13::text[], $14::float8[], $15::float8[], $16::bytea[], $17::bytea[],
        $18::text[], $19::text[], $20::text[], $21::text[])
      as m(off, person_key, source, event_id, ends_at, appended, key, raw, headers, body, reason, problem)),
  moved as (update muster.stream set next_offset = greatest(next_offset, $3) from s where stream.id = s.id)
  select (extract(epoch from s.at) * 1000)::bigint as at,
    exists (select from people where lane = 'leaver') as leavers, exists (select from people where lane = 'bulk') as bulk from s`

type Person = {
  readonly personKey: string
  endsAt: number | null
  events: number
  lastOffset: number
  appendedAt: number | null
}

const gather = (rows: readonly InboxRow[]): readonly Person[] => {
  const people = new Map<string, Person>()
  for (const row of rows) {
    if (row.status !== 'accepted') continue
    const { personKey, endsAt, offset, appendedAt } = row
    const person = people.get(personKey)
    if (person === undefined) people.set(personKey, { personKey, endsAt, events: 1, lastOffset: offset, appendedAt })
    else {
      if (endsAt !== null && (person.endsAt === null || endsAt < person.endsAt)) person.endsAt = endsAt
      person.events++
      person.lastOffset = offset
      person.appendedAt = appendedAt
    }
  }
  return [...people.values()]
}

/** What stands accepted under these names already. */
export type AcceptedRow = {
  readonly source: string
  readonly event_id: string
  readonly sha256: string
  readonly headers: string | null
}

export const findAccepted = (
  db: Queryable,
  names: readonly { readonly source: string; readonly id: string }[],
): Promise<readonly AcceptedRow[]> =>
  db.query({
    name: 'inbox-find-accepted',
    text: `select b.source, b.event_id, encode(b.raw_sha256, 'hex') as sha256, b.headers::text as headers
      from unnest($1::text[], $2::text[]) as n(source, event_id)
      join muster.inbox b on b.source = n.source and b.event_id = n.event_id and b.status = 'accepted'`,
    values: [textArray(names.map((n) => n.source)), textArray(names.map((n) => n.id))],
  })

/** Serialises those who write to one stream. */
export const lockStream = async (tx: Transaction, stream: number): Promise<void> => {
  await tx.query({
    name: 'inbox-lock-stream',
    text: 'select 1 from muster.stream where id = $1 for update',
    values: [stream],
  })
}
