import type { ObservedIndirect } from '../domain/outcome.ts'
import { int4Array, int8Array } from './binary-array.ts'
import type { Queryable, Transaction } from './database.ts'

export type IndirectLink = Pick<ObservedIndirect, 'via' | 'path'> & { readonly entitlement: number }

/** All that one account holds indirectly, by one complete read. `carried`: some of it the read did not show, and stays known as it was. */
export type IndirectSeen = {
  readonly account: number
  readonly held: readonly IndirectLink[]
  readonly carried: boolean
}

/** What changed of one account: entitlements that it holds indirectly now, and those that it held. */
export type IndirectChange = {
  readonly account: number
  readonly now: readonly number[]
  readonly before: readonly number[]
}

/**
 * Reads of these accounts, begun at `readAt`. Of whom a later read is known, nothing is written; one read may be told twice, its
 * losses after its gains. Answers what changed.
 */
export const saveIndirect = async (
  tx: Transaction,
  readAt: number,
  rows: readonly IndirectSeen[],
): Promise<readonly IndirectChange[]> => {
  if (rows.length === 0) return []
  const fresh = new Set(await markRead(tx, readAt, rows))
  const newer = rows.filter(({ account }) => fresh.has(account))
  if (newer.length === 0) return []
  const texts = newer.map(({ held }) => heldText(held))
  const accounts = int8Array(newer.map(({ account }) => account))
  const ended = await tx.query<{ account: number; entitlements: number[] }>({
    name: 'indirect-gone',
    text: `update muster.indirect n set gone_verified_at = greatest(to_timestamp($1::float8 / 1000), n.last_verified_at),
        gone_recorded_at = (select muster.now())
      from unnest($2::bigint[], $3::text[]) as r(account, held)
      where n.account_id = r.account and n.gone_verified_at is null and n.held <> r.held::jsonb
      returning n.account_id as account, n.entitlements`,
    values: [readAt, accounts, texts],
  })
  const begun = await tx.query<{ account: number; entitlements: number[]; fresh: boolean }>({
    name: 'indirect-present',
    text: `insert into muster.indirect (account_id, held, entitlements, first_verified_at, last_verified_at, first_recorded_at)
      select r.account, r.held::jsonb, array(select distinct (h->>'e')::int from jsonb_array_elements(r.held::jsonb) h order by 1),
        t.first, t.first, (select muster.now())
      from unnest($2::bigint[], $3::text[], $4::int[]) as r(account, held, carried)
        -- What the same read told before keeps its row: this one is the next.
        cross join lateral (select coalesce(max(p.first_verified_at) + interval '1 microsecond', to_timestamp($1::float8 / 1000)) as first
          from muster.indirect p where p.account_id = r.account and p.first_verified_at >= to_timestamp($1::float8 / 1000)) t
      where r.held <> '[]'
        -- What is only carried over has not been verified anew.
        and (r.carried = 0 or not exists (select from muster.indirect o where o.account_id = r.account and o.gone_verified_at is null))
      on conflict (account_id) where gone_verified_at is null do update set last_verified_at = excluded.last_verified_at
      returning account_id as account, entitlements, xmax = 0 as fresh`,
    values: [readAt, accounts, texts, int4Array(newer.map(({ carried }) => Number(carried)))],
  })
  const before = new Map(ended.map(({ account, entitlements }) => [account, entitlements]))
  const now = new Map(begun.filter((row) => row.fresh).map(({ account, entitlements }) => [account, entitlements]))
  return [...new Set([...before.keys(), ...now.keys()])].map((account) => ({
    account,
    now: now.get(account) ?? [],
    before: before.get(account) ?? [],
  }))
}

/** All that these accounts are known to hold indirectly. */
export const indirectLinks = async (
  db: Queryable,
  accounts: readonly number[],
): Promise<ReadonlyMap<number, readonly IndirectLink[]>> => {
  if (accounts.length === 0) return new Map()
  const rows = await db.query<{ account: number; held: IndirectLink[] }>({
    name: 'indirect-links',
    text: `select n.account_id as account,
        (select jsonb_agg(jsonb_build_object('entitlement', (h->>'e')::int, 'via', h->'via', 'path', h->'path'))
          from jsonb_array_elements(n.held) h) as held
      from muster.indirect n where n.account_id = any($1) and n.gone_verified_at is null`,
    values: [int8Array(accounts)],
  })
  return new Map(rows.map(({ account, held }) => [account, held]))
}

