import type { ActionCause, Lane, NewAction, Waits } from '../domain/action.ts'
import { float8Array, int4Array, int8Array, textArray } from './binary-array.ts'
import type { Transaction } from './database.ts'

export type ActionRow = NewAction & {
  readonly id: number
  readonly identity: number
  readonly planVersion: number
  readonly decision: number
  readonly state: 'waiting' | 'ready'
  readonly deadline: number
  readonly inverseOf: number | null
  readonly guarded: boolean
  readonly cause: ActionCause | null
}

/**
 * Their sessions were let be ended since they left, and are ended once more, for something was still to be taken from them: it is one and the
 * same person to the guard. Of a day, for nothing that was begun before lives longer.
 */
const isSecondEnd = `case when r.kind <> 'endSessions' then false else
          exists (select from muster.account c where c.identity_id = r.identity and c.target = r.target and c.unlinked_at is null and c.could_sign_in_at is not null)
          and exists (select from muster.action e join muster.identity i on i.id = e.identity_id
            where e.guarded and e.target = r.target and e.kind = 'endSessions' and e.taken_at > (select muster.now()) - interval '1 day'
              and e.identity_id = r.identity and e.taken_at >= greatest(i.leave_heard_at, i.ended_at)) end`

export const insertActions = async (tx: Transaction, at: number, rows: readonly ActionRow[]): Promise<void> => {
  if (rows.length === 0) return
  await tx.query({
    name: 'actions-insert',
    text: `insert into muster.action (id, identity_id, target, kind, entitlement_id, lane, state, plan_version, decision_id, needs_account,
        after_revoke_of, inverse_of, valid_from, valid_to, attributes_hash, reason, created_at, next_at, deadline, guarded, guard_released, cause)
      select r.id, r.identity, r.target, r.kind::muster.action_kind, r.entitlement, r.lane::muster.lane, r.state::muster.action_state, r.plan_version,
        r.decision, r.needs_account <> 0, case when r.after is null then null else array(select jsonb_array_elements(r.after::jsonb)::int) end, r.inverse_of,
        to_timestamp(r.valid_from / 1000), to_timestamp(r.valid_to / 1000), r.hash, r.reason::jsonb,
        to_timestamp($1::float8 / 1000), to_timestamp($1::float8 / 1000), to_timestamp(r.deadline / 1000), r.guarded <> 0,
        r.guarded <> 0 and ${isSecondEnd}, r.cause::jsonb
      from unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::int[], $7::text[], $8::text[],
        $9::int[], $10::bigint[], $11::int[], $12::text[], $13::bigint[], $14::float8[], $15::float8[], $16::text[], $17::text[], $18::float8[], $19::int[], $20::text[])
        as r(id, identity, target, kind, entitlement, lane, state, plan_version, decision, needs_account, after, inverse_of,
          valid_from, valid_to, hash, reason, deadline, guarded, cause)`,
    values: [
      at,
      int8Array(rows.map((r) => r.id)),
      int8Array(rows.map((r) => r.identity)),
      textArray(rows.map((r) => r.target)),
      textArray(rows.map((r) => r.kind)),
      int4Array(rows.map((r) => r.entitlement)),
      textArray(rows.map((r) => r.lane)),
      textArray(rows.map((r) => r.state)),
      int4Array(rows.map((r) => r.planVersion)),
      int8Array(rows.map((r) => r.decision)),
      int4Array(rows.map((r) => Number(r.needsAccount))),
      textArray(rows.map((r) => (r.afterRevokeOf.length === 0 ? null : JSON.stringify(r.afterRevokeOf)))),
      int8Array(rows.map((r) => r.inverseOf)),
      float8Array(rows.map((r) => r.validFrom)),
      float8Array(rows.map((r) => r.validTo)),
      textArray(rows.map((r) => r.attributesHash)),
      textArray(rows.map((r) => JSON.stringify(r.reason))),
      float8Array(rows.map((r) => r.deadline)),
      int4Array(rows.map((r) => Number(r.guarded))),
      textArray(rows.map((r) => (r.cause === null ? null : JSON.stringify(r.cause)))),
    ],
  })
}

