import { lookupKey } from '../domain/lookup-key.ts'
import { int4Array, int8Array } from './binary-array.ts'
import type { Transaction } from './database.ts'
import { mergeEntitlements } from './merge-entitlements.ts'

export type GrantSeen = { readonly account: number; readonly entitlement: number }

/** `given`: by an action of ours, proved. Else a read found it there. */
export type GrantPresent = GrantSeen & { readonly given: boolean }

/** Verified as present: a new row, or a later look at one that is there. */
export const savePresent = async (
  tx: Transaction,
  readAt: number,
  dispatch: number | null,
  rows: readonly GrantPresent[],
): Promise<void> => {
  if (rows.length === 0) return
  await tx.query({
    name: 'grants-present',
    text: `insert into muster.grants (account_id, entitlement_id, given, first_verified_at, last_verified_at, first_recorded_at, first_dispatch_id)
      select r.account, r.entitlement, r.given <> 0, to_timestamp($1::float8 / 1000), to_timestamp($1::float8 / 1000), (select muster.now()), $2::bigint
      from unnest($3::bigint[], $4::int[], $5::int[]) as r(account, entitlement, given)
      on conflict (entitlement_id, account_id) where gone_verified_at is null do update set last_verified_at = excluded.last_verified_at,
        given = muster.grants.given or excluded.given`,
    values: [
      readAt,
      dispatch,
      int8Array(rows.map((r) => r.account)),
      int4Array(rows.map((r) => r.entitlement)),
      int4Array(rows.map((r) => Number(r.given))),
    ],
  })
}

/** Waits for whoever is just writing what became of these links, if they are there. */
export const lockPresent = async (tx: Transaction, rows: readonly GrantSeen[]): Promise<void> => {
  if (rows.length === 0) return
  await tx.query({
    name: 'grants-lock-present',
    text: `select 1 from muster.grants g join unnest($1::bigint[], $2::int[]) as r(account, entitlement)
        on g.account_id = r.account and g.entitlement_id = r.entitlement
      where g.gone_verified_at is null order by g.account_id, g.entitlement_id for update of g`,
    values: [int8Array(rows.map((r) => r.account)), int4Array(rows.map((r) => r.entitlement))],
  })
}

/**
 * What complete reads listed, of accounts whose links others may be changing at the same time: a link of which something was
 * verified after `since` is left alone. Links that are there are locked first: whoever is just marking one as gone is waited for,
 * and seen. What a complete list did not show since the account was linked, and no action of ours explains, has appeared
 * behind our back. Answers the accounts of links that were not known to be there.
 */
export const saveListed = async (
  tx: Transaction,
  readAt: number,
  dispatch: number | null,
  since: number,
  rows: readonly GrantSeen[],
): Promise<readonly number[]> => {
  if (rows.length === 0) return []
  tx.defer(lockPresent(tx, rows))
  const saved = await tx.query<{ account: number; is_new: boolean }>({
    name: 'grants-listed',
    text: `insert into muster.grants (account_id, entitlement_id, given, appeared, first_verified_at, last_verified_at, first_recorded_at, first_dispatch_id)
      select distinct r.account, r.entitlement, false, exists (select from muster.entitlement e join muster.account a on a.id = r.account
          where e.id = r.entitlement and e.members_read_at > a.linked_at and e.members_read_at < to_timestamp($1::float8 / 1000)
            and not exists (select from muster.action o where o.identity_id = a.identity_id and o.target = a.target
              and o.kind in ('grant', 'revoke') and o.entitlement_id = r.entitlement and o.open and (o.going or o.unknown))),
        to_timestamp($1::float8 / 1000), to_timestamp($1::float8 / 1000), (select muster.now()), $2::bigint
      from unnest($4::bigint[], $5::int[]) as r(account, entitlement)
      where not exists (select from muster.grants g where g.account_id = r.account and g.entitlement_id = r.entitlement
        and greatest(g.last_verified_at, g.gone_verified_at) > to_timestamp($3::float8 / 1000))
      on conflict (entitlement_id, account_id) where gone_verified_at is null do update set last_verified_at = excluded.last_verified_at
      returning account_id as account, xmax = 0 as is_new`,
    values: [readAt, dispatch, since, int8Array(rows.map((r) => r.account)), int4Array(rows.map((r) => r.entitlement))],
  })
  return saved.filter((row) => row.is_new).map(({ account }) => account)
}

