import { float8Array, int4Array, int8Array, textArray } from './binary-array.ts'
import type { Queryable, Transaction } from './database.ts'
import { membersOf } from './dispatches.ts'

/**
 * Identities of this dispatch whose plan went on without the action: its result is not what is wanted any more. An
 * account that was made for somebody who must not sign in now is shut by the next plan.
 */
export const overtakenIdentities = async (tx: Transaction, dispatch: number): Promise<readonly number[]> => {
  const rows = await tx.query<{ identity_id: number }>({
    name: 'outcomes-overtaken',
    text: `select distinct a.identity_id from ${membersOf} join muster.identity i on i.id = a.identity_id
      where (a.plan_version <> i.plan_version
        or (i.leaver and a.lane = 'bulk' and a.kind in ('ensureAccount', 'enable', 'grant', 'disable', 'revoke'))
        or (i.lifecycle <> 'active' and a.lane = 'bulk' and a.kind = 'ensureAccount'))`,
    values: [dispatch],
  })
  return rows.map((row) => row.identity_id)
}

/** Of whom HR has said something else since: who was looked for by the older words may be found by the newer. */
export const describedOtherwise = async (
  tx: Transaction,
  sought: readonly { readonly identity: number; readonly profile: object | null }[],
): Promise<readonly number[]> => {
  if (sought.length === 0) return []
  const rows = await tx.query<{ id: number }>({
    name: 'outcomes-described-otherwise',
    text: `select i.id from unnest($1::bigint[], $2::jsonb[]) as r(id, profile) join muster.identity i on i.id = r.id
      where i.profile is distinct from r.profile`,
    values: [
      sought.map(({ identity }) => identity),
      sought.map(({ profile }) => (profile === null ? null : JSON.stringify(profile))),
    ],
  })
  return rows.map(({ id }) => id)
}

/**
 * Of these grants, the ones that are not known yet or became known only after `claimedAt`: their inverse proves nothing.
 * With the ms since they were last sent, or were known.
 */
export const unsettledSince = async (
  tx: Transaction,
  actions: readonly number[],
  claimedAt: number,
): Promise<ReadonlyMap<number, number>> => {
  if (actions.length === 0) return new Map()
  const rows = await tx.query<{ id: number; ms: number }>({
    name: 'outcomes-unsettled',
    text: `select a.id, (date_part('epoch', (select muster.now())
        - case when a.state = 'done' then a.done_at else coalesce(a.unknown_since, a.dispatched_at, a.done_at) end) * 1000)::float8 as ms
      from muster.action a where a.id = any($1)
      and ((a.state in ('ready', 'dispatched', 'parked') and (a.unknown or a.state = 'dispatched')) or a.done_at >= to_timestamp($2::float8 / 1000))`,
    values: [actions, claimedAt],
  })
  return new Map(rows.map((row) => [row.id, row.ms]))
}

export type SettledAction = {
  readonly id: number
  readonly state: 'done' | 'ready' | 'parked'
  readonly unknown: boolean
  /** The change may have gone out in this attempt: from now on nobody knows. */
  readonly sent: boolean
  /** It may have been done by this attempt, and how it stands is only told by a later one. */
  readonly doubtful: boolean
  readonly handle: string | null
  /** Burnt attempts are counted; a throttled one is not. */
  readonly attempts: number
  /** From now on it rests: the next rest is longer. */
  readonly rests: boolean
  /** The guard counts it no more, and holds it no more. */
  readonly released: boolean
  /** Milliseconds from now until it may be dispatched again. */
  readonly afterMs: number
  /** ms; null: it keeps its own. */
  readonly deadline: number | null
  readonly outcome: string
}

