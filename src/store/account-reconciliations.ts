import type { Queryable, Transaction } from './database.ts'

export type LinkedState = {
  readonly account: number
  readonly native_id: string
  readonly identity: number
  readonly subject_ref: string
  readonly leaver: boolean
  /** An earlier complete read did not show it. */
  readonly known_gone: boolean
  /** Muster might not look where it may have been. */
  readonly out_of_sight: boolean
  /** May not sign in, as far as evaluation has said. */
  readonly shut: boolean
  /** As last read; null = never read. */
  readonly enabled: boolean | null
  /** Of the name that was seen last; null = not seen since it was opened or shut. */
  readonly kept_name: string | null
}

/** The next linked accounts of a target, by their ids; `behind`: of which the target may say something new. */
export const linkedAfter = (
  db: Queryable,
  target: string,
  behind: boolean,
  after: number,
  limit: number,
): Promise<readonly LinkedState[]> =>
  db.query({
    name: `reconcile-accounts${behind ? '-behind' : ''}`,
    text: `select a.id as account, a.native_id, a.identity_id as identity, i.subject_ref, i.leaver, a.enabled, a.kept_name, a.gone_at is not null as known_gone, a.out_of_sight,
        coalesce(i.lifecycle in ('leave', 'suspended', 'terminated'), false) as shut
      from muster.account a join muster.identity i on i.id = a.identity_id
      where a.id > $2 and a.target = $1 and a.unlinked_at is null ${behind ? 'and a.behind_at is not null' : ''} order by a.id limit $3`,
    values: [target, after, limit],
  })

/** Whether so many accounts are linked there, or more. */
export const linkedFrom = async (db: Queryable, target: string, from: number): Promise<boolean> => {
  const [row] = await db.query<{ n: number }>({
    name: 'reconcile-accounts-many',
    text: `select count(*) as n from (select from muster.account where target = $1 and unlinked_at is null limit $2) a`,
    values: [target, from],
  })
  return (row?.n ?? 0) >= from
}

/** What of ours is changing these accounts just now (`read`: they were read since). */
export const accountsInWork = async (
  tx: Transaction,
  target: string,
  since: number,
  accounts: readonly number[],
): Promise<ReadonlyMap<number, readonly string[]>> => {
  const rows = await tx.query<{ id: number; works: string[] }>({
    name: 'reconcile-accounts-in-work',
    text: `select a.id, array_agg(w.work) as works from muster.account a cross join lateral (
        select 'read' as work where a.read_at > to_timestamp($2::float8 / 1000)
        union all
        select o.kind::text from muster.action o where o.identity_id = a.identity_id and o.target = $1
          and o.kind in ('enable', 'disable', 'ensureAccount') and o.open and (o.going or o.unknown)) w
      where a.id = any($3) group by 1`,
    values: [target, since, accounts],
  })
  return new Map(rows.map(({ id, works }) => [id, works]))
}

/** Answers those that were shut until now. */
export const saveReopened = async (
  tx: Transaction,
  readAt: number,
  accounts: readonly number[],
): Promise<ReadonlySet<number>> => {
  if (accounts.length === 0) return new Set()
  const rows = await tx.query<{ id: number }>({
    name: 'reconcile-reopened',
    text: `update muster.account set enabled = true, read_at = to_timestamp($1::float8 / 1000)
      where id = any($2) and enabled is distinct from true returning id`,
    values: [readAt, accounts],
  })
  return new Set(rows.map(({ id }) => id))
}

/** What a complete read of accounts did not show any more; `subjects`: whose were read, null = everybody's; `still`: keys of what it shows. */
export const closeAccountFindings = async (
  db: Queryable,
  target: string,
  subjects: readonly string[] | null,
  still: readonly string[],
): Promise<void> => {
  await db.query({
    name: 'reconcile-accounts-close',
    text: `update muster.finding set closed_at = muster.now()
      where kind in ('account-reopened', 'account-shut-elsewhere', 'account-gone', 'account-renamed', 'account-moved') and closed_at is null
        and detail->>'target' = $1 and kind || ' ' || key <> all($2)
        and ($3::text[] is null or key in (select s || ':' || $1 from unnest($3::text[]) as s))`,
    values: [target, still, subjects],
  })
}

/** A complete read of accounts did not show them. */
export const saveGone = async (tx: Transaction, readAt: number, accounts: readonly number[]): Promise<void> => {
  if (accounts.length === 0) return
  await tx.query({
    name: 'reconcile-gone',
    text: 'update muster.account set gone_at = to_timestamp($1::float8 / 1000) where id = any($2) and gone_at is null',
    values: [readAt, accounts],
  })
}

/** Whether they are still there, nobody may see. Each run asks for them, until one sees them. */
export const saveOutOfSight = async (tx: Queryable, accounts: readonly number[]): Promise<void> => {
  if (accounts.length === 0) return
  await tx.query({
    name: 'accounts-out-of-sight',
    text: `update muster.account set out_of_sight = true, behind_at = muster.now()
      where id in (select id from muster.account where id = any($1) and not out_of_sight order by id for update)`,
    values: [accounts],
  })
}

/** Whoever could not be read since is among them still. */
export const countOutOfSight = async (db: Queryable, target: string): Promise<number> => {
  const [row] = await db.query<{ n: number }>({
    name: 'accounts-out-of-sight-now',
    text: 'select count(*) as n from muster.account where target = $1 and out_of_sight and gone_at is null and unlinked_at is null',
    values: [target],
  })
  return row?.n ?? 0
}

/** Names as they are seen now. Nothing is kept of one that was opened, shut or changed since then. */
export const saveKeptNames = async (
  db: Queryable,
  since: number,
  names: readonly { readonly account: number; readonly name: string }[],
): Promise<void> => {
  if (names.length === 0) return
  await db.query({
    name: 'reconcile-names',
    text: `update muster.account a set kept_name = n.name from unnest($2::bigint[], $3::text[]) as n(id, name)
      where a.id = n.id and (a.read_at is null or a.read_at <= to_timestamp($1::float8 / 1000))`,
    values: [since, names.map(({ account }) => account), names.map(({ name }) => name)],
  })
}

/** They are shown again. What somebody who was out of sight holds indirectly is as unread as that of one who was just linked. */
export const saveThere = async (db: Queryable, accounts: readonly number[]): Promise<void> => {
  if (accounts.length === 0) return
  await db.query({
    name: 'reconcile-there',
    text: `update muster.account set gone_at = null, out_of_sight = false,
        indirect_read_at = case when out_of_sight then null else indirect_read_at end where id = any($1)`,
    values: [accounts],
  })
}
