import type { Queryable, Transaction } from './database.ts'

export type EntitlementRow = {
  readonly id: number
  readonly key: string | null
  readonly target: string
  readonly lookup: string
  readonly managed: boolean
  readonly protected: boolean
}

export const allEntitlements = (db: Queryable): Promise<readonly EntitlementRow[]> =>
  db.query({
    name: 'catalogue-all',
    text: 'select id, key, target, lookup, managed, protected from muster.entitlement order by id',
  })

export type CatalogueEntry = {
  readonly key: string
  readonly target: string
  readonly lookup: string
  readonly protected: boolean
  readonly risk: string
}

/**
 * Makes the catalogue what the policy says. What was only seen on a target under this lookup becomes the entry, with its
 * pinned id and history; what is no longer listed stays known and becomes unmanaged. A pinned id outlives a new lookup:
 * if that finds something else, the connector refuses it (`entitlement-changed-identity`).
 */
export const saveCatalogue = async (tx: Transaction, entries: readonly CatalogueEntry[]): Promise<void> => {
  const values = [
    entries.map((e) => e.target),
    entries.map((e) => e.key),
    entries.map((e) => e.lookup),
    entries.map((e) => e.protected),
    entries.map((e) => e.risk),
  ]
  const rows =
    'unnest($1::text[], $2::text[], $3::text[], $4::boolean[], $5::text[]) as r(target, key, lookup, protected, risk)'
  await tx.query({
    text: `update muster.entitlement e set key = r.key from ${rows}
      where e.key is null and e.target = r.target and lower(e.lookup) = lower(r.lookup)
        and not exists (select from muster.entitlement k where k.target = r.target and k.key = r.key)`,
    values,
  })
  await tx.query({
    text: `insert into muster.entitlement (target, key, lookup, managed, protected, risk)
      select target, key, lookup, true, protected, risk from ${rows} order by target, key
      on conflict (target, key) do update set lookup = excluded.lookup, managed = true, protected = excluded.protected, risk = excluded.risk`,
    values,
  })
  await tx.query({
    text: `update muster.entitlement e set managed = false, protected = false
      where e.managed and not exists (select from unnest($1::text[], $2::text[]) as r(target, key)
        where r.target = e.target and r.key = e.key)`,
    values: values.slice(0, 2),
  })
}
