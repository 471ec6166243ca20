import type { ActionKind, Lane } from '../domain/action.ts'
import type { EntitlementId } from '../domain/ids.ts'
import type { Queryable, Transaction } from './database.ts'

/** One dispatcher of a target at a time counts and dispatches what takes away: the guard is exact under any number. */
export const lockGuard = async (tx: Transaction, target: string): Promise<void> => {
  await tx.query({
    name: 'guard-lock',
    // A row, not an advisory lock: those are anybody's to take.
    text: 'select 1 from muster.target where id = $1 for no key update',
    values: [target],
  })
}

export type GuardTally = {
  readonly kind: ActionKind
  readonly entitlement: EntitlementId | null
  readonly undispatched: number
  readonly dispatched: number
}

/** Targets on which something that the guard counts is ready to go out in this lane. */
export const guardedTargets = (tx: Transaction, lane: Lane): Promise<readonly { readonly target: string }[]> =>
  tx.query({
    // The lane is part of the text: a plan for whichever lane would look for a few leavers among all bulk work.
    name: `guard-targets-${lane}`,
    text: `select distinct target from muster.action
      where lane = '${lane}' and going and state = 'ready' and guarded and not guard_released`,
  })

/**
 * Planned and undispatched, and dispatched within the window, by kind and entitlement. What a human released is in neither. What its
 * rest released is counted within the window of its first refusal: a feed that drips is seen, whatever the target says of each, and those
 * of years ago are not, however often they are asked for.
 */
export const tally = (tx: Transaction, target: string, windowMs: number): Promise<readonly GuardTally[]> =>
  tx.query({
    name: 'guard-tally',
    text: `select kind, case when kind = 'revoke' then entitlement_id end as entitlement,
        count(*) filter (where state in ('ready', 'waiting') and not unknown) as undispatched,
        count(*) filter (where state not in ('ready', 'waiting') or unknown) as dispatched
      from muster.action
      where target = $1 and guarded and (not guard_released or (state = 'parked' and lane = 'leaver' and guard_rested
          and rests_since > (select muster.now()) - make_interval(secs => $2::float8 / 1000)))
        and ((taken_at is null and state in ('ready', 'waiting') and not unknown) or (taken_at is not null and taken_at > (select muster.now()) - make_interval(secs => $2::float8 / 1000)))
      group by 1, 2`,
    values: [target, windowMs],
  })

export type Members = {
  readonly accounts: number
  readonly grants: number
  readonly holders: ReadonlyMap<number, number>
}

/** Holders of `e`, as they were before the window: by one index for those there now, by one for those gone within it. */
const holders = `(select count(*) from muster.grants g join muster.account a on a.id = g.account_id and a.unlinked_at is null
    where g.entitlement_id = e.id and g.gone_verified_at is null)
  + (select count(*) from muster.grants g where g.entitlement_id = e.id
    and g.gone_verified_at > (select muster.now()) - make_interval(secs => $2::float8 / 1000))`

/** What percentages are of, as it was before the window: those there now and those gone within it. */
export const members = async (db: Queryable, target: string, windowMs: number): Promise<Members> => {
  const [[accounts], rows] = await Promise.all([
    db.query<{ n: number }>({
      name: 'guard-accounts',
      text: 'select count(*) as n from muster.account where target = $1 and unlinked_at is null',
      values: [target],
    }),
    db.query<Holders>({
      name: 'guard-holders',
      text: `select e.id as entitlement, ${holders} as n from muster.entitlement e where e.target = $1`,
      values: [target, windowMs],
    }),
  ])
  return {
    accounts: accounts?.n ?? 0,
    grants: rows.reduce((sum, { n }) => sum + n, 0),
    holders: byEntitlement(rows),
  }
}

/** The same for some entitlements. */
export const holdersOf = async (
  db: Queryable,
  entitlements: readonly number[],
  windowMs: number,
): Promise<Members['holders']> =>
  byEntitlement(
    await db.query<Holders>({
      name: 'guard-holders-of',
      text: `select e.id as entitlement, ${holders} as n from muster.entitlement e where e.id = any($1::int[])`,
      values: [entitlements, windowMs],
    }),
  )

type Holders = { readonly entitlement: number; readonly n: number }

const byEntitlement = (rows: readonly Holders[]): Members['holders'] =>
  new Map(rows.map(({ entitlement, n }) => [entitlement, n]))

