import { createDecoder } from '../../../src/consumers/decode.ts'
import type { AcceptedMessage, Arrival, QuarantinedMessage, Verdict } from '../../../src/domain/inbox-message.ts'
import type { Instant } from '../../../src/domain/instant.ts'

export const decode = createDecoder({ maxBytes: 1024 * 1024, tzVersion: '2026a' })

export const arrival = (
  key: string | null,
  value: unknown,
  headers: Readonly<Record<string, string>> | null = null,
): Arrival => ({
  offset: 0,
  appendedAt: 0 as Instant,
  key: key === null ? null : Buffer.from(key),
  headers: headers === null ? null : JSON.stringify(headers),
  raw:
    value === null
      ? null
      : value instanceof Uint8Array
        ? value
        : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
})

export const accepted = (verdict: Verdict): AcceptedMessage => {
  if (verdict.kind !== 'accepted') throw new Error(`quarantined: ${JSON.stringify(verdict)}`)
  return verdict
}

export const quarantined = (verdict: Verdict): QuarantinedMessage => {
  if (verdict.kind !== 'quarantined') throw new Error('accepted')
  return verdict
}

/** The reason, or 'accepted'. */
export const reasonOf = (verdict: Verdict): string => (verdict.kind === 'accepted' ? 'accepted' : verdict.reason)

export const at = (text: string): number => Date.parse(text)
