import type { Queryable, Transaction } from './database.ts'

/** What is known of a target's change log. */
export type Progress = {
  readonly cursor: string | null
  /** ms; null = never. */
  readonly fullReadAt: number | null
}

export const progressOf = async (db: Queryable, target: string): Promise<Progress> => {
  const [row] = await db.query<Progress>({
    name: 'behind-progress',
    text: `select changes_cursor as cursor, (extract(epoch from full_read_at) * 1000)::bigint as "fullReadAt" from muster.target where id = $1`,
    values: [target],
  })
  return row ?? { cursor: null, fullReadAt: null }
}

/** These may have changed: they stay behind until they were read. With them the cursor goes on. */
export const noteChanges = async (
  tx: Transaction,
  target: string,
  cursor: string,
  entitlements: readonly string[],
  accounts: readonly string[],
): Promise<void> => {
  await tx.query({
    name: 'behind-entitlements',
    text: 'update muster.entitlement set members_behind_at = muster.now() where target = $1 and native_id = any($2)',
    values: [target, entitlements],
  })
  await tx.query({
    name: 'behind-accounts',
    text: `update muster.account a set behind_at = muster.now() from unnest($2::text[]) as n(id)
      where a.native_id = n.id and a.target = $1 and a.unlinked_at is null`,
    values: [target, accounts],
  })
  await saveCursor(tx, target, cursor)
}

/** Entitlements of the catalogue that are not among those there: their lists say it. */
export const noteGone = async (tx: Transaction, target: string, there: readonly string[]): Promise<void> => {
  await tx.query({
    name: 'behind-gone',
    text: `update muster.entitlement e set members_behind_at = muster.now()
      where target = $1 and managed and native_id is not null
        and not exists (select from unnest($2::text[]) as t(id) where t.id = e.native_id)`,
    values: [target, there],
  })
}

/** Accounts of which a read left open how they are: the next run reads them again. */
export const noteAccounts = async (db: Queryable, accounts: readonly number[]): Promise<void> => {
  if (accounts.length === 0) return
  await db.query({
    name: 'behind-suspects',
    text: `update muster.account set behind_at = muster.now()
      where id in (select id from muster.account where id = any($1) order by id for update)`,
    values: [accounts],
  })
}

/** Of what these accounts are believed to hold, the lists are read again. */
export const noteHeldBy = async (db: Queryable, accounts: readonly number[]): Promise<void> => {
  if (accounts.length === 0) return
  await db.query({
    name: 'behind-held',
    text: `update muster.entitlement set members_behind_at = muster.now() where managed and id in (
      select g.entitlement_id from muster.grants g where g.account_id = any($1) and g.gone_verified_at is null)`,
    values: [accounts],
  })
}

export const saveCursor = async (tx: Queryable, target: string, cursor: string): Promise<void> => {
  await tx.query({
    name: 'behind-cursor',
    text: 'update muster.target set changes_cursor = $2 where id = $1',
    values: [target, cursor],
  })
}

/** Everything is to be read: whatever is not read in this run is behind afterwards, too, and the next one reads all again. */
export const allBehind = async (tx: Transaction, target: string): Promise<void> => {
  await tx.query({
    name: 'behind-target',
    text: 'update muster.target set full_read_at = null where id = $1',
    values: [target],
  })
  await tx.query({
    name: 'behind-all',
    text: 'update muster.entitlement set members_behind_at = muster.now() where target = $1 and managed',
    values: [target],
  })
}

/** Their lists were read from `begun` on, and say nothing that is not known now. */
export const upToDate = async (tx: Transaction, begun: number, entitlements: readonly number[]): Promise<void> => {
  if (entitlements.length === 0) return
  await tx.query({
    name: 'behind-caught-up',
    text: 'update muster.entitlement set members_behind_at = null where id = any($2) and members_behind_at <= to_timestamp($1::float8 / 1000)',
    values: [begun, entitlements],
  })
}

/** Linked accounts of which the target may say something new. */
export const accountsBehind = async (db: Queryable, target: string): Promise<readonly number[]> =>
  (
    await db.query<{ id: number }>({
      name: 'behind-accounts-now',
      text: 'select id from muster.account where target = $1 and behind_at is not null and unlinked_at is null',
      values: [target],
    })
  ).map(({ id }) => id)

/** All that were behind at `begun` were read since, but for these. */
export const accountsUpToDate = async (
  db: Queryable,
  target: string,
  begun: number,
  but: readonly number[],
): Promise<void> => {
  await db.query({
    name: 'behind-accounts-caught-up',
    text: `update muster.account set behind_at = null
      where target = $1 and behind_at <= to_timestamp($2::float8 / 1000) and id <> all($3)`,
    values: [target, begun, but],
  })
}

export const saveFullRead = async (db: Queryable, target: string, begun: number): Promise<void> => {
  await db.query({
    name: 'behind-full',
    text: 'update muster.target set full_read_at = to_timestamp($2::float8 / 1000) where id = $1',
    values: [target, begun],
  })
}

/** Grants that are believed to be there, of the catalogue but for these entitlements. */
export const believedElsewhere = async (db: Queryable, target: string, but: readonly number[]): Promise<number> => {
  const [row] = await db.query<{ n: number }>({
    name: 'behind-believed',
    text: `select count(*) as n from muster.entitlement e
      join muster.grants g on g.entitlement_id = e.id and g.gone_verified_at is null
      join muster.account a on a.id = g.account_id and a.unlinked_at is null
      where e.target = $1 and e.managed and e.id <> all($2)`,
    values: [target, but],
  })
  return row?.n ?? 0
}

/** Linked accounts that count when it is asked whether too many are gone. */
export const believedAccounts = async (db: Queryable, target: string): Promise<number> => {
  const [row] = await db.query<{ n: number }>({
    name: 'behind-believed-accounts',
    text: `select count(*) as n from muster.account a join muster.identity i on i.id = a.identity_id
      where a.target = $1 and a.unlinked_at is null and a.gone_at is null and not (i.leaver and a.enabled is false)`,
    values: [target],
  })
  return row?.n ?? 0
}
