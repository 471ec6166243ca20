import type { Decoded, Problem, QuarantineReason } from '../domain/inbox-message.ts'
import type { Queryable, Transaction } from './database.ts'

/** A message as it will stand in the inbox. */
export type InboxRow = Pick<Decoded, 'offset' | 'appendedAt' | 'key' | 'headers' | 'raw'> & InboxState

export type InboxState =
  | {
      readonly status: 'accepted'
      readonly personKey: string
      readonly source: string
      readonly id: string
      readonly endsAccess: boolean
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
 * 23505 and nothing is written either. All bytes travel as one parameter, for an array of them would be written in hex.
 */
export const saveInbox = async (
  db: Queryable,
  stream: number,
  rows: readonly InboxRow[],
  next: number,
): Promise<SavedBatch | undefined> => {
  const people = gather(rows)
  const bytes = pack(rows)
  const [saved] = await db.query<SavedBatch>({
    name: 'inbox-save',
    text: saveText,
    values: [
      stream,
      rows[0]?.offset ?? next,
      next,
      people.map((p) => p.personKey),
      people.map((p) => p.endsAccess),
      people.map((p) => p.endsAt),
      people.map((p) => p.events),
      people.map((p) => p.lastOffset),
      people.map((p) => p.appendedAt),
      bytes.all,
      rows.map((r) => r.offset),
      rows.map((r) => r.status),
      rows.map((r) => (r.status === 'accepted' ? r.personKey : null)),
      rows.map((r) => r.source),
      rows.map((r) => r.id),
      rows.map((r) => r.status === 'accepted' && r.endsAccess),
      rows.map((r) => (r.status === 'accepted' ? r.endsAt : null)),
      rows.map((r) => r.appendedAt),
      bytes.starts,
      rows.map((r) => r.key?.length ?? null),
      rows.map((r) => r.raw?.length ?? null),
      bytes.bodyLengths,
      rows.map((r) => r.headers),
      rows.map((r) => (r.status === 'accepted' ? r.tzVersion : null)),
      rows.map((r) => (r.status === 'quarantined' ? r.reason : null)),
      rows.map((r) => (r.status === 'quarantined' ? JSON.stringify(r.problems) : null)),
    ],
  })
  return saved
}

const saveText = `with s as materialized (
    select id, muster.now() as at from muster.stream where id = $1 and current and next_offset <= $2 for update),
  people as (
    insert into muster.identity as i (person_key, work_due_at, lane, events_seen, last_stream_id, last_offset, last_appended_at)
    select p.person_key, s.at, (case when p.ends or to_timestamp(p.ends_at / 1000) <= s.at then 'leaver' else 'bulk' end)::muster.lane,
      p.events, s.id, p.last_offset, least(to_timestamp(p.appended / 1000), s.at)
    from s, unnest($4::text[], $5::boolean[], $6::float8[], $7::int[], $8::bigint[], $9::float8[])
      as p(person_key, ends, ends_at, events, last_offset, appended)
    order by p.person_key
    on conflict (person_key) do update set work_due_at = least(i.work_due_at, excluded.work_due_at),
      lane = case when excluded.lane = 'leaver' then excluded.lane else i.lane end,
      events_seen = i.events_seen + excluded.events_seen, last_stream_id = excluded.last_stream_id,
      last_offset = excluded.last_offset, last_appended_at = excluded.last_appended_at,
      -- Whose evaluation failed is evaluated once more with what is new: better a second failure than a leaver who stays.
      parked_at = null
    returning id, person_key, lane),
  kept as (
    insert into muster.inbox (stream_id, "offset", status, identity_id, source, event_id, ends_access, appended_at, received_at,
      key, headers, raw, raw_sha256, body, tz_version, reason, problem)
    select s.id, m.off, m.status, people.id, m.source, m.event_id, m.ends or coalesce(to_timestamp(m.ends_at / 1000) <= s.at, false),
      least(to_timestamp(m.appended / 1000), s.at), s.at, substring($10::bytea from m.start for m.key_length), m.headers::jsonb,
      substring($10 from m.start + coalesce(m.key_length, 0) for m.raw_length),
      sha256(coalesce(substring($10 from m.start + coalesce(m.key_length, 0) for m.raw_length), '')),
      convert_from(substring($10 from m.start + coalesce(m.key_length, 0) + coalesce(m.raw_length, 0) for m.body_length), 'UTF8')::json,
      m.tz, m.reason, m.problem::jsonb
    from s cross join unnest($11::bigint[], $12::muster.inbox_status[], $13::text[], $14::text[], $15::text[], $16::boolean[], $17::float8[],
      $18::float8[], $19::int[], $20::int[], $21::int[], $22::int[], $23::text[], $24::text[], $25::text[], $26::text[])
      as m(off, status, person_key, source, event_id, ends, ends_at, appended, start, key_length, raw_length, body_length, headers, tz, reason, problem)
    left join people on people.person_key = m.person_key),
  moved as (update muster.stream set next_offset = greatest(next_offset, $3) from s where stream.id = s.id)
  select (extract(epoch from s.at) * 1000)::bigint as at,
    exists (select from people where lane = 'leaver') as leavers, exists (select from people where lane = 'bulk') as bulk from s`

type Person = {
  personKey: string
  endsAccess: boolean
  endsAt: number | null
  events: number
  lastOffset: number
  appendedAt: number | null
}

const gather = (rows: readonly InboxRow[]): readonly Person[] => {
  const people = new Map<string, Person>()
  for (const row of rows) {
    if (row.status !== 'accepted') continue
    const { personKey, endsAccess, endsAt, offset, appendedAt } = row
    const person = people.get(personKey)
    if (person === undefined)
      people.set(personKey, { personKey, endsAccess, endsAt, events: 1, lastOffset: offset, appendedAt })
    else {
      person.endsAccess ||= endsAccess
      if (endsAt !== null && (person.endsAt === null || endsAt < person.endsAt)) person.endsAt = endsAt
      person.events++
      person.lastOffset = offset
      person.appendedAt = appendedAt
    }
  }
  return [...people.values()]
}

/** key ‖ raw ‖ body of every row; `starts` are PostgreSQL's, from 1. */
const pack = (rows: readonly InboxRow[]) => {
  const parts: Uint8Array[] = []
  const starts: number[] = []
  const bodyLengths: (number | null)[] = []
  let length = 0
  for (const row of rows) {
    starts.push(length + 1)
    const body = row.status === 'accepted' ? Buffer.from(row.body, 'utf8') : null
    for (const part of [row.key, row.raw, body]) {
      if (part === null) continue
      parts.push(part)
      length += part.length
    }
    bodyLengths.push(body?.length ?? null)
  }
  return { all: Buffer.concat(parts, length), starts, bodyLengths }
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
    values: [names.map((n) => n.source), names.map((n) => n.id)],
  })

/** Serialises those who write to one stream. */
export const lockStream = async (tx: Transaction, stream: number): Promise<void> => {
  await tx.query({
    name: 'inbox-lock-stream',
    text: 'select 1 from muster.stream where id = $1 for update',
    values: [stream],
  })
}
