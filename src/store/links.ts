import type { NativeId } from '../domain/ids.ts'
import type { Queryable, Transaction } from './database.ts'

export type PersonRow = {
  readonly identity: number
  readonly subject_ref: string
  readonly leaver: boolean
  /** May not sign in, as far as evaluation has said. */
  readonly shut: boolean
}

export const personOf = async (db: Queryable, personKey: string): Promise<PersonRow | null> => {
  const [row] = await db.query<PersonRow>({
    text: `select id as identity, subject_ref, leaver,
        leaver or coalesce(lifecycle in ('leave', 'suspended', 'terminated'), false) as shut
      from muster.identity where person_key = $1`,
    values: [personKey],
  })
  return row ?? null
}

/** Who has this account; null: nobody whom Muster knows. */
export const ownerOf = async (db: Queryable, target: string, nativeId: string): Promise<string | null> => {
  const [row] = await db.query<{ person_key: string }>({
    text: `select i.person_key from muster.account a join muster.identity i on i.id = a.identity_id
      where a.native_id = $2 and a.target = $1 and a.unlinked_at is null`,
    values: [target, nativeId],
  })
  return row?.person_key ?? null
}

export type Owned = { readonly nativeId: NativeId; readonly identity: number }

/** Those of the accounts that are linked, and to whom. */
export const ownersOf = (db: Queryable, target: string, nativeIds: readonly string[]): Promise<readonly Owned[]> =>
  db.query<Owned>({
    name: 'account-owners',
    text: `select native_id as "nativeId", identity_id as identity from muster.account
      where native_id = any($2) and target = $1 and unlinked_at is null`,
    values: [target, nativeIds],
  })

export type LinkedRow = { readonly account: number; readonly native_id: string }

export const linkedTo = async (db: Queryable, target: string, identity: number): Promise<LinkedRow | null> => {
  const [row] = await db.query<LinkedRow>({
    text: 'select id as account, native_id from muster.account where identity_id = $2 and target = $1 and unlinked_at is null',
    values: [target, identity],
  })
  return row ?? null
}

/** Something of theirs is out on this target, or may have been done there. The caller holds the locks of open work. */
export const isInWork = async (tx: Transaction, target: string, identity: number): Promise<boolean> => {
  const [row] = await tx.query<{ yes: boolean }>({
    text: `select exists (select from muster.action where identity_id = $2 and target = $1 and open and (state = 'dispatched' or unknown)) as yes`,
    values: [target, identity],
  })
  return row?.yes ?? false
}

/** Not theirs any more. Correlation, which would find it again, is told that it is not. */
export const unlink = async (
  tx: Transaction,
  at: number,
  by: string,
  link: { readonly target: string; readonly identity: number } & LinkedRow,
): Promise<void> => {
  await tx.query({
    text: 'update muster.account set unlinked_at = to_timestamp($1::float8 / 1000) where id = $2',
    values: [at, link.account],
  })
  await tx.query({
    text: `insert into muster.not_theirs (identity_id, target, native_id, said_at, said_by)
      values ($1, $2, $3, to_timestamp($4::float8 / 1000), $5)
      on conflict (identity_id, target, native_id) do update set said_at = excluded.said_at, said_by = excluded.said_by`,
    values: [link.identity, link.target, link.native_id, at, by],
  })
}

/** A human links what a human unlinked. */
export const forgetNotTheirs = async (
  tx: Transaction,
  target: string,
  identity: number,
  nativeId: string,
): Promise<void> => {
  await tx.query({
    text: 'delete from muster.not_theirs where identity_id = $1 and target = $2 and native_id = $3',
    values: [identity, target, nativeId],
  })
}

/** `linked`: accounts that are linked on a target; `unlinked`: people with open actions there who have none. */
export const countLinks = async (
  db: Queryable,
  target: string,
): Promise<{ readonly linked: number; readonly unlinked: number }> => {
  const [row] = await db.query<{ linked: number; unlinked: number }>({
    text: `select (select count(*) from muster.account where target = $1 and unlinked_at is null) as linked,
        (select count(distinct o.identity_id) from muster.action o where o.target = $1 and o.open and not exists (select from muster.account a
          where a.identity_id = o.identity_id and a.target = $1 and a.unlinked_at is null)) as unlinked`,
    values: [target],
  })
  return row ?? { linked: 0, unlinked: 0 }
}
