import { int8Array, textArray } from './binary-array.ts'
import type { Transaction } from './database.ts'

export type DesiredRow = {
  readonly identity: number
  /** JSON text of the assignments, as stored. */
  readonly assignments: string
  readonly entitlements: readonly number[]
}

/** Ends what was believed and records what is believed now: both axes stay (DESIGN §3, bitemporal). */
export const saveDesired = async (
  tx: Transaction,
  at: number,
  rows: readonly DesiredRow[],
  known: readonly number[],
): Promise<void> => {
  const closed =
    known.length === 0
      ? Promise.resolve([])
      : tx.query({
          name: 'desired-close',
          text: `update muster.desired set recorded_to = to_timestamp($1::float8 / 1000) where identity_id = any($2) and recorded_to = 'infinity'`,
          values: [at, known],
        })
  if (rows.length === 0) return void (await closed)
  const inserted = tx.query({
    name: 'desired-insert',
    text: `insert into muster.desired (identity_id, recorded_from, assignments, entitlements)
      select r.id, to_timestamp($1::float8 / 1000), r.assignments::jsonb, r.entitlements::int[]
      from unnest($2::bigint[], $3::text[], $4::text[]) as r(id, assignments, entitlements)`,
    values: [
      at,
      int8Array(rows.map((r) => r.identity)),
      textArray(rows.map((r) => r.assignments)),
      textArray(rows.map((r) => `{${r.entitlements.join()}}`)),
    ],
  })
  await Promise.all([closed, inserted])
}