/** Opens the hold of a tripped limit, once; returns whether it is new. */
export const openGuardHold = async (
  tx: Transaction,
  hold: {
    readonly target: string
    readonly kind: string
    readonly entitlement: number | null
    readonly limit: string
    readonly count: number
    readonly allowed: number
  },
): Promise<boolean> => {
  const rows = await tx.query<{ fresh: boolean }>({
    name: 'guard-hold',
    text: `insert into muster.hold (kind, target, action_kind, entitlement_id, policies, detail, opened_at)
      values ('guard', $1, $2::muster.action_kind, $3, array[$4::text], jsonb_build_object('count', $5::int, 'allowed', $6::int), muster.now())
      on conflict (target, action_kind, coalesce(entitlement_id, 0), (policies[1])) where kind = 'guard' and closed_at is null
      do update set detail = muster.hold.detail || excluded.detail returning xmax = 0 as fresh`,
    values: [hold.target, hold.kind, hold.entitlement, hold.limit, hold.count, hold.allowed],
  })
  return rows[0]?.fresh ?? false
}

/** Guard holds of a target that a human has not yet decided: they hold also after the window has passed. */
export const openGuardHolds = (
  tx: Transaction,
  target: string,
): Promise<readonly { readonly kind: ActionKind; readonly entitlement: number | null; readonly limit: string }[]> =>
  tx.query({
    name: 'guard-holds-open',
    text: `select action_kind as kind, entitlement_id as entitlement, policies[1] as "limit" from muster.hold where kind = 'guard' and closed_at is null and target = $1`,
    values: [target],
  })

/** Urgent leavers that passed the tripped guard within the last hour. `urgent`: they still are. */
export const urgentPassed = (
  tx: Transaction,
  target: string,
): Promise<readonly { readonly id: number; readonly urgent: boolean }[]> =>
  tx.query({
    name: 'guard-urgent-passed',
    text: `select i.id, i.leaver and i.urgent as urgent from (select distinct identity_id from muster.action
        where target = $1 and guard_passed_at is not null and guard_passed_at > (select muster.now()) - interval '1 hour') p
      join muster.identity i on i.id = p.identity_id order by i.id`,
    values: [target],
  })

/** Of `a`: what the guard holds and could go out now. Beside it stand lane and target, as the index that is to find it wants them. */
const heldNow = `a.state = 'ready' and a.guarded and not a.guard_released and a.guard_passed_at is null and not a.unknown and a.next_at <= (select muster.now())
  and (a.kind = any($2::muster.action_kind[]) or (a.kind = 'revoke' and a.entitlement_id = any($3::int[])))`

/** Sorted first: of all that a bad feed marks urgent, only the first few are looked at once more. */
const byAction = `(select i.id, i.ended_at from (select distinct a.identity_id from muster.action a
    where a.lane = 'leaver' and a.target = $1 and a.going and ${heldNow}) w
  join muster.identity i on i.id = w.identity_id and i.leaver and i.urgent order by i.ended_at, i.id offset 0)`

/**
 * In the order of the index, each by their own few actions; `limit 1`, lest it becomes a join that reads all that is held. No
 * other index may fit: with statistics from before the flood each of them seems to lead to one row.
 */
const byPerson = `(select i.id, i.ended_at from muster.identity i where i.leaver and i.urgent
  and (select true from muster.action a where a.identity_id = i.id and a.open and a.lane = 'leaver' and a.target || '' = $1
    and ${heldNow} limit 1))`

/** From so many held actions on, reading them all takes longer than to look at everybody who ever left urgently. */
const manyHeld = 20_000

/** The urgent leavers of whom the guard holds what could go out now, the longest first. A place is nobody's who cannot use it. */
export const urgentWaiting = async (
  tx: Transaction,
  target: string,
  held: {
    readonly kinds: readonly ActionKind[]
    /** Of these alone, revokes. */
    readonly entitlements: readonly number[]
    /** Actions that it holds, at most. */
    readonly actions: number
  },
  passed: readonly number[],
  limit: number,
): Promise<readonly number[]> => {
  const isMany = held.actions >= manyHeld
  const rows = await tx.query<{ id: number }>({
    name: isMany ? 'guard-urgent-among-many' : 'guard-urgent-waiting',
    text: `select u.id from ${isMany ? byPerson : byAction} u
      where u.id <> all($4::bigint[])
        and exists (select from muster.account c where c.identity_id = u.id and c.target = $1 and c.unlinked_at is null)
      order by u.ended_at, u.id limit $5`,
    values: [target, held.kinds, held.entitlements, passed, limit],
  })
  return rows.map(({ id }) => id)
}

/** What waits was judged by the risk of an earlier catalogue: the guard looks at it as it is now. */
export const guardByRisk = async (tx: Transaction): Promise<void> => {
  await tx.query({
    text: `update muster.action a set guarded = e.risk in ('high', 'critical') from muster.entitlement e
      where e.id = a.entitlement_id and a.kind = 'grant' and a.open and a.state in ('ready', 'waiting')
        and a.guarded <> (e.risk in ('high', 'critical'))`,
  })
}
