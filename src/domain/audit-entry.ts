/** Columns beside the bytes, so that a person's, an action's or a dispatch's chain is found by an index. */
export type EntryKeys = {
  readonly subjectRef?: string | null
  readonly decisionId?: number | null
  readonly actionId?: number | null
  readonly dispatchId?: number | null
  readonly entitlementId?: number | null
  readonly inbox?: { readonly streamId: number; readonly offset: number } | null
}

export type AuditEntry = {
  readonly kind: string
  readonly keys: EntryKeys
  /** Canonical JSON (RFC 8785); its UTF-8 is what is stored. */
  readonly text: string
  /** hex SHA-256(0x00 ‖ UTF-8 of the text): an RFC 6962 leaf. */
  readonly leafHash: string
}