/** Of these accounts: entitlements that were verified as grants no earlier than what is known of their indirect access. */
export const grantedSinceIndirect = async (
  db: Queryable,
  accounts: readonly number[],
): Promise<ReadonlyMap<number, ReadonlySet<number>>> => {
  if (accounts.length === 0) return new Map()
  const rows = await db.query<{ account: number; entitlements: number[] }>({
    name: 'indirect-granted-since',
    text: `select n.account_id as account, array_agg(g.entitlement_id) as entitlements
      from muster.indirect n join muster.grants g on g.account_id = n.account_id and g.gone_verified_at is null
        and g.last_verified_at >= n.last_verified_at
      where n.account_id = any($1) and n.gone_verified_at is null group by 1`,
    values: [int8Array(accounts)],
  })
  return new Map(rows.map(({ account, entitlements }) => [account, new Set(entitlements)]))
}

const markRead = async (tx: Transaction, readAt: number, rows: readonly IndirectSeen[]): Promise<readonly number[]> =>
  (
    await tx.query<{ id: number }>({
      name: 'indirect-read',
      text: `update muster.account set indirect_read_at = to_timestamp($1::float8 / 1000)
        where id = any($2) and (indirect_read_at is null or indirect_read_at <= to_timestamp($1::float8 / 1000)) returning id`,
      values: [readAt, int8Array(rows.map(({ account }) => account))],
    })
  ).map(({ id }) => id)

/** In one order, so that the same read gives the same value. */
const heldText = (held: readonly IndirectLink[]): string => {
  const links = held.map(({ entitlement: e, via, path }) => ({ e, via, path, key: `${via} ${path.join(' ')}` }))
  const ordered = links.sort((a, b) => a.e - b.e || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  return JSON.stringify(ordered.map(({ e, via, path }) => ({ e, via, path })))
}

/**
 * They were to be read and could not be: the next run reads them, whatever has changed. Answers whose grants wait for that,
 * for each target's grants to an account wait until it is read (store/claimable).
 */
export const saveIndirectUnread = async (
  db: Queryable,
  target: string,
  accounts: readonly number[],
): Promise<readonly number[]> => {
  if (accounts.length === 0) return []
  const waiting = await db.query<{ identity: number }>({
    name: 'indirect-unread',
    text: `with unread as (update muster.account set indirect_read_at = null where id = any($1) returning identity_id)
      select distinct u.identity_id as identity from unread u join muster.action a on a.identity_id = u.identity_id
      where a.open and a.target = $2 and a.kind = 'grant'`,
    values: [int8Array(accounts), target],
  })
  return waiting.map(({ identity }) => identity)
}

/** Those of these things that the catalogue has, by native id or, as long as nobody has asked what they are, by name. */
export const catalogued = async (
  db: Queryable,
  target: string,
  things: readonly { readonly nativeId: string; readonly key: string }[],
): Promise<ReadonlySet<string>> => {
  if (things.length === 0) return new Set()
  const rows = await db.query<{ id: string }>({
    name: 'indirect-catalogued',
    text: `select distinct s.id from unnest($2::text[], $3::text[]) as s(id, key)
      join muster.entitlement e on e.target = $1 and e.managed and (e.native_id = s.id or (e.native_id is null and e.lookup_key = s.key))`,
    values: [target, things.map(({ nativeId }) => nativeId), things.map(({ key }) => key)],
  })
  return new Set(rows.map(({ id }) => id))
}

/** Those of these entitlements that the catalogue has. */
export const managedOf = async (db: Queryable, entitlements: readonly number[]): Promise<ReadonlySet<number>> => {
  if (entitlements.length === 0) return new Set()
  const rows = await db.query<{ id: number }>({
    name: 'indirect-managed',
    text: 'select id from muster.entitlement where id = any($1) and managed',
    values: [entitlements],
  })
  return new Set(rows.map(({ id }) => id))
}
