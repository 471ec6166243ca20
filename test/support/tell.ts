/** What ingest writes for accepted events, without Kafka. */
import { createHash } from 'node:crypto'
import type { Database } from '../../src/store/database.ts'

export type WorkerInput = {
  readonly person: string
  readonly employment?: string
  readonly action?: 'assert' | 'correct' | 'rescind'
  readonly supersedes?: string
  readonly id?: string
  readonly effectiveAt: number
  readonly recordedAt?: number
  readonly status?: 'prehire' | 'active' | 'leave' | 'suspended' | 'terminated'
  readonly primary?: boolean
  readonly involuntary?: boolean
  readonly urgency?: 'normal' | 'immediate'
  readonly lastDayEndsAt?: number | null
  readonly contractEndsAt?: number | null
  readonly attributes?: Readonly<Record<string, string>>
}

/** A stream of its own; each call is one event of it, accepted. Answers the event's id. */
export const openEar = async (admin: Database) => {
  let offset = 0
  const [stream] = await admin.query<{ id: number }>({
    text: `insert into muster.stream (topic, incarnation, partition, next_offset, required_offset) values ('test', 1, 0, 0, 0) returning id`,
  })

  return async (input: WorkerInput): Promise<string> => {
    const id = input.id ?? `e${offset}`
    const employment = input.employment ?? `${input.person}-1`
    const raw = JSON.stringify(input)
    await admin.query({
      text: `with i as (insert into muster.identity (person_key, work_due_at, lane, events_seen, last_stream_id, last_offset, last_appended_at)
          values ($1, muster.now(), $2::muster.lane, 1, $3, $4, muster.now())
          on conflict (person_key) do update set work_due_at = least(muster.identity.work_due_at, muster.now()),
            lane = case when excluded.lane = 'leaver' then 'leaver'::muster.lane else muster.identity.lane end,
            events_seen = muster.identity.events_seen + 1, last_offset = excluded.last_offset, last_appended_at = excluded.last_appended_at
          returning id)
        insert into muster.inbox (stream_id, "offset", status, identity_id, source, event_id, appended_at, received_at, raw, raw_sha256, body)
        select $3, $4, 'accepted', i.id, '/test', $5, muster.now(), muster.now(), convert_to($6, 'UTF8'), $7, $8 from i`,
      values: [
        input.person,
        input.status === 'terminated' || input.action === 'rescind' || input.urgency === 'immediate'
          ? 'leaver'
          : 'bulk',
        stream?.id,
        offset,
        id,
        raw,
        createHash('sha256').update(raw).digest(),
        JSON.stringify({
          source: '/test',
          id,
          action: input.action ?? 'assert',
          supersedes: input.supersedes ?? null,
          effectiveAt: input.effectiveAt,
          recordedAt: input.recordedAt ?? input.effectiveAt + offset,
          sequence: String(offset).padStart(10, '0'),
          urgency: input.urgency ?? 'normal',
          worker: {
            personKey: input.person,
            employmentKey: employment,
            primary: input.primary ?? true,
            status: input.status ?? 'active',
            involuntary: input.involuntary ?? false,
            hireDate: null,
            lastDayEndsAt: input.lastDayEndsAt ?? null,
            contractEndsAt: input.contractEndsAt ?? null,
            attributes: {
              givenName: 'Given',
              familyName: `Family ${input.person}`,
              displayName: `Name ${input.person}`,
              username: input.person.toLowerCase(),
              ...input.attributes,
            },
          },
        }),
      ],
    })
    // Its own stream: those of a running engine stay armed until their ends are reached.
    await admin.query({
      text: 'update muster.stream set next_offset = $1, required_offset = $1 where id = $2',
      values: [offset + 1, stream?.id],
    })
    offset++
    return id
  }
}
