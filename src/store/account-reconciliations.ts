import type { Queryable, Transaction } from './database.ts'

export type LinkedState = {
  readonly account: number
  readonly native_id: string
  readonly identity: number
  readonly subject_ref: string
  readonly leaver: boolean
  /** As last read; null = never read. */
  readonly enabled: boolean | null
}

/** The next linked accounts of a target, by their ids. */
export const linkedAfter = (
  db: Queryable,
  target: string,
  after: number,
  limit: number,
): Promise<readonly LinkedState[]> =>
  db.query({
    name: 'reconcile-accounts',
    text: `select a.id as account, a.native_id, a.identity_id as identity, i.subject_ref, i.leaver, a.enabled
      from muster.account a join muster.identity i on i.id = a.identity_id
      where a.id > $2 and a.target = $1 and a.unlinked_at is null order by a.id limit $3`,
    values: [target, after, limit],
  })

/** Those of these accounts that an action of ours opens or shuts just now, or that were read since. */
export const accountsInWork = async (
  tx: Transaction,
  target: string,
  since: number,
  accounts: readonly number[],
): Promise<ReadonlySet<number>> => {
  const rows = await tx.query<{ id: number }>({
    name: 'reconcile-accounts-in-work',
    text: `select a.id from muster.account a where a.id = any($3) and (a.read_at > to_timestamp($2::float8 / 1000)
      or exists (select from muster.action o where o.identity_id = a.identity_id and o.target = $1
        and o.kind in ('enable', 'disable', 'ensureAccount') and o.open and (o.going or o.unknown)))`,
    values: [target, since, accounts],
  })
  return new Set(rows.map(({ id }) => id))
}

export const saveReopened = async (tx: Transaction, readAt: number, accounts: readonly number[]): Promise<void> => {
  if (accounts.length === 0) return
  await tx.query({
    name: 'reconcile-reopened',
    text: 'update muster.account set enabled = true, read_at = to_timestamp($1::float8 / 1000) where id = any($2)',
    values: [readAt, accounts],
  })
}

/** What a complete read of all accounts did not show any more. */
export const closeAccountFindings = async (db: Queryable, target: string, begun: number): Promise<void> => {
  await db.query({
    name: 'reconcile-accounts-close',
    text: `update muster.finding set closed_at = muster.now()
      where kind in ('account-reopened', 'account-shut-elsewhere', 'account-gone') and closed_at is null
        and detail->>'target' = $1 and seen_at < to_timestamp($2::float8 / 1000)`,
    values: [target, begun],
  })
}
