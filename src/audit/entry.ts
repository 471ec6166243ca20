import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import type { AuditEntry, EntryKeys } from '../domain/audit-entry.ts'

/** Version of the byte format: readers of old entries need it. */
export const formatVersion = 1

/** JSON values only; no personal data (DESIGN §5): names of attributes, native ids, codes, inbox rows. */
export type EntryBody = { readonly [key: string]: unknown }

const leafPrefix = Buffer.from([0])

export const leafHash = (bytes: Uint8Array): Buffer => createHash('sha256').update(leafPrefix).update(bytes).digest()

/** Builds one entry: RFC 8785 bytes with kind, format version and time inside. `at`: ms since 1970, the database's clock. */
export const auditEntry = (kind: string, at: number, keys: EntryKeys, body: EntryBody): AuditEntry => {
  const text = canonicalize({ v: formatVersion, kind, at: new Date(at).toISOString(), ...body })
  if (text === undefined) throw new Error(`audit entry ${kind} has no canonical form`)
  const bytes = Buffer.from(text, 'utf8')
  return { kind, keys, bytes, leafHash: leafHash(bytes) }
}
