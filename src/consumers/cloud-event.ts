import type { Problem, QuarantineReason } from '../domain/inbox-message.ts'
import type { MessageHeaders } from './message-headers.ts'

/** The message as one structured event (unjudged), or why it is none. */
export type Envelope =
  | { readonly kind: 'event'; readonly event: Readonly<Record<string, unknown>> }
  | { readonly kind: 'bad'; readonly reason: QuarantineReason; readonly problem: Problem }

const structured = /^application\/cloudevents\+json\s*(;|$)/i
const json = /^application\/([\w.-]+\+)?json\s*(;|$)/i

/** CloudEvents 1.0 over Kafka: structured (the value is the event) or binary (ce_ headers, the value is its data). */
export const envelopeOf = (headers: MessageHeaders, value: unknown): Envelope => {
  const contentType = headers.get('content-type') ?? null
  if (contentType !== null && structured.test(contentType)) return ofStructured(value)
  if (/^application\/cloudevents/i.test(contentType ?? ''))
    return bad('unsupported-content-type', 'header/content-type', 'is a form of CloudEvents that is not read here')
  if (headers.has('ce_specversion')) return ofBinary(headers, value, contentType)
  return ofStructured(value)
}

const ofStructured = (value: unknown): Envelope => {
  if (!isObject(value)) return bad('not-a-cloudevent', '', 'is not a JSON object')
  if (!('specversion' in value)) return bad('not-a-cloudevent', '/specversion', 'is missing')
  if (value.data_base64 !== undefined)
    return bad('unsupported-content-type', '/data_base64', 'holds bytes where JSON is wanted')
  return typeof value.datacontenttype === 'string' && !json.test(value.datacontenttype)
    ? bad('unsupported-content-type', '/datacontenttype', 'is not a JSON type')
    : { kind: 'event', event: value }
}

const ofBinary = (headers: MessageHeaders, data: unknown, contentType: string | null): Envelope => {
  if (contentType !== null && !json.test(contentType))
    return bad('unsupported-content-type', 'header/content-type', 'is not a JSON type')
  const event: Record<string, unknown> = {}
  for (const [name, value] of headers) if (/^ce_[a-z0-9]+$/.test(name)) event[name.slice(3)] = value
  return { kind: 'event', event: { ...event, data } }
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const bad = (reason: QuarantineReason, path: string, message: string): Envelope => ({
  kind: 'bad',
  reason,
  problem: { path, message },
})
