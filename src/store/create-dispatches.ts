import type { ActionKind, Lane } from '../domain/action.ts'
import { mayBeSent } from './claimable.ts'
import type { Transaction } from './database.ts'
import type { DispatchRef } from './dispatches.ts'

/** What the guard holds: every undispatched action of a kind on a target, or on one entitlement of it. */
export type Held = { readonly target: string; readonly kind: ActionKind; readonly entitlement: number | null }

/** One of the bounded urgent leavers that pass although the guard of a target holds what they must lose there. */
export type Passing = { readonly target: string; readonly identity: number }

/** How much of what takes away the guard counted: what is planned after its count stays for the next one. */
export type Counted = Held & { readonly undispatched: number }

/** People of one leaver dispatch: each is looked up and shut by itself, well within a lease also where the target is slow. */
const leaversTogether = 500

/**
 * With so many dispatches of a target on the queue its workers are busy anyway: more actions gather in larger dispatches.
 * Nobody gathers for longer behind jobs that may be lost; a lost leaver is taken from the database after a second.
 */
const busyFrom = { bulk: { queued: 4, youngerThan: '5 s' }, leaver: { queued: 1, youngerThan: '2 s' } } as const

/** A hold is over this action, and no human has released it. Looked up, not joined: nothing tells the planner how many rows an array has. */
const isHeld = `(a.guarded and not a.guard_released and (select keys from holding)
              ?| array[a.target || ' ' || a.kind || ' ', a.target || ' ' || a.kind || ' ' || coalesce(a.entitlement_id::text, '')])`

const passes = `(a.kind in ('revoke', 'disable', 'endSessions') and (select who from passing) ? (a.target || ' ' || a.identity_id))`

/**
 * Groups ready actions into dispatches, one statement. Bulk: by target, kind and entitlement, and a group goes when it
 * is full, when nothing is left to evaluate and its oldest is 50 ms old, or at 1 s. Leavers: by target alone, each person's work in one
 * (but sessions that one attempt did not end, which go apart), and at once but behind a dispatch that no worker has taken yet.
 * Rows that evaluation holds are skipped.
 */
