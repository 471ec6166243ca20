import type { Instant } from './instant.ts'
import type { WorkerEvent } from './worker-event.ts'

/** Why a message was not accepted: one word per kind of trouble, for people and for `muster quarantine replay`. */
export const quarantineReasons = [
  'tombstone',
  'too-large',
  'invalid-utf8',
  'truncated-json',
  'invalid-json',
  'too-deep',
  'duplicate-member',
  'forbidden-member',
  'not-a-cloudevent',
  'unsupported-specversion',
  'unsupported-content-type',
  'unknown-type',
  'future-version',
  'missing-key',
  'key-mismatch',
  'missing-member',
  'wrong-type',
  'unknown-status',
  'unknown-action',
  'unknown-value',
  'impossible-date',
  'unknown-zone',
  'invalid-text',
  'invalid-value',
  'same-id-other-bytes',
  'not-storable',
] as const
export type QuarantineReason = (typeof quarantineReasons)[number]

/** `path` is a JSON pointer into the event, or `key` or `header/NAME`; `message` never quotes a value. */
export type Problem = { readonly path: string; readonly message: string }

/** One message as it came: transport only. */
export type Arrival = {
  readonly offset: number
  /** The broker's timestamp; null where it is none that a database can hold. */
  readonly appendedAt: Instant | null
  readonly key: Uint8Array | null
  /** JSON text: name → text, or {"base64": …} where the bytes are none; null without headers. */
  readonly headers: string | null
  /** The value's bytes; null = tombstone. */
  readonly raw: Uint8Array | null
}

/** What a worker event is before the database's clock stamped it. */
export type UnreceivedEvent = Omit<WorkerEvent, 'receivedAt'>

export type AcceptedMessage = {
  readonly kind: 'accepted'
  readonly event: UnreceivedEvent
  /** Ends access, or may: overtakes everything (DESIGN §3). */
  readonly endsAccess: boolean
  /** The last day of work or the contract ends then; in the past, it ends access too. */
  readonly endsAt: Instant | null
  /** tz data with which its dates were resolved. */
  readonly tzVersion: string
  /** Members that this version does not know. */
  readonly unknownMembers: number
  /** Members of a termination or rescission that were no good and not needed. */
  readonly droppedMembers: number
}

export type QuarantinedMessage = {
  readonly kind: 'quarantined'
  readonly reason: QuarantineReason
  readonly problems: readonly Problem[]
  /** As far as they could be read. */
  readonly source: string | null
  readonly id: string | null
  /** Says `terminated` where a status stands: somebody must look at once. */
  readonly legiblyTermination: boolean
}

export type Verdict = AcceptedMessage | QuarantinedMessage
export type Decoded = Arrival & { readonly verdict: Verdict }
