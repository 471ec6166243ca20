import type { DriftPolicy } from '../domain/drift.ts'
import { lookupKey } from '../domain/lookup-key.ts'
import type { Risk } from '../domain/risk.ts'
import type { Queryable, Transaction } from './database.ts'
import { mergeEntitlements, type Twin } from './merge-entitlements.ts'

export type EntitlementRow = {
  readonly id: number
  readonly key: string | null
  readonly target: string
  readonly lookup: string
  readonly managed: boolean
  readonly protected: boolean
  readonly risk: Risk | null
  readonly drift: DriftPolicy
}

export const allEntitlements = (db: Queryable): Promise<readonly EntitlementRow[]> =>
  db.query({
    name: 'catalogue-all',
    text: 'select id, key, target, lookup, managed, protected, risk, drift from muster.entitlement order by id',
  })

/** Of these native ids, what the catalogue has of them on other targets. */
export const cataloguedElsewhere = async (
  tx: Queryable,
  target: string,
  nativeIds: readonly string[],
): Promise<readonly { readonly key: string; readonly target: string }[]> => {
  if (nativeIds.length === 0) return []
  return await tx.query({
    name: 'catalogue-elsewhere',
    text: `select key, target from muster.entitlement
      where target <> $1 and native_id = any($2) and managed and key is not null order by target, key`,
    values: [target, nativeIds],
  })
}

/** Of these, those whose members another hand decides, as their targets last said, and which word they have for it. */
export const keepersOf = async (
  tx: Queryable,
  entitlements: readonly number[],
): Promise<ReadonlyMap<number, string>> => {
  if (entitlements.length === 0) return new Map()
  const rows = await tx.query<{ id: number; kept_by: string }>({
    name: 'catalogue-keepers',
    text: 'select id, kept_by from muster.entitlement where id = any($1) and kept_by is not null',
    values: [entitlements],
  })
  return new Map(rows.map(({ id, kept_by }) => [id, kept_by]))
}

export type CatalogueEntry = {
  readonly key: string
  readonly target: string
  readonly lookup: string
  readonly protected: boolean
  readonly risk: string
  readonly drift: DriftPolicy
}

/**
 * Makes the catalogue what the policy says, and tells the row of each key. An entry is the thing that its lookup names:
 * what has another key by now, or was only seen on a target, becomes the entry with its pinned id and history. What is no
 * longer listed stays known and becomes unmanaged. A key whose lookup names nothing known keeps its row and pinned id: if
 * that finds something else, the connector refuses it (`entitlement-changed-identity`).
 */
export const saveCatalogue = async (
  tx: Transaction,
  entries: readonly CatalogueEntry[],
): Promise<ReadonlyMap<string, number>> => {
  const wanted = entries.map((entry) => ({ ...entry, lookupKey: lookupKey(entry.lookup) }))
  const rows = await tx.query<PlacedRow>({
    text: `select id, key, target, lookup_key, managed, native_id is not null as pinned from muster.entitlement
      where key is not null or (target, lookup_key) in (select * from unnest($1::text[], $2::text[]))`,
    values: [wanted.map((e) => e.target), wanted.map((e) => e.lookupKey)],
  })
  const places = placeEntries(rows, wanted)
  const kept = wanted.flatMap((entry) => {
    const id = places.get(entry)
    return id === undefined ? [] : [{ ...entry, id }]
  })
  // Keys move between rows: first nobody has those that move.
  await tx.query({
    text: `update muster.entitlement e set key = null from unnest($1::text[], $2::text[], $3::int[]) as r(target, key, id)
      where e.target = r.target and e.key = r.key and e.id is distinct from r.id`,
    values: [wanted.map((e) => e.target), wanted.map((e) => e.key), wanted.map((e) => places.get(e) ?? null)],
  })
  await tx.query({
    text: `update muster.entitlement e set key = r.key, lookup = r.lookup, lookup_key = r.lookup_key, managed = true,
        protected = r.protected, risk = r.risk, drift = r.drift
      from unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::text[], $7::text[])
        as r(id, key, lookup, lookup_key, protected, risk, drift)
      where e.id = r.id`,
    values: [kept.map((e) => e.id), ...columns(kept).slice(1)],
  })
  await tx.query({
    text: `insert into muster.entitlement (target, key, lookup, lookup_key, managed, protected, risk, drift)
      select target, key, lookup, lookup_key, true, protected, risk, drift
      from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::text[], $7::text[])
        as r(target, key, lookup, lookup_key, protected, risk, drift)
      order by target, key`,
    values: columns(wanted.filter((entry) => !places.has(entry))),
  })
  const known = await tx.query<{ id: number; key: string }>({
    text: `update muster.entitlement e set managed = r.key is not null, protected = e.protected and r.key is not null,
        members_read_at = case when r.key is not null then e.members_read_at end -- listed anew as if for the first time, should it come back
      from muster.entitlement o left join unnest($1::text[], $2::text[]) as r(target, key) on r.target = o.target and r.key = o.key
      where e.id = o.id and (o.managed or r.key is not null) returning e.id, r.key`,
    values: columns(wanted).slice(0, 2),
  })
  await mergeEntitlements(tx, await seenTwins(tx))
  return new Map(known.filter(({ key }) => key !== null).map(({ key, id }) => [key, id]))
}

