import type { AuditEntry } from '../domain/audit-entry.ts'
import { hexArray, int4Array, int8Array, textArray, utf8Array } from './binary-array.ts'
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
      select to_timestamp($1::float8 / 1000), r.kind, r.subject::uuid, r.decision, r.action, r.dispatch, r.entitlement, r.stream, r."offset", r.bytes, r.hash
      from unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::int[], $8::int[], $9::bigint[], $10::bytea[], $11::bytea[])
        as r(kind, subject, decision, action, dispatch, entitlement, stream, "offset", bytes, hash)`,
    values: [
      at,
      textArray(entries.map((e) => e.kind)),
      textArray(entries.map((e) => e.keys.subjectRef ?? null)),
      int8Array(entries.map((e) => e.keys.decisionId ?? null)),
      int8Array(entries.map((e) => e.keys.actionId ?? null)),
      int8Array(entries.map((e) => e.keys.dispatchId ?? null)),
      int4Array(entries.map((e) => e.keys.entitlementId ?? null)),
      int4Array(entries.map((e) => e.keys.inbox?.streamId ?? null)),
      int8Array(entries.map((e) => e.keys.inbox?.offset ?? null)),
      utf8Array(entries.map((e) => e.text)),
      hexArray(entries.map((e) => e.leafHash)),
    ],
  })
}
