import type { Lane } from '../domain/action.ts'
import { float8Array, int4Array, int8Array, textArray } from './binary-array.ts'
import type { Queryable, Transaction } from './database.ts'

/** An identity with work waiting, locked by the transaction that read it. */
export type DueIdentity = {
  readonly id: number
  readonly person_key: string
  readonly subject_ref: string
  readonly events_seen: number
  readonly events_folded: number
  readonly last_stream_id: number | null
  readonly last_offset: number | null
  readonly last_appended_at: number | null
  readonly evaluated_policy: number | null
  /** ms; null: never. */
  readonly evaluated_at: number | null
  readonly plan_version: number
  readonly lifecycle: string | null
  readonly leaver: boolean
  /** Of a leaver: HR's newest word, ms, when they were first judged one; null: they were none. */
  readonly leave_heard_at: number | null
  readonly now: number
}

const columns = `id, person_key, subject_ref, events_seen, events_folded, last_stream_id, last_offset, last_appended_at,
  evaluated_policy, evaluated_at, plan_version, lifecycle, leaver, (extract(epoch from leave_heard_at) * 1000)::bigint as leave_heard_at,
  (extract(epoch from (select muster.now())) * 1000)::bigint as now`

/** Locks the identities of a lane that are due, the longest due first; those that somebody else evaluates are skipped. */
export const lockDue = (tx: Transaction, lane: Lane, limit: number): Promise<readonly DueIdentity[]> =>
  tx.query({
    name: 'work-lock-due',
    text: `select ${columns} from muster.identity
      where lane = $1 and parked_at is null and work_due_at <= (select muster.now())
      order by work_due_at limit $2 for update skip locked`,
    values: [lane, limit],
  })

/** Locks these identities if they still are due: the halves of a batch that failed. */
export const lockDueOf = (tx: Transaction, ids: readonly number[]): Promise<readonly DueIdentity[]> =>
  tx.query({
    name: 'work-lock-due-of',
    text: `select ${columns} from muster.identity
      where id = any($1) and parked_at is null and work_due_at <= (select muster.now()) order by person_key for update`,
    values: [ids],
  })

/** Locks everything that a claim or an outcome of these identities locks too (DESIGN §5). */
export const lockOpenWork = async (tx: Transaction, identities: readonly number[]): Promise<void> => {
  await tx.query({ name: 'work-lock-open', text: 'select muster.lock_open_work($1)', values: [identities] })
}

export type EvaluatedIdentity = {
  readonly id: number
  readonly workDueAt: number | null
  readonly lane: Lane
  readonly eventsFolded: number
  readonly planVersion: number
  readonly lifecycle: string
  readonly leaver: boolean
  readonly endedAt: number | null
  readonly leaveHeardAt: number | null
  readonly urgent: boolean
  /** Attributes of the primary employment, for account mapping. */
  readonly profile: unknown
}

export const saveEvaluated = async (
  tx: Transaction,
  policyVersion: number,
  rows: readonly EvaluatedIdentity[],
): Promise<void> => {
  await tx.query({
    name: 'work-save-evaluated',
    text: `update muster.identity i set work_due_at = to_timestamp(r.due / 1000), lane = r.lane::muster.lane, events_folded = r.folded,
        plan_version = r.plan_version, lifecycle = r.lifecycle, leaver = r.leaver <> 0, ended_at = to_timestamp(r.ended / 1000),
        leave_heard_at = to_timestamp(r.heard / 1000), urgent = r.urgent <> 0, profile = r.profile::jsonb, evaluated_policy = $1, evaluated_at = (select muster.now())
      from unnest($2::bigint[], $3::float8[], $4::text[], $5::int[], $6::int[], $7::text[], $8::int[], $9::float8[], $10::float8[], $11::int[], $12::text[])
        as r(id, due, lane, folded, plan_version, lifecycle, leaver, ended, heard, urgent, profile)
      where i.id = r.id`,
    values: [
      policyVersion,
      int8Array(rows.map((r) => r.id)),
      float8Array(rows.map((r) => r.workDueAt)),
      textArray(rows.map((r) => r.lane)),
      int4Array(rows.map((r) => r.eventsFolded)),
      int4Array(rows.map((r) => r.planVersion)),
      textArray(rows.map((r) => r.lifecycle)),
      int4Array(rows.map((r) => Number(r.leaver))),
      float8Array(rows.map((r) => r.endedAt)),
      float8Array(rows.map((r) => r.leaveHeardAt)),
      int4Array(rows.map((r) => Number(r.urgent))),
      textArray(rows.map((r) => (r.profile === null ? null : JSON.stringify(r.profile)))),
    ],
  })
}

/**
 * Due identities that a batch has not tried, the latest first: whether others can be evaluated tells a fault of the data
 * from one of the system.
 */
export const lockDueBeside = (
  tx: Transaction,
  tried: readonly number[],
  limit: number,
): Promise<readonly DueIdentity[]> =>
  tx.query({
    name: 'work-lock-due-beside',
    text: `select ${columns} from muster.identity
      where lane in ('leaver', 'bulk') and parked_at is null and work_due_at <= (select muster.now()) and id <> all($1)
      order by work_due_at desc limit $2 for update skip locked`,
    values: [tried, limit],
  })

/** Locks identities in key order, then makes them due now. Before any dispatch lock (lock order, DESIGN §5). */
export const lockIdentities = async (tx: Transaction, ids: readonly number[]): Promise<void> => {
  if (ids.length === 0) return
  await tx.query({
    name: 'work-lock-identities',
    text: 'select 1 from muster.identity where id = any($1) order by person_key for update',
    values: [ids],
  })
}

/** Wants an evaluation now. Leavers stay in their lane. */
export const makeDue = async (tx: Transaction, ids: readonly number[]): Promise<void> => {
  if (ids.length === 0) return
  await tx.query({
    name: 'work-make-due',
    text: `update muster.identity set work_due_at = least(work_due_at, (select muster.now())),
      lane = case when leaver then 'leaver'::muster.lane else lane end where id = any($1)`,
    values: [ids],
  })
}

/** Somebody of the leaver lane has been due for so long. */
export const leaversNeglected = async (db: Queryable, forMs: number): Promise<boolean> => {
  const [row] = await db.query<{ yes: boolean }>({
    name: 'work-leavers-neglected',
    text: `select exists (select from muster.identity where lane = 'leaver' and parked_at is null
      and work_due_at < (select muster.now()) - make_interval(secs => $1::float8 / 1000)) as yes`,
    values: [forMs],
  })
  return row?.yes ?? false
}
