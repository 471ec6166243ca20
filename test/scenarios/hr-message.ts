import { createDecoder } from '../../src/consumers/decode.ts'
import type { AcceptedMessage, Decoded } from '../../src/domain/inbox-message.ts'
import type { Instant } from '../../src/domain/instant.ts'
import type { HrEvent } from './scenario-file.ts'

const custom = 'custom.'
const decode = createDecoder({ maxBytes: 1_000_000, tzVersion: process.versions.tz ?? '' })

/** The event as HR writes it to Kafka: a structured CloudEvent (DESIGN §10). What the scenario does not say is absent. */
const bytesOf = (event: HrEvent): Uint8Array => {
  const {
    person,
    employment,
    id,
    action,
    supersedes,
    effectiveAt,
    timezone,
    urgency,
    recordedtime,
    sequence,
    ...said
  } = event
  const isCustom = ([name]: readonly [string, unknown]) => name.startsWith(custom)
  const worker = {
    personKey: person,
    employmentKey: employment,
    ...Object.fromEntries(Object.entries(said).filter((member) => !isCustom(member))),
    custom: Object.fromEntries(
      Object.entries(said)
        .filter(isCustom)
        .map(([name, value]) => [name.slice(custom.length), value]),
    ),
  }
  return Buffer.from(
    JSON.stringify({
      specversion: '1.0',
      type: 'dev.muster.hr.worker.v1',
      source: '/workday/bank',
      id,
      subject: person,
      time: recordedtime,
      recordedtime,
      sequence,
      datacontenttype: 'application/json',
      data: { action, supersedes, effectiveAt, timezone, urgency, worker },
    }),
  )
}

/** A message of the topic as the consumer hands it to ingest, decoded by the real decoder. Throws when it is no good event. */
export const hrMessage = (
  event: HrEvent,
  offset: number,
  appendedAt: Instant,
): Decoded & { readonly verdict: AcceptedMessage } => {
  const arrival = { offset, appendedAt, key: Buffer.from(event.person), headers: null, raw: bytesOf(event) }
  const verdict = decode(arrival)
  if (verdict.kind === 'quarantined')
    throw new Error(`the scenario's event is quarantined: ${verdict.reason} ${JSON.stringify(verdict.problems)}`)
  return { ...arrival, verdict }
}
