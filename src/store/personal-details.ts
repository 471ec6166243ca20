import type { Transaction } from './database.ts'

export type PersonalDetailRow = {
  readonly ref: string
  readonly subjectRef: string | null
  readonly salt: Uint8Array
  readonly body: string
}

export const savePersonalDetails = async (
  tx: Transaction,
  at: number,
  rows: readonly PersonalDetailRow[],
): Promise<void> => {
  if (rows.length === 0) return
  await tx.query({
    name: 'personal-details-save',
    text: `insert into muster.personal_detail (ref, subject_ref, salt, body, recorded_at)
      select r.ref, r.subject, r.salt, r.body, to_timestamp($1::float8 / 1000)
      from unnest($2::uuid[], $3::uuid[], $4::bytea[], $5::jsonb[]) as r(ref, subject, salt, body)`,
    values: [
      at,
      rows.map((r) => r.ref),
      rows.map((r) => r.subjectRef),
      rows.map((r) => r.salt),
      rows.map((r) => r.body),
    ],
  })
}
