import { hash } from 'node:crypto'
import type { AuditEntry, EntryKeys } from '../domain/audit-entry.ts'
import { canonicalText } from './canonical.ts'

/** Version of the byte format: readers of old entries need it. */
export const formatVersion = 1

/** JSON values only; no personal data (DESIGN §5): names of attributes, native ids, codes, inbox rows. */
export type EntryBody = { readonly [key: string]: unknown }

/** hex SHA-256(0x00 ‖ UTF-8 of the text): a leaf of RFC 6962. */
export const leafHash = (text: string): string => hash('sha256', `\u0000${text}`, 'hex')

/** Builds one entry: RFC 8785 text with kind, format version and time inside. `at`: ms since 1970, the database's clock. */
export const auditEntry = (kind: string, at: number, keys: EntryKeys, body: EntryBody): AuditEntry => {
  const text = canonicalText({ v: formatVersion, kind, at: new Date(at).toISOString(), ...body })
  if (text === undefined) throw new Error(`audit entry ${kind} has no canonical form`)
  return { kind, keys, text, leafHash: leafHash(text) }
}
