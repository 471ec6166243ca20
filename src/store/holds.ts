import type { Transaction } from './database.ts'

export type NewHold = {
  readonly identity: number
  readonly entitlement: number
  readonly policies: readonly string[]
  readonly conflictsWith: readonly number[]
}

export const openHolds = async (tx: Transaction, at: number, rows: readonly NewHold[]): Promise<void> => {
  if (rows.length === 0) return
  await tx.query({
    name: 'holds-open',
    text: `insert into muster.hold (kind, identity_id, entitlement_id, policies, conflicts_with, opened_at)
      select 'sod', r.identity, r.entitlement, array(select jsonb_array_elements_text(r.policies)),
        array(select jsonb_array_elements(r.conflicts)::int), to_timestamp($1::float8 / 1000)
      from unnest($2::bigint[], $3::int[], $4::jsonb[], $5::jsonb[]) as r(identity, entitlement, policies, conflicts)
      on conflict (identity_id, entitlement_id) where kind = 'sod' and closed_at is null
      do update set policies = excluded.policies, conflicts_with = excluded.conflicts_with`,
    values: [
      at,
      rows.map((r) => r.identity),
      rows.map((r) => r.entitlement),
      rows.map((r) => JSON.stringify(r.policies)),
      rows.map((r) => JSON.stringify(r.conflictsWith)),
    ],
  })
}

/** A hold is a function of state: when evaluation no longer finds it, it is over. */
export const closeHolds = async (tx: Transaction, at: number, ids: readonly number[]): Promise<void> => {
  if (ids.length === 0) return
  await tx.query({
    name: 'holds-close',
    text: `update muster.hold set closed_at = to_timestamp($1::float8 / 1000), closed_by = 'evaluation', closed_as = 'gone' where id = any($2)`,
    values: [at, ids],
  })
}
