import { int4Array, int8Array } from './binary-array.ts'
import type { Queryable, Transaction } from './database.ts'
import type { GrantSeen } from './grants.ts'

/** An entitlement of the catalogue of which is known what it is on its target. */
export type Listable = {
  readonly id: number
  readonly key: string
  readonly lookup: string
  readonly native_id: string
  readonly risk: string
  /** Its last complete list was begun then, ms; null: it was never listed. */
  readonly members_read_at: number | null
}

/** Of those that are listed: `behind` only the ones whose list may say something new. */
export const listables = (db: Queryable, target: string, behind: boolean): Promise<readonly Listable[]> =>
  db.query({
    name: `reconcile-listables${behind ? '-behind' : ''}`,
    text: `select id, key, lookup, native_id, risk, (extract(epoch from members_read_at) * 1000)::bigint as members_read_at from muster.entitlement
      where target = $1 and managed and native_id is not null and contested_by is null
        ${behind ? 'and (members_behind_at is not null or members_read_at is null)' : ''} order by id`,
    values: [target],
  })

/** The same of all that is pinned, also of what is contested and not listed for that. */
export const pinned = (db: Queryable, target: string): Promise<readonly Listable[]> =>
  db.query({
    name: 'reconcile-pinned',
    text: `select id, key, lookup, native_id, risk, (extract(epoch from members_read_at) * 1000)::bigint as members_read_at from muster.entitlement
      where target = $1 and managed and native_id is not null order by id`,
    values: [target],
  })

/** Entitlements of the catalogue of which is not known what they are on their target: nobody can list who is in them. */
export const unresolved = (
  db: Queryable,
  target: string,
): Promise<readonly { readonly id: number; readonly key: string; readonly lookup: string }[]> =>
  db.query({
    name: 'reconcile-unresolved',
    text: 'select id, key, lookup from muster.entitlement where target = $1 and managed and native_id is null order by id',
    values: [target],
  })

export type HeldBy = { readonly account: number; readonly native_id: string }

/** Linked accounts that are believed to hold it. */
export const believedMembers = (db: Queryable, entitlement: number): Promise<readonly HeldBy[]> =>
  db.query({
    name: 'reconcile-believed',
    text: `select a.id as account, a.native_id from muster.grants g join muster.account a on a.id = g.account_id and a.unlinked_at is null
      where g.entitlement_id = $1 and g.gone_verified_at is null`,
    values: [entitlement],
  })

export type Linked = {
  readonly account: number
  readonly native_id: string
  readonly identity: number
  readonly subject_ref: string
  readonly person_key: string
  readonly leaver: boolean
}

/** Whose these accounts are; one that is not among them is linked to nobody. */
export const linkedAccounts = (
  db: Queryable,
  target: string,
  nativeIds: readonly string[],
): Promise<readonly Linked[]> =>
  db.query({
    name: 'reconcile-linked',
    text: `select a.id as account, a.native_id, a.identity_id as identity, i.subject_ref, i.person_key, i.leaver
      from unnest($2::text[]) as n(id) join muster.account a on a.native_id = n.id and a.target = $1 and a.unlinked_at is null
      join muster.identity i on i.id = a.identity_id`,
    values: [target, nativeIds],
  })

/** Those of these links that an action of ours is about just now: what is seen of them may be its doing. */
export const linksInWork = async (
  tx: Transaction,
  target: string,
  rows: readonly GrantSeen[],
): Promise<(row: GrantSeen) => boolean> => {
  if (rows.length === 0) return () => false
  const busy = await tx.query<GrantSeen>({
    name: 'reconcile-in-work',
    text: `select r.account, r.entitlement from unnest($2::bigint[], $3::int[]) as r(account, entitlement)
      join muster.account a on a.id = r.account
      where exists (select from muster.action o where o.identity_id = a.identity_id and o.target = $1
        and o.kind in ('grant', 'revoke') and o.entitlement_id = r.entitlement and o.open and (o.going or o.unknown))`,
    values: [target, int8Array(rows.map((r) => r.account)), int4Array(rows.map((r) => r.entitlement))],
  })
  const known = new Set(busy.map(({ account, entitlement }) => `${account}:${entitlement}`))
  return ({ account, entitlement }) => known.has(`${account}:${entitlement}`)
}