/** Never run: nobody wants them any more. Only unclaimed ones are given (the caller holds their locks). */
export const supersede = async (tx: Transaction, at: number, ids: readonly number[]): Promise<void> => {
  if (ids.length === 0) return
  await tx.query({
    name: 'actions-supersede',
    text: `update muster.action set state = 'superseded', done_at = to_timestamp($1::float8 / 1000) where id = any($2)`,
    values: [at, ids],
  })
}

export type Restamp = Waits & {
  readonly id: number
  readonly planVersion: number
  readonly lane: Lane
  /** ms; of an action that changes its lane. */
  readonly deadline: number
}

/** Wanted by the new plan too: they keep age, attempts and deadline. What they wait for may have changed. */
export const restamp = async (tx: Transaction, rows: readonly Restamp[]): Promise<void> => {
  if (rows.length === 0) return
  await tx.query({
    name: 'actions-restamp',
    text: `update muster.action a set plan_version = r.version, needs_account = r.needs_account,
        after_revoke_of = case when r.after = '[]' then null else array(select jsonb_array_elements(r.after)::int) end,
        valid_from = to_timestamp(r.valid_from / 1000), valid_to = to_timestamp(r.valid_to / 1000),
        state = case when a.state in ('waiting', 'ready') or a.lane <> r.lane::muster.lane
          then case when r.after = '[]' then 'ready' else 'waiting' end::muster.action_state else a.state end,
        dispatch_id = case when a.lane <> r.lane::muster.lane then null else a.dispatch_id end,
        next_at = case when a.lane <> r.lane::muster.lane then (select muster.now()) else a.next_at end,
        deadline = case when a.lane <> r.lane::muster.lane then least(a.deadline, to_timestamp(r.deadline / 1000)) else a.deadline end,
        lane = r.lane::muster.lane
      from unnest($1::bigint[], $2::int[], $3::boolean[], $4::jsonb[], $5::float8[], $6::float8[], $7::text[], $8::float8[])
        as r(id, version, needs_account, after, valid_from, valid_to, lane, deadline) where a.id = r.id`,
    values: [
      rows.map((r) => r.id),
      rows.map((r) => r.planVersion),
      rows.map((r) => r.needsAccount),
      rows.map((r) => JSON.stringify(r.afterRevokeOf)),
      rows.map((r) => r.validFrom),
      rows.map((r) => r.validTo),
      rows.map((r) => r.lane),
      rows.map((r) => r.deadline),
    ],
  })
}

/**
 * Lets go what waited for revokes of these identities that are now verified: nothing awaited is present or in flight.
 * Locks first what waits: of two outcomes that each verify one of two awaited revokes, the later must see the earlier.
 */
export const releaseWaiting = async (
  tx: Transaction,
  identities: readonly number[],
): Promise<readonly { readonly lane: string }[]> => {
  if (identities.length === 0) return []
  tx.defer(
    tx.query({
      name: 'actions-lock-waiting',
      text: `select from muster.action where identity_id = any($1) and open and state = 'waiting' order by id for update`,
      values: [identities],
    }),
  )
  return tx.query({
    name: 'actions-release',
    text: `update muster.action w set state = 'ready', next_at = (select muster.now()) where w.id in (
      select a.id from muster.action a where a.identity_id = any($1) and a.open and a.state = 'waiting'
        and not exists (select from muster.account c join muster.grants g on g.account_id = c.id and g.gone_verified_at is null
          where c.identity_id = a.identity_id and c.unlinked_at is null and g.entitlement_id = any(a.after_revoke_of))
        and not exists (select from muster.action o where o.identity_id = a.identity_id and o.kind = 'grant'
          and o.entitlement_id = any(a.after_revoke_of) and (o.state = 'dispatched' or o.unknown) and o.open)
      order by a.id for update)
      returning w.lane`,
    values: [identities],
  })
}
