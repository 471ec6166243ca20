import type { ActionKind, Lane } from '../domain/action.ts'
import { mayBeSent, mayGoOut } from './claimable.ts'
import type { Queryable, Transaction } from './database.ts'

export type DispatchRef = {
  readonly id: number
  readonly target: string
  readonly lane: Lane
  readonly queueNo: number
}

/** What the guard holds: every undispatched action of a kind on a target, or on one entitlement of it. */
export type Held = { readonly target: string; readonly kind: ActionKind; readonly entitlement: number | null }

/** How much of what takes away the guard counted: what is planned after its count stays for the next one. */
export type Counted = Held & { readonly undispatched: number }

/** People of one leaver dispatch: each is looked up and shut by itself, well within a lease also where the target is slow. */
const leaversTogether = 250

/**
 * Groups ready actions into dispatches, one statement. Bulk: by target, kind and entitlement, and a group goes when it
 * is full, when nothing is left to evaluate and its oldest is 50 ms old, or at 1 s. Leavers: by target alone, at once.
 * Rows that evaluation holds are skipped.
 */
export const createDispatches = (
  tx: Transaction,
  lane: Lane,
  batchSize: number,
  held: readonly Held[],
  /** Identities that pass although held: the bounded urgent leavers. */
  passing: readonly number[],
  counted: readonly Counted[],
): Promise<readonly DispatchRef[]> => {
  // A bitmap of the ready ones visits, pass after pass, also all that have left since the last vacuum; an index scan marks them.
  if (lane === 'bulk')
    tx.defer(tx.query({ name: 'dispatches-plan', text: `select set_config('enable_bitmapscan', 'off', true)` }))
  return tx.query({
    name: `dispatches-create-${lane}`,
    text: `with busy as materialized (
        -- Where the workers are busy anyway, actions gather in larger dispatches instead of on the queue. Behind a job that
        -- was lost nobody gathers for long.
        select target from muster.dispatch where lane = '${lane}' and state = 'queued' and created_at > (select muster.now()) - interval '5 s'
        group by target having count(*) >= ${lane === 'bulk' ? 1 : 2}),
      -- Looked up, not joined: nothing tells the planner how many rows an array of parameters has.
      holding as materialized (
        select coalesce(jsonb_object_agg(h.target || ' ' || h.kind || ' ' || coalesce(h.entitlement::text, ''), true), '{}') as keys
        from unnest($3::text[], $4::text[], $5::int[]) as h(target, kind, entitlement)),
      allowing as materialized (
        select coalesce(jsonb_object_agg(c.target || ' ' || c.kind || ' ' || coalesce(c.entitlement::text, ''), c.undispatched), '{}') as by_key
        from unnest($7::text[], $8::text[], $9::int[], $10::bigint[]) as c(target, kind, entitlement, undispatched)),
      candidate as materialized (
        select a.id, a.identity_id, a.target, a.kind, a.entitlement_id, a.created_at, a.kind in ('revoke', 'disable') and not a.guard_released as guarded
        from muster.action a
        join muster.identity i on i.id = a.identity_id
        left join muster.account c on c.identity_id = a.identity_id and c.target = a.target and c.unlinked_at is null
        where exists (select from muster.target t where t.mode = 'enforce' and t.id not in (select target from busy))
          and a.state = 'ready' and a.lane = '${lane}' and a.next_at <= (select muster.now()) and ${mayBeSent}
          and a.target not in (select target from busy)
          and (a.guard_released or a.kind not in ('revoke', 'disable')
            or not (select keys from holding) ?| array[a.target || ' ' || a.kind || ' ', a.target || ' ' || a.kind || ' ' || coalesce(a.entitlement_id::text, '')]
            or a.identity_id = any($6::bigint[]))
        order by a.id limit 20000 for update of a skip locked),
      countable as (
        select *, row_number() over (partition by target, kind, case when kind = 'revoke' then entitlement_id end order by id) as nth
        from candidate where guarded),
      leaving as (
        select id, identity_id, target, kind, entitlement_id, created_at from candidate where not guarded
        union all
        select id, identity_id, target, kind, entitlement_id, created_at from countable
        where nth <= ((select by_key from allowing) ->> (target || ' ' || kind || ' ' || case when kind = 'revoke' then entitlement_id::text else '' end))::bigint),
      numbered as (
        select id, target, created_at,
          ${lane === 'bulk' ? 'kind, entitlement_id,' : 'null::muster.action_kind as kind, null::int as entitlement_id,'}
          ${
            lane === 'bulk'
              ? '(row_number() over (partition by target, kind, entitlement_id order by id) - 1) / $2'
              : `(row_number() over (partition by target order by id) - 1) / $2 * 1000000
                + (dense_rank() over (partition by target order by identity_id) - 1) / ${leaversTogether}`
          } as chunk
        from leaving),
      idle as materialized (
        select not exists (select from muster.identity where lane = 'bulk' and parked_at is null and work_due_at <= (select muster.now())) as yes),
      chunks as materialized (
        select target, kind, entitlement_id, array_agg(id) as ids, nextval('muster.dispatch_id') as dispatch_id
        from numbered group by target, kind, entitlement_id, chunk
        having ${
          lane === 'bulk'
            ? `count(*) = $2 or min(created_at) <= (select muster.now()) - interval '1 s'
          or ((select yes from idle) and min(created_at) <= (select muster.now()) - interval '50 ms')`
            : 'true'
        }),
      made as (
        insert into muster.dispatch (id, target, lane, kind, entitlement_id, size, state, created_at)
        select dispatch_id, target, $1::muster.lane, kind, entitlement_id, cardinality(ids), 'queued', (select muster.now()) from chunks),
      moved as (
        update muster.action a set state = 'dispatched', dispatch_id = n.dispatch_id, dispatched_at = (select muster.now()),
          guard_urgent = a.guard_urgent or a.identity_id = any($6::bigint[])
        from (select unnest(ids) as id, dispatch_id from chunks) n where a.id = n.id)
      select dispatch_id as id, target, $1::text as lane, 1 as "queueNo" from chunks order by dispatch_id`,
    values: [
      lane,
      batchSize,
      held.map((h) => h.target),
      held.map((h) => h.kind),
      held.map((h) => h.entitlement),
      passing,
      counted.map((c) => c.target),
      counted.map((c) => c.kind),
      counted.map((c) => c.entitlement),
      counted.map((c) => c.undispatched),
    ],
  })
}