/** Answers what was not known. `drifted`: somebody was let in behind our back; else they were there when it was listed for the first time. */
export const saveAppeared = async (
  tx: Transaction,
  readAt: number,
  rows: readonly (GrantSeen & { readonly drifted: boolean })[],
): Promise<readonly GrantSeen[]> => {
  if (rows.length === 0) return []
  return await tx.query<GrantSeen>({
    name: 'reconcile-appeared',
    text: `insert into muster.grants (account_id, entitlement_id, given, appeared, first_verified_at, last_verified_at, first_recorded_at)
      select r.account, r.entitlement, false, r.drifted <> 0, to_timestamp($1::float8 / 1000), to_timestamp($1::float8 / 1000), (select muster.now())
      from unnest($2::bigint[], $3::int[], $4::int[]) as r(account, entitlement, drifted)
      on conflict (entitlement_id, account_id) where gone_verified_at is null do nothing
      returning account_id as account, entitlement_id as entitlement`,
    values: [
      readAt,
      int8Array(rows.map((r) => r.account)),
      int4Array(rows.map((r) => r.entitlement)),
      int4Array(rows.map((r) => Number(r.drifted))),
    ],
  })
}

/** Gone, and not by an action of ours. Answers what was there until now. */
export const saveMissing = async (
  tx: Transaction,
  readAt: number,
  rows: readonly GrantSeen[],
): Promise<readonly GrantSeen[]> => {
  if (rows.length === 0) return []
  return await tx.query<GrantSeen>({
    name: 'reconcile-missing',
    text: `update muster.grants g set missing = true, gone_verified_at = greatest(to_timestamp($1::float8 / 1000), g.last_verified_at),
        gone_recorded_at = (select muster.now())
      from unnest($2::bigint[], $3::int[]) as r(account, entitlement)
      where g.account_id = r.account and g.entitlement_id = r.entitlement and g.gone_verified_at is null
      returning g.account_id as account, g.entitlement_id as entitlement`,
    values: [readAt, int8Array(rows.map((r) => r.account)), int4Array(rows.map((r) => r.entitlement))],
  })
}

/** Complete lists, begun at `readAt`: from now on who was not in them and is there has come behind our back. */
export const saveListedAt = async (
  tx: Transaction,
  readAt: number,
  rows: readonly { readonly entitlement: number; readonly members: number; readonly before: number | null }[],
): Promise<void> => {
  if (rows.length === 0) return
  await tx.query({
    name: 'reconcile-listed',
    text: `update muster.entitlement e set members_read_at = to_timestamp($1::float8 / 1000), members_read = r.members
      from unnest($2::int[], $3::int[], $4::bigint[]) as r(id, members, before)
      -- It may have left the catalogue and come back meanwhile: then it was never listed.
      where e.id = r.id and e.managed and (extract(epoch from e.members_read_at) * 1000)::bigint is not distinct from r.before`,
    values: [readAt, rows.map((r) => r.entitlement), rows.map((r) => r.members), rows.map((r) => r.before)],
  })
}

/** A target that comes and goes is not listed each time. */
export const turnsApart = "interval '10 minutes'"

/** Whoever lists a target says so every half minute (workers/reconcile-loop); who has been silent for so long has died in it. */
const listedOn = "muster.now() + interval '10 minutes'"

/** Takes the turn of a target that is due, for whoever asks first; the next one is in `everyMs`, and not while this one goes on. */
export const takeReconcileTurn = async (db: Queryable, target: string, everyMs: number): Promise<boolean> => {
  const taken = await db.query({
    name: 'reconcile-turn',
    text: `update muster.target set turn_at = muster.now(), reconcile_at = muster.now() + make_interval(secs => $2::float8 / 1000),
        listing_until = ${listedOn}
      where id = $1 and (reconcile_at is null or reconcile_at <= muster.now()) and (listing_until is null or listing_until <= muster.now())
      returning 1`,
    values: [target, everyMs],
  })
  return taken.length > 0
}

export const keepReconcileTurn = async (db: Queryable, target: string): Promise<void> => {
  await db.query({
    name: 'reconcile-turn-keep',
    text: `update muster.target set listing_until = ${listedOn} where id = $1 and listing_until is not null`,
    values: [target],
  })
}

/** It was reconciled. A turn that was brought forward meanwhile (store/findings: closeResolved) does not come right after this one. */
export const endReconcileTurn = async (db: Queryable, target: string, everyMs: number): Promise<void> => {
  await db.query({
    name: 'reconcile-turn-end',
    text: `update muster.target set turn_at = muster.now(), listing_until = null,
        reconcile_at = least(turn_at + make_interval(secs => $2::float8 / 1000), greatest(reconcile_at, muster.now() + ${turnsApart}))
      where id = $1`,
    values: [target, everyMs],
  })
}

/** It could not be reconciled: another turn soon. */
export const postponeReconcile = async (db: Queryable, target: string, afterMs: number): Promise<void> => {
  await db.query({
    name: 'reconcile-postpone',
    text: `update muster.target set reconcile_at = muster.now() + make_interval(secs => $2::float8 / 1000), listing_until = null where id = $1`,
    values: [target, afterMs],
  })
}
