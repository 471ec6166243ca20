import type { AuditEntry } from '../domain/audit-entry.ts'
import type { Transaction } from './database.ts'

/**
 * Appends entries in the caller's transaction: with the state they describe, or not at all. The engine's role has
 * INSERT only, so nothing is returned and nothing can be read back.
 */
export const appendAudit = async (tx: Transaction, at: number, entries: readonly AuditEntry[]): Promise<void> => {
  if (entries.length === 0) return
  await tx.query({
    name: 'audit-append',
    text: `insert into audit.entry (recorded_at, kind, subject_ref, decision_id, action_id, dispatch_id, entitlement_id, stream_id, "offset", bytes, leaf_hash)
      select to_timestamp($1::float8 / 1000), * from unnest($2::text[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[], $7::int[], $8::int[], $9::bigint[], $10::bytea[], $11::bytea[])`,
    values: [
      at,
      entries.map((e) => e.kind),
      entries.map((e) => e.keys.subjectRef ?? null),
      entries.map((e) => e.keys.decisionId ?? null),
      entries.map((e) => e.keys.actionId ?? null),
      entries.map((e) => e.keys.dispatchId ?? null),
      entries.map((e) => e.keys.entitlementId ?? null),
      entries.map((e) => e.keys.inbox?.streamId ?? null),
      entries.map((e) => e.keys.inbox?.offset ?? null),
      entries.map((e) => e.bytes),
      entries.map((e) => e.leafHash),
    ],
  })
}