/** Actions of the lane that are ready now or will be by time alone: is it worth looking again soon? */
export const hasReady = async (db: Queryable, lane: Lane): Promise<boolean> => {
  const [row] = await db.query<{ yes: boolean }>({
    name: 'dispatches-has-ready',
    text: `select exists (select from muster.action where state = 'ready' and lane = $1 and next_at <= (select muster.now())) as yes`,
    values: [lane],
  })
  return row?.yes ?? false
}

export const markQueued = async (db: Queryable, ids: readonly number[]): Promise<void> => {
  if (ids.length === 0) return
  await db.query({
    name: 'dispatches-queued',
    text: `update muster.dispatch set queued_at = (select muster.now()) where id = any($1) and state = 'queued'`,
    values: [ids],
  })
}

/** Queued dispatches that nobody claimed for a while: the poll path for leavers, the sweeper's list for all. */
export const unclaimed = (
  db: Queryable,
  lane: Lane,
  olderThanMs: number,
  limit: number,
): Promise<readonly DispatchRef[]> =>
  db.query({
    name: 'dispatches-unclaimed',
    text: `select id, target, lane::text, queue_no as "queueNo" from muster.dispatch
      where lane = $1 and state = 'queued' and coalesce(queued_at, created_at) <= (select muster.now()) - make_interval(secs => $2::float8 / 1000)
      order by created_at limit $3`,
    values: [lane, olderThanMs, limit],
  })

/** A lost job gets a new queue number, so that its new job id is unknown to BullMQ. */
export const requeue = (db: Queryable, lane: Lane, olderThanMs: number): Promise<readonly DispatchRef[]> =>
  db.query({
    name: 'dispatches-requeue',
    text: `update muster.dispatch set queue_no = queue_no + 1, queued_at = (select muster.now())
      where id in (select id from muster.dispatch where lane = $1 and state = 'queued'
        and coalesce(queued_at, created_at) <= (select muster.now()) - make_interval(secs => $2::float8 / 1000)
        order by id limit 1000 for update skip locked)
      returning id, target, lane::text, queue_no as "queueNo"`,
    values: [lane, olderThanMs],
  })

export type LockedDispatch = {
  readonly id: number
  readonly target: string
  readonly lane: Lane
  readonly now: number
}

/** First statement of a claim: waits for whoever holds it (an evaluation, for milliseconds), then it must still be queued. */
export const lockQueued = async (tx: Transaction, id: number): Promise<LockedDispatch | null> => {
  const [row] = await tx.query<LockedDispatch>({
    name: 'dispatch-lock-queued',
    text: `select id, target, lane::text, (extract(epoch from (select muster.now())) * 1000)::bigint as now
      from muster.dispatch where id = $1 and state = 'queued' for update`,
    values: [id],
  })
  return row ?? null
}

