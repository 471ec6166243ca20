import type { Queryable, Transaction } from './database.ts'

/** What was changed under everybody: the active policy, or a target's mode. */
export type RecheckKind = 'policy' | 'modes'

/** In the transaction of the change, before everybody is made due: somebody must look again when it has committed. */
export const wantRecheck = async (tx: Transaction, kind: RecheckKind): Promise<void> => {
  await tx.query({
    text: `insert into muster.recheck (kind, since) values ($1, muster.now())
      on conflict (kind) do update set since = least(recheck.since, excluded.since), after = null, seen_at = null`,
    values: [kind],
  })
}

/** Is there a change that may have missed somebody? An empty table when all is well. */
export const hasRechecks = async (db: Queryable): Promise<boolean> => {
  const [row] = await db.query<{ yes: boolean }>({
    name: 'rechecks-any',
    text: 'select exists (select from muster.recheck) as yes',
  })
  return row?.yes ?? false
}

export type Recheck = {
  readonly kind: RecheckKind
  /** Every transaction that may have read the state before the change has ended. */
  readonly over: boolean
}

/**
 * Locks the open rechecks. One that is seen for the first time gets this transaction's id: who evaluates by the old state
 * locked its identities before, and so has a smaller one. (Looked up by locks: a snapshot also names the transactions of
 * other databases.) One that never ends is not waited for: two minutes are longer than any of ours may take.
 */
export const lockRechecks = async (tx: Transaction): Promise<readonly Recheck[]> => {
  const rows = await tx.query<Recheck>({
    name: 'rechecks-lock',
    text: `select kind, after is not null and (seen_at < muster.now() - interval '2 minutes' or not exists (
        select from pg_locks l join pg_stat_activity s on s.pid = l.pid and s.datname = current_database()
        where l.locktype = 'transactionid' and l.mode = 'ExclusiveLock' and age(l.transactionid) > age(after::xid))) as over
      from muster.recheck order by kind for update`,
  })
  await tx.query({
    name: 'rechecks-seen',
    text: 'update muster.recheck set after = pg_current_xact_id(), seen_at = muster.now() where after is null',
  })
  return rows
}

export const finishRecheck = async (tx: Transaction, kind: RecheckKind): Promise<void> => {
  await tx.query({ name: 'recheck-finish', text: 'delete from muster.recheck where kind = $1', values: [kind] })
}

/** Makes due who was evaluated under another policy than the active one and waits for nothing; how many. */
export const makeDueOfOtherPolicies = (tx: Transaction): Promise<number> =>
  makeDueWhere(tx, 'policy', 'i.evaluated_policy is distinct from (select version from muster.active_policy)')

/** Makes due who was evaluated since the modes were set: perhaps still by the modes before. How many. */
export const makeDueSinceModes = (tx: Transaction): Promise<number> =>
  makeDueWhere(tx, 'modes', `i.evaluated_at >= (select since from muster.recheck where kind = 'modes')`)

const makeDueWhere = async (tx: Transaction, name: RecheckKind, condition: string): Promise<number> => {
  const [row] = await tx.query<{ count: number }>({
    name: `rechecks-make-due-${name}`,
    text: `with stale as materialized (select id from muster.identity i
        where ${condition} and (i.work_due_at is null or i.work_due_at > (select muster.now())) order by person_key for update),
      due as (update muster.identity i set work_due_at = (select muster.now()),
          lane = case when i.leaver then 'leaver'::muster.lane else i.lane end
        from stale where i.id = stale.id returning 1)
      select count(*) from due`,
  })
  return row?.count ?? 0
}