export const createDispatches = (
  tx: Transaction,
  lane: Lane,
  /** Actions of one dispatch, and those that one pass looks at. */
  batch: { readonly sizes: Readonly<Record<string, number>>; readonly most: number },
  held: readonly Held[],
  passing: readonly Passing[],
  counted: readonly Counted[],
): Promise<readonly DispatchRef[]> => {
  // What muster.yaml does not name any more has no size of its own: whoever claims it answers that there is no connector.
  const size = `coalesce(($2::jsonb ->> target)::int, 500)`
  // A bitmap of the ready ones visits, pass after pass, also all that have left since the last vacuum; an index scan marks them.
  if (lane === 'bulk')
    tx.defer(tx.query({ name: 'dispatches-plan', text: `select set_config('enable_bitmapscan', 'off', true)` }))
  return tx.query({
    // Its own statement for each number: the plan depends on it.
    name: `dispatches-create-${lane}-${batch.most}`,
    text: `with busy as materialized (
        select target from muster.dispatch
        where lane = '${lane}' and state = 'queued' and created_at > (select muster.now()) - interval '${busyFrom[lane].youngerThan}'
        group by target having count(*) >= ${busyFrom[lane].queued}),
      holding as materialized (
        select coalesce(jsonb_object_agg(h.target || ' ' || h.kind || ' ' || coalesce(h.entitlement::text, ''), true), '{}') as keys
        from unnest($3::text[], $4::text[], $5::int[]) as h(target, kind, entitlement)),
      passing as materialized (
        select coalesce(jsonb_object_agg(who, true), '{}') as who from unnest($6::text[]) as p(who)),
      allowing as materialized (
        select coalesce(jsonb_object_agg(c.target || ' ' || c.kind || ' ' || coalesce(c.entitlement::text, ''), c.undispatched), '{}') as by_key
        from unnest($7::text[], $8::text[], $9::int[], $10::bigint[]) as c(target, kind, entitlement, undispatched)),
      candidate as materialized (
        select a.id, a.identity_id, a.target, a.kind, a.entitlement_id, a.created_at, a.guarded and not a.guard_released and not a.unknown as guarded,
          -- What did not end sessions at its first attempt holds up no revoke at the next.
          (a.kind = 'endSessions' and (a.unknown or a.attempts > 0))::int as again
        from muster.action a
        join muster.identity i on i.id = a.identity_id
        left join muster.account c on c.identity_id = a.identity_id and c.target = a.target and c.unlinked_at is null
        where exists (select from muster.target t where t.mode = 'enforce' and t.id not in (select target from busy))
          and a.going and a.state = 'ready' and a.lane = '${lane}' and a.next_at <= (select muster.now()) and ${mayBeSent}
          and a.target not in (select target from busy)
          and (not ${isHeld}
            -- What was let through once, and is asked for or tried again, waits for no guard and takes nobody's place.
            or a.unknown or a.guard_passed_at is not null or ${passes})
        order by a.id limit ${batch.most} for update of a skip locked),
      countable as (
        select *, row_number() over (partition by target, kind, case when kind = 'revoke' then entitlement_id end order by id) as nth
        from candidate where guarded),
      leaving as (
        select id, identity_id, target, kind, entitlement_id, created_at, again from candidate where not guarded
        union all
        select id, identity_id, target, kind, entitlement_id, created_at, again from countable
        where nth <= ((select by_key from allowing) ->> (target || ' ' || kind || ' ' || case when kind = 'revoke' then entitlement_id::text else '' end))::bigint),
      ${
        lane === 'bulk'
          ? `numbered as (
        select id, target, created_at, kind, entitlement_id,
          (row_number() over (partition by target, kind, entitlement_id order by id) - 1) / ${size} as chunk
        from leaving),`
          : `counted as (
        select id, target, created_at, identity_id, again, row_number() over (partition by target, again order by id) - 1 as nth from leaving),
      -- A person's work on a target goes together, in its order, wherever its first action stands.
      numbered as (
        select id, target, created_at, null::muster.action_kind as kind, null::int as entitlement_id,
          (min(nth) over (partition by target, again, identity_id) / ${size} * 1000000
            + (dense_rank() over (partition by target, again order by identity_id) - 1) / ${leaversTogether}) * 2 + again as chunk
        from counted),`
      }
      idle as materialized (
        select not exists (select from muster.identity where lane = 'bulk' and parked_at is null and work_due_at <= (select muster.now())) as yes),
      chunks as materialized (
        select target, kind, entitlement_id, array_agg(id) as ids, nextval('muster.dispatch_id') as dispatch_id
        from numbered group by target, kind, entitlement_id, chunk
        having ${
          lane === 'bulk'
            ? `count(*) = ${size} or min(created_at) <= (select muster.now()) - interval '1 s'
          or ((select yes from idle) and min(created_at) <= (select muster.now()) - interval '50 ms')`
            : 'true'
        }),
      made as (
        insert into muster.dispatch (id, target, lane, kind, entitlement_id, size, actions, state, created_at)
        select dispatch_id, target, $1::muster.lane, kind, entitlement_id, cardinality(ids), ids, 'queued', (select muster.now()) from chunks),
      moved as (
        update muster.action a set state = 'dispatched', dispatch_id = n.dispatch_id, dispatched_at = (select muster.now()),
          guard_passed_at = case when a.guard_passed_at is null and not a.unknown and ${passes} and ${isHeld} then (select muster.now()) else a.guard_passed_at end
        from (select unnest(ids) as id, dispatch_id from chunks) n where a.id = n.id)
      select dispatch_id as id, target, $1::text as lane, 1 as "queueNo" from chunks order by dispatch_id`,
    values: [
      lane,
      JSON.stringify(batch.sizes),
      held.map((h) => h.target),
      held.map((h) => h.kind),
      held.map((h) => h.entitlement),
      passing.map(({ target, identity }) => `${target} ${identity}`),
      counted.map((c) => c.target),
      counted.map((c) => c.kind),
      counted.map((c) => c.entitlement),
      counted.map((c) => c.undispatched),
    ],
  })
}
