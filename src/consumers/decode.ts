import {
  type Arrival,
  type QuarantinedMessage,
  type QuarantineReason,
  quarantineReasons,
  type Verdict,
} from '../domain/inbox-message.ts'
import { believe, isEasyToBelieve } from './believe.ts'
import { createCalendar } from './calendar.ts'
import { envelopeOf, isObject } from './cloud-event.ts'
import { eventType, laterEventType, workerEventSchema } from './event-schema.ts'
import { looksLikeTermination } from './legible.ts'
import { createHeaderReader } from './message-headers.ts'
import { type Fault, schemaFaults } from './schema-problems.ts'
import { isStorableText, membersOf, parseStrict } from './strict-json.ts'
import { toWorkerEvent } from './to-worker-event.ts'

export type DecodeOptions = {
  /** A longer value is quarantined unread, bytes. */
  readonly maxBytes: number
  /** Version of the tz data of this process (process.versions.tz). */
  readonly tzVersion: string
}

export type Decode = (arrival: Arrival) => Verdict

/** Judges one message: bytes in, verdict out, never a throw. Keeps only memories that save time (zones, headers). */
export const createDecoder = ({ maxBytes, tzVersion }: DecodeOptions): Decode => {
  const calendar = createCalendar()
  const headersOf = createHeaderReader()

  return (arrival) => {
    const { raw, key } = arrival
    if (raw === null) return quarantined(arrival, [{ reason: 'tombstone', path: '', message: 'has no value' }])
    if (raw.length > maxBytes)
      return quarantined(arrival, [{ reason: 'too-large', path: '', message: `is longer than ${maxBytes} bytes` }])
    const parsed = parseStrict(raw)
    if (parsed.kind === 'bad') return quarantined(arrival, [{ reason: parsed.reason, ...parsed.problem }], parsed.value)
    const envelope = envelopeOf(headersOf(arrival.headers), parsed.value)
    if (envelope.kind === 'bad')
      return quarantined(arrival, [{ reason: envelope.reason, ...envelope.problem }], parsed.value)
    const { event } = envelope
    const other = otherVersion(event)
    if (other !== null) return quarantined(arrival, [other], event)

    const easy = isEasyToBelieve(event)
    const believed = easy ? believe(event) : { event, dropped: 0 }
    const read = workerEventSchema.safeParse(believed.event)
    if (!read.success) return quarantined(arrival, schemaFaults(read.error, believed.event), event)
    const made = toWorkerEvent(read.data, calendar, easy)
    const faults = [...made.faults, ...keyFaults(key, read.data.data.worker.personKey, easy ? null : read.data.subject)]
    if (made.event === null || faults.length > 0) return quarantined(arrival, faults, event)
    const { status, lastDayEndsAt, contractEndsAt } = made.event.worker
    return {
      kind: 'accepted',
      event: made.event,
      endsAccess: status === 'terminated' || made.event.action === 'rescind' || made.event.urgency === 'immediate',
      endsAt: lastDayEndsAt ?? contractEndsAt,
      tzVersion,
      unknownMembers: Math.max(0, membersOf(event) - believed.dropped - membersOf(read.data)),
      droppedMembers: believed.dropped + made.dropped,
    }
  }
}

const otherVersion = ({ specversion, type }: Readonly<Record<string, unknown>>): Fault | null => {
  if (specversion !== '1.0') return { reason: 'unsupported-specversion', path: '/specversion', message: 'must be 1.0' }
  if (type === eventType || type === undefined) return null
  if (typeof type === 'string' && laterEventType.test(type))
    return { reason: 'future-version', path: '/type', message: `is another version than ${eventType}` }
  return { reason: 'unknown-type', path: '/type', message: `must be ${eventType}` }
}

const keyFaults = (key: Uint8Array | null, personKey: string, subject: string | null | undefined): readonly Fault[] => {
  const faults: Fault[] = []
  if (key === null || key.length === 0) faults.push({ reason: 'missing-key', path: 'key', message: 'is missing' })
  else if (!Buffer.from(personKey).equals(key))
    faults.push({ reason: 'key-mismatch', path: 'key', message: 'is not data.worker.personKey' })
  if (subject != null && subject !== personKey)
    faults.push({ reason: 'key-mismatch', path: '/subject', message: 'is not data.worker.personKey' })
  return faults
}

/** The reason that stands first in the list of reasons names the message; all problems are told. */
const quarantined = (arrival: Arrival, faults: readonly Fault[], event?: unknown): QuarantinedMessage => ({
  kind: 'quarantined',
  reason: faults.reduce<QuarantineReason>(
    (first, { reason }) => (rank(reason) < rank(first) ? reason : first),
    faults[0]?.reason ?? 'invalid-value',
  ),
  problems: faults.slice(0, 100).map(({ path, message }) => ({ path, message })),
  source: legible(event, 'source'),
  id: legible(event, 'id'),
  legiblyTermination: looksLikeTermination(arrival.raw, event),
})

const rank = (reason: QuarantineReason): number => quarantineReasons.indexOf(reason)

const legible = (event: unknown, member: 'source' | 'id'): string | null => {
  const value = isObject(event) && Object.hasOwn(event, member) ? event[member] : null
  return typeof value === 'string' && value !== '' && value.length <= 255 && isStorableText(value) ? value : null
}
