import type { Transaction } from './database.ts'

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
      select r.account, r.entitlement, r.given, to_timestamp($1::float8 / 1000), to_timestamp($1::float8 / 1000), (select muster.now()), $2::bigint
      from unnest($3::bigint[], $4::int[], $5::boolean[]) as r(account, entitlement, given)
      on conflict (entitlement_id, account_id) where gone_verified_at is null do update set last_verified_at = excluded.last_verified_at,
        given = muster.grants.given or excluded.given`,
    values: [readAt, dispatch, rows.map((r) => r.account), rows.map((r) => r.entitlement), rows.map((r) => r.given)],
  })
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

/** Verified as gone. Rows stay: they say when it was held. */
export const saveGone = async (
  tx: Transaction,
  readAt: number,
  dispatch: number | null,
  rows: readonly GrantSeen[],
): Promise<void> => {
  if (rows.length === 0) return
  await tx.query({
    name: 'grants-gone',
    text: `update muster.grants g set gone_verified_at = greatest(to_timestamp($1::float8 / 1000), g.last_verified_at),
        gone_recorded_at = (select muster.now()), gone_dispatch_id = $2::bigint
      from unnest($3::bigint[], $4::int[]) as r(account, entitlement)
      where g.account_id = r.account and g.entitlement_id = r.entitlement and g.gone_verified_at is null`,
    values: [readAt, dispatch, rows.map((r) => r.account), rows.map((r) => r.entitlement)],
  })
}

export type EntitlementSeen = { readonly nativeId: string; readonly name: string }

/** Row ids of entitlements seen on a target, by native id; those in no catalogue become rows of their own, unmanaged. */
export const knownEntitlements = async (
  tx: Transaction,
  target: string,
  seen: readonly EntitlementSeen[],
): Promise<ReadonlyMap<string, number>> => {
  if (seen.length === 0) return new Map()
  const values = [target, seen.map((s) => s.nativeId), seen.map((s) => s.name)]
  // A catalogue entitlement that nobody resolved yet is found by its lookup, and pinned.
  await tx.query({
    name: 'entitlements-pin-by-name',
    text: `update muster.entitlement e set native_id = s.native_id from unnest($2::text[], $3::text[]) as s(native_id, name)
      where e.target = $1 and e.native_id is null and lower(e.lookup) = lower(s.name)
        and not exists (select from muster.entitlement o where o.target = $1 and o.native_id = s.native_id)`,
    values,
  })
  await tx.query({
    name: 'entitlements-seen',
    text: `insert into muster.entitlement (target, lookup, native_id, managed)
      select distinct on (s.native_id) $1, s.name, s.native_id, false from unnest($2::text[], $3::text[]) as s(native_id, name)
      on conflict (target, native_id) do nothing`,
    values,
  })
  const rows = await tx.query<{ id: number; native_id: string }>({
    name: 'entitlements-by-native',
    text: 'select id, native_id from muster.entitlement where target = $1 and native_id = any($2)',
    values: [target, seen.map((s) => s.nativeId)],
  })
  return new Map(rows.map((row) => [row.native_id, row.id]))
}

/** First resolve: from now on another native id under this lookup is a finding. */
export const pinEntitlements = async (
  tx: Transaction,
  rows: readonly { readonly id: number; readonly nativeId: string }[],
): Promise<void> => {
  if (rows.length === 0) return
  await tx.query({
    name: 'entitlements-pin',
    text: `update muster.entitlement e set native_id = r.native_id from unnest($1::int[], $2::text[]) as r(id, native_id)
      where e.id = r.id and e.native_id is null`,
    values: [rows.map((r) => r.id), rows.map((r) => r.nativeId)],
  })
}