export type DispatchedAction = {
  readonly id: number
  readonly identity_id: number
  readonly subject_ref: string
  readonly kind: ActionKind
  readonly entitlement_id: number | null
  readonly plan_version: number
  readonly decision_id: number
  readonly attempts: number
  readonly unknown: boolean
  readonly inverse_of: number | null
  readonly attributes_hash: string | null
  readonly profile: Readonly<Record<string, string | number | boolean | null>> | null
  readonly account_id: number | null
  readonly account_native: string | null
  readonly lookup: string | null
  readonly entitlement_native: string | null
  readonly deadline: number | null
  readonly may_go: boolean
}

/** Second statement of a claim, a fresh snapshot under the lock: the actions and whether each may still go out. */
export const dispatchedActions = (tx: Transaction, dispatch: number): Promise<readonly DispatchedAction[]> =>
  tx.query({
    name: 'dispatch-actions',
    text: `select a.id, a.identity_id, i.subject_ref, a.kind, a.entitlement_id, a.plan_version, a.decision_id, a.attempts, a.unknown,
        a.inverse_of, a.attributes_hash, case when a.kind = 'ensureAccount' then coalesce(i.profile, jsonb_build_object('personKey', i.person_key)) end as profile,
        c.id as account_id, c.native_id as account_native, e.lookup, e.native_id as entitlement_native,
        (date_part('epoch', a.deadline) * 1000)::bigint as deadline, ${mayGoOut} as may_go
      from muster.action a
      join muster.identity i on i.id = a.identity_id
      left join muster.account c on c.identity_id = a.identity_id and c.target = a.target and c.unlinked_at is null
      left join muster.entitlement e on e.id = a.entitlement_id
      where a.dispatch_id = $1 and a.state = 'dispatched' order by a.id`,
    values: [dispatch],
  })

/** Back to the queue of ready actions: what a claim refuses now may go out later. */
export const returnToReady = async (tx: Transaction, ids: readonly number[]): Promise<void> => {
  if (ids.length === 0) return
  await tx.query({
    name: 'dispatch-return',
    text: `update muster.action set state = 'ready', dispatch_id = null, dispatched_at = null where id = any($1)`,
    values: [ids],
  })
}

export const leaseDispatch = async (
  tx: Transaction,
  id: number,
  token: string | null,
  leaseMs: number,
): Promise<void> => {
  await tx.query({
    name: 'dispatch-lease',
    text: `update muster.dispatch set state = case when $2::uuid is null then 'done' else 'claimed' end::muster.dispatch_state,
        lease_token = $2::uuid, claimed_at = (select muster.now()),
        lease_until = (select muster.now()) + make_interval(secs => $3::float8 / 1000),
        done_at = case when $2::uuid is null then (select muster.now()) end
      where id = $1`,
    values: [id, token, leaseMs],
  })
}

/** First statement of an outcome: the lease must still be ours, else whatever we did must be looked at again. */
export const lockLeased = async (
  tx: Transaction,
  id: number,
  token: string,
): Promise<{ readonly now: number } | null> => {
  const [row] = await tx.query<{ now: number }>({
    name: 'dispatch-lock-leased',
    text: `select (extract(epoch from (select muster.now())) * 1000)::bigint as now
      from muster.dispatch where id = $1 and state = 'claimed' and lease_token = $2::uuid for update`,
    values: [id, token],
  })
  return row ?? null
}

export const finishDispatch = async (tx: Transaction, id: number, state: 'done' | 'expired'): Promise<void> => {
  await tx.query({
    name: 'dispatch-finish',
    text: `update muster.dispatch set state = $2::muster.dispatch_state, done_at = (select muster.now()) where id = $1`,
    values: [id, state],
  })
}

/** Dispatches whose worker let its lease run out. */
export const expiredLeases = (db: Queryable, limit: number): Promise<readonly { readonly id: number }[]> =>
  db.query({
    name: 'dispatches-expired',
    text: `select id from muster.dispatch where state = 'claimed' and lease_until < (select muster.now()) order by id limit $1`,
    values: [limit],
  })

export const lockExpired = async (tx: Transaction, id: number): Promise<LockedDispatch | null> => {
  const [row] = await tx.query<LockedDispatch>({
    name: 'dispatch-lock-expired',
    text: `select id, target, lane::text, (extract(epoch from (select muster.now())) * 1000)::bigint as now
      from muster.dispatch where id = $1 and state = 'claimed' and lease_until < (select muster.now()) for update`,
    values: [id],
  })
  return row ?? null
}