type Wanted = CatalogueEntry & { readonly lookupKey: string }

const columns = (entries: readonly Wanted[]) => [
  entries.map((e) => e.target),
  entries.map((e) => e.key),
  entries.map((e) => e.lookup),
  entries.map((e) => e.lookupKey),
  entries.map((e) => e.protected),
  entries.map((e) => e.risk),
  entries.map((e) => e.drift),
]

type PlacedRow = {
  readonly id: number
  readonly key: string | null
  readonly target: string
  readonly lookup_key: string
  readonly managed: boolean
  readonly pinned: boolean
}

/** The row that each entry becomes; an entry that is not in the map is new. */
const placeEntries = (rows: readonly PlacedRow[], entries: readonly Wanted[]): ReadonlyMap<Wanted, number> => {
  const places = new Map<Wanted, number>()
  const taken = new Set<number>()
  const best = [...rows].sort(
    (a, b) => Number(b.pinned) - Number(a.pinned) || Number(b.managed) - Number(a.managed) || b.id - a.id,
  )
  const isNamed = (row: PlacedRow, entry: Wanted) => row.target === entry.target && row.lookup_key === entry.lookupKey
  const isKeyed = (row: PlacedRow, entry: Wanted) => row.target === entry.target && row.key === entry.key
  const rounds = [
    (row: PlacedRow, entry: Wanted) => isNamed(row, entry) && isKeyed(row, entry),
    isNamed,
    // What the key meant until now, unless another entry names it.
    isKeyed,
  ]
  const found = indexed(best)
  for (const fits of rounds) {
    for (const entry of entries) {
      if (places.has(entry)) continue
      const row = found(entry).find((one) => !taken.has(one.id) && fits(one, entry))
      if (row === undefined) continue
      taken.add(row.id)
      places.set(entry, row.id)
    }
  }
  return places
}

/** Rows with the entry's lookup or key, in the order given. */
const indexed = (rows: readonly PlacedRow[]) => {
  const named = Map.groupBy(rows, (row) => JSON.stringify([row.target, row.lookup_key]))
  const keyed = Map.groupBy(rows, (row) => JSON.stringify([row.target, row.key]))
  return (entry: Wanted): readonly PlacedRow[] => [
    ...(named.get(JSON.stringify([entry.target, entry.lookupKey])) ?? []),
    ...(keyed.get(JSON.stringify([entry.target, entry.key])) ?? []),
  ]
}

/** Entries never resolved whose lookup names what was seen under it. */
const seenTwins = (tx: Transaction): Promise<readonly Twin[]> =>
  tx.query({
    text: `select distinct on (e.id) e.id as into, s.id as from, s.native_id as "nativeId" from muster.entitlement e
      join muster.entitlement s on s.target = e.target and s.lookup_key = e.lookup_key and not s.managed and s.native_id is not null
      where e.managed and e.native_id is null order by e.id, s.id desc`,
  })
