import type { ActionKind, Lane } from '../domain/action.ts'
import { mayGoOut } from './claimable.ts'
import type { Queryable, Transaction } from './database.ts'

export type DispatchRef = {
  readonly id: number
  readonly target: string
  readonly lane: Lane
  readonly queueNo: number
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
  /** How often it was parked, or its read-back rested where Muster may not look. */
  readonly rests: number
  readonly unknown: boolean
  /** An attempt of ours made the change, or may have: a later look that finds it so finds its doing. */
  readonly doubtful: boolean
  /** ms; null = it is known. */
  readonly unknown_since: number | null
  /** Of the change that is pending on the target; see connector `poll`. */
  readonly handle: string | null
  readonly inverse_of: number | null
  readonly attributes_hash: string | null
  readonly profile: Readonly<Record<string, string | number | boolean | null>> | null
  /** Native ids of which a human said that they are not this person's; null = none, or no matter. */
  readonly not_theirs: readonly string[] | null
  readonly account_id: number | null
  readonly account_native: string | null
  /** As it was stored when this was claimed; null = never read, or there is no account. */
  readonly account_enabled: boolean | null
  /** Of a leaver whose linked account was seen to be gone: its native id. Whoever looks for their account does not ask for that one. */
  readonly gone_native: string | null
  /** Of ensureAccount: it is linked, and what it holds indirectly is not known (or its target has no such thing). */
  readonly indirect_unread: boolean
  readonly lookup: string | null
  readonly entitlement_native: string | null
  /** Of endSessions: native ids of what the account held within the last day; null = nothing, or another kind. */
  readonly held: readonly string[] | null
  /** ms: since then it is wanted, and its target enforced: before, no deadline ran. */
  readonly runs_since: number
  readonly deadline: number | null
  readonly may_go: boolean
}

/** The actions (alias a) that are still of dispatch $1, by its own list of them: no index knows an action's dispatch. */
export const membersOf = `(select unnest(actions) as id from muster.dispatch where id = $1) m
      join muster.action a on a.id = m.id and a.dispatch_id = $1 and a.state = 'dispatched'`

/** Second statement of a claim, a fresh snapshot under the lock: the actions and whether each may still go out. */
export const dispatchedActions = (tx: Transaction, dispatch: number): Promise<readonly DispatchedAction[]> =>
  tx.query({
    name: 'dispatch-actions',
    text: `select a.id, a.identity_id, i.subject_ref, a.kind, a.entitlement_id, a.plan_version, a.decision_id, a.attempts, a.rests, a.unknown, a.doubtful, a.handle,
        (date_part('epoch', a.unknown_since) * 1000)::bigint as unknown_since,
        a.inverse_of, a.attributes_hash, case when a.kind = 'ensureAccount' then coalesce(i.profile, jsonb_build_object('personKey', i.person_key)) end as profile,
        case when a.kind = 'ensureAccount' then (select array_agg(n.native_id) from muster.not_theirs n
          where n.identity_id = a.identity_id and n.target = a.target) end as not_theirs,
        case when a.kind = 'endSessions' then (select array_agg(distinct h.native_id) from muster.grants g join muster.entitlement h on h.id = g.entitlement_id
          where g.account_id = c.id and h.native_id is not null
            and (g.gone_verified_at is null or g.gone_verified_at > (select muster.now()) - interval '1 day')) end as held,
        a.kind = 'ensureAccount' and c.id is not null and c.indirect_read_at is null as indirect_unread,
        case when a.lane = 'leaver' then (select l.native_id from muster.account l where l.identity_id = a.identity_id and l.target = a.target
          and l.unlinked_at is null and l.gone_at is not null) end as gone_native,
        c.id as account_id, c.native_id as account_native, c.enabled as account_enabled, e.lookup, e.native_id as entitlement_native,
        (date_part('epoch', greatest(a.created_at, t.mode_set_at)) * 1000)::bigint as runs_since, (date_part('epoch', a.deadline) * 1000)::bigint as deadline, ${mayGoOut} as may_go
      from ${membersOf}
      join muster.identity i on i.id = a.identity_id
      left join muster.target t on t.id = a.target
      left join muster.account c on c.identity_id = a.identity_id and c.target = a.target and c.unlinked_at is null
        and not (c.gone_at is not null and a.kind = 'ensureAccount' and a.lane = 'leaver')
      left join muster.entitlement e on e.id = a.entitlement_id
      order by a.id`,
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