/** Each link once; what was given stays given. */
export const distinctGrants = (rows: readonly GrantPresent[]): readonly GrantPresent[] => [
  ...new Map(
    [...rows]
      .sort((a, b) => Number(a.given) - Number(b.given))
      .map((row) => [`${row.account}:${row.entitlement}`, row]),
  ).values(),
]

/** Those of these links about which something was verified after `readAt`: an earlier read says nothing of them. */
export const verifiedSince = async (
  tx: Transaction,
  readAt: number,
  rows: readonly GrantSeen[],
): Promise<(row: GrantSeen) => boolean> => {
  if (rows.length === 0) return () => false
  const later = await tx.query<GrantSeen>({
    name: 'grants-verified-since',
    text: `select g.account_id as account, g.entitlement_id as entitlement
      from unnest($2::bigint[], $3::int[]) as r(account, entitlement)
      join muster.grants g on g.account_id = r.account and g.entitlement_id = r.entitlement
      where greatest(g.last_verified_at, g.gone_verified_at) > to_timestamp($1::float8 / 1000)`,
    values: [readAt, rows.map((r) => r.account), rows.map((r) => r.entitlement)],
  })
  const known = new Set(later.map(({ account, entitlement }) => `${account}:${entitlement}`))
  return ({ account, entitlement }) => known.has(`${account}:${entitlement}`)
}

/** A rule wants what was found: from now on it stands under that rule, and goes when the rule no longer wants it. */
export const adoptFound = async (
  tx: Transaction,
  rows: readonly { readonly identity: number; readonly entitlement: number }[],
): Promise<void> => {
  if (rows.length === 0) return
  await tx.query({
    name: 'grants-adopt',
    text: `update muster.grants g set given = true
      from unnest($1::bigint[], $2::int[]) as r(identity, entitlement) join muster.account a on a.identity_id = r.identity and a.unlinked_at is null
      where g.account_id = a.id and g.entitlement_id = r.entitlement and g.gone_verified_at is null`,
    values: [rows.map((r) => r.identity), rows.map((r) => r.entitlement)],
  })
}

/** `taken`: by us, or it may have been. Else a read of ours was the first to see that it is not there. */
export type GrantGone = GrantSeen & { readonly taken: boolean }

/** Verified as gone. Rows stay: they say when it was held. */
export const saveGone = async (
  tx: Transaction,
  readAt: number,
  dispatch: number | null,
  rows: readonly GrantGone[],
): Promise<void> => {
  if (rows.length === 0) return
  await tx.query({
    name: 'grants-gone',
    text: `update muster.grants g set gone_verified_at = greatest(to_timestamp($1::float8 / 1000), g.last_verified_at),
        gone_recorded_at = (select muster.now()), gone_dispatch_id = $2::bigint, taken = r.taken
      from unnest($3::bigint[], $4::int[], $5::boolean[]) as r(account, entitlement, taken)
      where g.account_id = r.account and g.entitlement_id = r.entitlement and g.gone_verified_at is null`,
    values: [readAt, dispatch, rows.map((r) => r.account), rows.map((r) => r.entitlement), rows.map((r) => r.taken)],
  })
}

/**
 * A late revoke finds that they are not there. What went since its dispatch was made it may have taken, even if another read
 * was the first to see that.
 */
export const raiseTaken = async (tx: Transaction, dispatch: number, rows: readonly GrantSeen[]): Promise<void> => {
  if (rows.length === 0) return
  await tx.query({
    name: 'grants-raise-taken',
    text: `update muster.grants g set taken = true
      from muster.dispatch d, unnest($2::bigint[], $3::int[]) as r(account, entitlement)
      where d.id = $1 and g.account_id = r.account and g.entitlement_id = r.entitlement and not g.taken and g.gone_recorded_at >= d.created_at`,
    values: [dispatch, int8Array(rows.map((r) => r.account)), int4Array(rows.map((r) => r.entitlement))],
  })
}

export type EntitlementSeen = { readonly nativeId: string; readonly name: string }

/**
 * Row ids of entitlements seen on a target, by native id; those in no catalogue become rows of their own, unmanaged. What
 * is seen under another name than before keeps its row, and takes the name unless the catalogue names it.
 */
