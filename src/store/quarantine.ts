import type { Arrival, Problem, QuarantineReason } from '../domain/inbox-message.ts'
import type { Queryable, Transaction } from './database.ts'
import type { InboxState } from './inbox.ts'

/** Where a message stands: `topic` and `partition` for people, `stream` (topic, our incarnation of it, partition) for us. */
export type QuarantinedLine = {
  readonly stream: number
  readonly offset: number
  readonly topic: string
  readonly incarnation: number
  readonly partition: number
  readonly reason: QuarantineReason
  /** As far as they could be read. Personal data. */
  readonly source: string | null
  readonly id: string | null
  /** Bytes of the value; null = tombstone. */
  readonly size: number | null
  /** ms since 1970. */
  readonly appendedAt: number
  readonly receivedAt: number
  readonly replayedAt: number | null
}

export type QuarantinedMessageRow = QuarantinedLine & {
  readonly key: Buffer | null
  readonly headers: string | null
  readonly raw: Buffer | null
  readonly problems: readonly Problem[]
}

export type QuarantineFilter = {
  readonly reason?: QuarantineReason | undefined
  readonly stream?: number | undefined
  /** Only later ones, in the order of the list: stream, then offset. */
  readonly after?: { readonly stream: number; readonly offset: number } | undefined
  readonly limit: number
}

const columns = `b.stream_id as stream, b."offset", s.topic, s.incarnation, s.partition, b.reason, b.source, b.event_id as id, length(b.raw) as size,
  (extract(epoch from b.appended_at) * 1000)::bigint as "appendedAt", (extract(epoch from b.received_at) * 1000)::bigint as "receivedAt",
  (extract(epoch from b.replayed_at) * 1000)::bigint as "replayedAt"`

export const listQuarantined = (db: Queryable, filter: QuarantineFilter): Promise<readonly QuarantinedLine[]> =>
  db.query({
    text: `select ${columns} from muster.inbox b join muster.stream s on s.id = b.stream_id
      where b.status = 'quarantined' and ($1::text is null or b.reason = $1) and ($2::int is null or b.stream_id = $2)
        and (b.stream_id, b."offset") > ($3::int, $4::bigint)
      order by b.stream_id, b."offset" limit $5`,
    values: [
      filter.reason ?? null,
      filter.stream ?? null,
      filter.after?.stream ?? 0,
      filter.after?.offset ?? -1,
      filter.limit,
    ],
  })

const whole = `select ${columns}, b.key, b.headers::text as headers, b.raw, coalesce(b.problem, '[]') as problems
  from muster.inbox b join muster.stream s on s.id = b.stream_id`

export const readQuarantined = async (
  db: Queryable,
  stream: number,
  offset: number,
): Promise<QuarantinedMessageRow | undefined> => {
  const [row] = await db.query<QuarantinedMessageRow>({
    text: `${whole} where b.stream_id = $1 and b."offset" = $2 and b.status = 'quarantined'`,
    values: [stream, offset],
  })
  return row
}

/** As people name it: a partition of a topic as it is now, and an offset. */
export const findStream = async (db: Queryable, topic: string, partition: number): Promise<number | undefined> => {
  const [row] = await db.query<{ id: number }>({
    text: 'select id from muster.stream where topic = $1 and partition = $2 and current',
    values: [topic, partition],
  })
  return row?.id
}

/** The message with the database's clock, locked against a second replay. */
export const lockQuarantined = async (
  tx: Transaction,
  stream: number,
  offset: number,
): Promise<(Arrival & { readonly now: number; readonly reason: QuarantineReason }) | undefined> => {
  const [row] = await tx.query<Arrival & { readonly now: number; readonly reason: QuarantineReason }>({
    text: `select b."offset", (extract(epoch from b.appended_at) * 1000)::bigint as "appendedAt", b.key, b.headers::text as headers, b.raw, b.reason,
        (extract(epoch from muster.now()) * 1000)::bigint as now
      from muster.inbox b where b.stream_id = $1 and b."offset" = $2 and b.status = 'quarantined' for update`,
    values: [stream, offset],
  })
  return row
}

/** The row becomes what it is judged to be today; an accepted one puts its identity to work. false: not into the leavers' lane. */
export const settleQuarantined = async (
  tx: Transaction,
  stream: number,
  offset: number,
  state: InboxState,
): Promise<boolean> => {
  switch (state.status) {
    case 'accepted': {
      const [row] = await tx.query<{ leaver: boolean }>({
        text: acceptText,
        values: [stream, offset, state.personKey, state.source, state.id, state.endsAt, state.body, state.tzVersion],
      })
      return row?.leaver ?? false
    }
    case 'duplicate':
      await tx.query({
        text: `update muster.inbox set status = 'duplicate', source = $3, event_id = $4, reason = null, problem = null, replayed_at = muster.now()
          where stream_id = $1 and "offset" = $2`,
        values: [stream, offset, state.source, state.id],
      })
      return false
    case 'quarantined':
      await tx.query({
        text: `update muster.inbox set reason = $3, problem = $4, source = $5, event_id = $6, replayed_at = muster.now() where stream_id = $1 and "offset" = $2`,
        values: [stream, offset, state.reason, JSON.stringify(state.problems), state.source, state.id],
      })
      return false
  }
}

const acceptText = `with n as materialized (select muster.now() as at, appended_at from muster.inbox where stream_id = $1 and "offset" = $2),
  person as (
    insert into muster.identity as i (person_key, work_due_at, lane, events_seen, last_stream_id, last_offset, last_appended_at)
    select $3, n.at, (case when to_timestamp($6::float8 / 1000) <= n.at then 'leaver' else 'bulk' end)::muster.lane, 1, $1, $2, n.appended_at from n
    on conflict (person_key) do update set work_due_at = least(i.work_due_at, excluded.work_due_at),
      lane = case when excluded.lane = 'leaver' then excluded.lane else i.lane end,
      events_seen = i.events_seen + 1, last_stream_id = excluded.last_stream_id, last_offset = excluded.last_offset,
      last_appended_at = excluded.last_appended_at,
      parked_at = null
    returning id, lane)
  update muster.inbox b set status = 'accepted', identity_id = person.id, source = $4, event_id = $5,
    ends_access = coalesce(to_timestamp($6::float8 / 1000) <= n.at, false), body = $7::json, tz_version = $8,
    reason = null, problem = null, replayed_at = n.at
  from n, person where b.stream_id = $1 and b."offset" = $2 returning person.lane = 'leaver' as leaver`
