import type pg from 'pg'
import { groupsEach } from './people.ts'

/** Identities that were evaluated and provisioned long ago, with their inbox row, desired access, account and grants. */
export const storeIdentities = async (admin: pg.Pool, count: number): Promise<void> => {
  const client = await admin.connect()
  try {
    await client.query('begin')
    const { rows } = await client.query<{ id: number }>(
      `insert into muster.stream (topic, incarnation, partition, next_offset, required_offset, current) values ('stored', 1, 0, $1, 0, false) returning id`,
      [count],
    )
    await client.query(
      `with i as (
          insert into muster.identity (person_key, events_seen, events_folded, last_stream_id, last_offset, last_appended_at, evaluated_policy,
            evaluated_at, plan_version, lifecycle, profile)
          select 'S-' || n, 1, 1, $1, n, muster.now(), (select version from muster.active_policy), muster.now(), 1, 'active',
            jsonb_build_object('personKey', 'S-' || n, 'username', 's' || n, 'displayName', 'Stored ' || n, 'department', 'D' || n % 10)
          from generate_series(0, $2 - 1) n returning id, person_key, last_offset, profile),
        b as (
          insert into muster.inbox (stream_id, "offset", status, identity_id, source, event_id, appended_at, received_at, key, raw, raw_sha256, body)
          select $1, last_offset, 'accepted', id, '/stored', 's-' || last_offset, muster.now(), muster.now(), convert_to(person_key, 'UTF8'),
            convert_to(body::text, 'UTF8'), sha256(convert_to(body::text, 'UTF8')), body
          from (select i.*, jsonb_build_object('source', '/stored', 'id', 's-' || last_offset, 'action', 'assert', 'supersedes', null, 'effectiveAt',
            1578268800000, 'recordedAt', 1578268800000, 'sequence', '', 'urgency', 'normal', 'worker', jsonb_build_object('personKey', person_key,
            'employmentKey', 'E-' || person_key, 'primary', true, 'status', 'active', 'involuntary', false, 'hireDate', null, 'lastDayEndsAt', null,
            'contractEndsAt', null, 'attributes', profile)) as body from i) x),
        a as (
          insert into muster.account (identity_id, target, native_id, origin, linked_at, enabled, read_at, grants_read_at)
          select id, 'bank-ldap', gen_random_uuid()::text, 'linked', muster.now(), true, muster.now(), muster.now() from i returning id, identity_id),
        g as (
          insert into muster.grants (account_id, entitlement_id, first_verified_at, last_verified_at, first_recorded_at)
          select a.id, e.id, muster.now(), muster.now(), muster.now()
          from a join i on i.id = a.identity_id cross join lateral generate_series(0, $3 - 1) k
          join muster.entitlement e on e.key = 'G' || (i.last_offset % 10) * $3 + k)
      insert into muster.desired (identity_id, recorded_from, assignments, entitlements)
      select i.id, muster.now(), (select jsonb_agg(jsonb_build_object('e', e.id, 'from', 1578268800000, 'to', null, 'reasons', '[]'::jsonb)) from muster.entitlement e
          where e.key in ('G' || (i.last_offset % 10) * $3, 'G' || (i.last_offset % 10) * $3 + 1, 'G' || (i.last_offset % 10) * $3 + 2)),
        (select array_agg(e.id) from muster.entitlement e
          where e.key in ('G' || (i.last_offset % 10) * $3, 'G' || (i.last_offset % 10) * $3 + 1, 'G' || (i.last_offset % 10) * $3 + 2))
      from i`,
      [rows[0]?.id, count, groupsEach],
    )
    await client.query('commit')
    await client.query('analyze')
  } finally {
    client.release()
  }
}