export const knownEntitlements = async (
  tx: Transaction,
  target: string,
  seen: readonly EntitlementSeen[],
): Promise<ReadonlyMap<string, number>> => {
  if (seen.length === 0) return new Map()
  const distinct = [...new Map(seen.map((one) => [one.nativeId, one])).values()]
  const ids = distinct.map((s) => s.nativeId)
  const names = distinct.map((s) => s.name)
  const keys = names.map(lookupKey)
  // A catalogue entitlement that nobody resolved yet is found by its lookup, and pinned.
  await tx.query({
    name: 'entitlements-pin-by-name',
    text: `update muster.entitlement e set native_id = s.native_id from unnest($2::text[], $3::text[]) as s(native_id, key)
      where e.target = $1 and e.native_id is null and e.managed and e.lookup_key = s.key
        and not exists (select from muster.entitlement o where o.target = $1 and o.native_id = s.native_id)`,
    values: [target, ids, keys],
  })
  await tx.query({
    name: 'entitlements-seen',
    text: `insert into muster.entitlement (target, lookup, lookup_key, native_id, managed)
      select $1, s.name, s.key, s.native_id, false from unnest($2::text[], $3::text[], $4::text[]) as s(native_id, name, key)
      on conflict (target, native_id) do nothing`,
    values: [target, ids, names, keys],
  })
  const rows = await tx.query<KnownRow>({
    name: 'entitlements-by-native',
    text: `select e.id, e.native_id, not e.managed and e.lookup_key <> s.key as renamed, s.name, s.key,
        case when not e.managed then (select min(u.id) from muster.entitlement u
          where u.target = $1 and u.lookup_key = s.key and u.managed and u.native_id is null) end as twin
      from unnest($2::text[], $3::text[], $4::text[]) as s(native_id, name, key)
      join muster.entitlement e on e.target = $1 and e.native_id = s.native_id`,
    values: [target, ids, names, keys],
  })
  await saveNames(
    tx,
    rows.filter(({ renamed }) => renamed),
  )
  await mergeEntitlements(
    tx,
    rows.flatMap(({ id, twin, native_id }) => (twin === null ? [] : [{ from: id, into: twin, nativeId: native_id }])),
  )
  return new Map(rows.map((row) => [row.native_id, row.twin ?? row.id]))
}

type KnownRow = {
  readonly id: number
  readonly native_id: string
  readonly renamed: boolean
  readonly name: string
  readonly key: string
  /** Never resolved, and by its lookup the same thing. */
  readonly twin: number | null
}

const saveNames = async (tx: Transaction, rows: readonly KnownRow[]): Promise<void> => {
  if (rows.length === 0) return
  await tx.query({
    text: `update muster.entitlement e set lookup = r.lookup, lookup_key = r.key
      from unnest($1::int[], $2::text[], $3::text[]) as r(id, lookup, key) where e.id = r.id`,
    values: [rows.map((r) => r.id), rows.map((r) => r.name), rows.map((r) => r.key)],
  })
}

/**
 * First resolve: from now on another native id under this lookup is a finding. What was only seen until now becomes the
 * entry with all that is held. Returns the entries that turned out to be what another entry of the catalogue is, with that.
 */
export const pinEntitlements = async (
  tx: Transaction,
  rows: readonly { readonly id: number; readonly nativeId: string }[],
): Promise<ReadonlyMap<number, number>> => {
  if (rows.length === 0) return new Map()
  const owners = await tx.query<{ id: number; owner: number; native_id: string; managed: boolean }>({
    name: 'entitlements-owners',
    text: `select distinct r.id, o.id as owner, r.native_id, o.managed from unnest($1::int[], $2::text[]) as r(id, native_id)
      join muster.entitlement e on e.id = r.id and e.native_id is null
      join muster.entitlement o on o.target = e.target and o.native_id = r.native_id`,
    values: [rows.map((r) => r.id), rows.map((r) => r.nativeId)],
  })
  const others = new Map<number, number>()
  const owner = new Map<string, number>()
  for (const row of owners) if (row.managed) others.set(row.id, row.owner)
  const merged = owners.filter(({ managed }) => !managed)
  // One call may resolve two entries to one thing: the first has it.
  const pins = [...new Map(rows.map((row) => [row.id, row])).values()].filter(({ id, nativeId }) => {
    if (others.has(id)) return false
    const first = owner.get(nativeId)
    if (first !== undefined) others.set(id, first)
    else owner.set(nativeId, id)
    return first === undefined
  })
  await mergeEntitlements(
    tx,
    merged.flatMap((row) => (others.has(row.id) ? [] : [{ into: row.id, from: row.owner, nativeId: row.native_id }])),
  )
  await tx.query({
    name: 'entitlements-pin',
    text: `update muster.entitlement e set native_id = r.native_id from unnest($1::int[], $2::text[]) as r(id, native_id)
      where e.id = r.id and e.native_id is null`,
    values: [pins.map((r) => r.id), pins.map((r) => r.nativeId)],
  })
  return others
}