export const settleActions = async (tx: Transaction, rows: readonly SettledAction[]): Promise<void> => {
  if (rows.length === 0) return
  await tx.query({
    name: 'outcomes-settle',
    text: `update muster.action a set state = r.state::muster.action_state, unknown = r.unknown <> 0, attempts = r.attempts, rests = a.rests + r.rests,
        rests_since = case when r.rests = 0 then a.rests_since else coalesce(a.rests_since, n.now) end,
        guard_released = a.guard_released or (a.guarded and r.released <> 0),
        guard_rested = a.guard_rested or (a.guarded and r.released <> 0 and not a.guard_released), deadline = coalesce(to_timestamp(r.deadline / 1000), a.deadline), outcome = r.outcome, handle = r.handle, doubtful = a.doubtful or r.doubtful <> 0,
        dispatch_id = case when r.state = 'ready' then null else a.dispatch_id end,
        -- The guard counts what went out once, whether or not it is known what became of it.
        dispatched_at = case when r.state = 'ready' and r.unknown = 0 then null else a.dispatched_at end,
        unknown_since = case when r.unknown = 0 then null when r.sent <> 0 then n.now else coalesce(a.unknown_since, n.now) end,
        next_at = n.now + make_interval(secs => r.after / 1000), done_at = case when r.state = 'ready' then null else n.now end
      from unnest($1::bigint[], $2::text[], $3::int[], $4::int[], $5::float8[], $6::text[], $7::text[], $8::int[], $9::int[], $10::float8[], $11::int[], $12::int[])
        as r(id, state, unknown, attempts, after, outcome, handle, sent, doubtful, deadline, rests, released), (select muster.now() as now) n
      where a.id = r.id`,
    values: [
      int8Array(rows.map((r) => r.id)),
      textArray(rows.map((r) => r.state)),
      int4Array(rows.map((r) => Number(r.unknown))),
      int4Array(rows.map((r) => r.attempts)),
      float8Array(rows.map((r) => r.afterMs)),
      textArray(rows.map((r) => r.outcome)),
      textArray(rows.map((r) => r.handle)),
      int4Array(rows.map((r) => Number(r.sent))),
      int4Array(rows.map((r) => Number(r.doubtful))),
      float8Array(rows.map((r) => r.deadline)),
      int4Array(rows.map((r) => Number(r.rests))),
      int4Array(rows.map((r) => Number(r.released))),
    ],
  })
}

/** Their worker's lease ran out: ready again, but only to be read back first. */
export const expireActions = async (tx: Transaction, ids: readonly number[]): Promise<void> => {
  if (ids.length === 0) return
  await tx.query({
    name: 'outcomes-expire',
    text: `update muster.action set state = 'ready', unknown = true, attempts = attempts + 1, dispatch_id = null, outcome = 'unknown',
      -- Who only asked what became of a pending change has sent nothing.
      doubtful = doubtful or handle is null, unknown_since = (select muster.now()), next_at = (select muster.now()) where id = any($1)`,
    values: [ids],
  })
}

/** Makes due whose account would be deleted on a target that deletes no more; returns how many. */
export const deletionsToDrop = async (db: Queryable, targets: readonly string[]): Promise<number> => {
  const due = await db.query({
    name: 'outcomes-deletions-to-drop',
    text: `update muster.identity set work_due_at = least(work_due_at, (select muster.now()))
      where id in (select identity_id from muster.action where kind = 'deleteAccount' and going and lane = 'bulk' and target = any($1))
        and (work_due_at is null or work_due_at > (select muster.now())) returning 1`,
    values: [targets],
  })
  return due.length
}

/** Open beyond their deadline on targets that are enforced, and not yet a finding. */
export const overdueActions = (
  db: Queryable,
  limit: number,
): Promise<
  readonly {
    readonly id: number
    readonly identity_id: number
    readonly lane: string
    readonly kind: string
    readonly target: string
  }[]
> =>
  db.query({
    name: 'outcomes-overdue',
    text: `select a.id, a.identity_id, a.lane::text, a.kind::text, a.target from muster.action a join muster.target t on t.id = a.target and t.mode = 'enforce'
      where a.open and a.deadline < (select muster.now())
        and not exists (select from muster.finding f where f.kind in ('action-overdue', 'not-brought') and f.key = 'action:' || a.id and f.closed_at is null)
      limit $1`,
    values: [limit],
  })
