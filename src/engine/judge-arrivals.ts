import { createHash } from 'node:crypto'
import type { Decoded, UnreceivedEvent } from '../domain/inbox-message.ts'
import type { AcceptedRow, InboxRow } from '../store/inbox.ts'

/** Row of a message whose (source, id) nobody used before. */
export const rowOf = (message: Decoded): InboxRow => {
  const { offset, appendedAt, key, headers, raw, verdict } = message
  const arrival = { offset, appendedAt, key, headers, raw }
  if (verdict.kind === 'quarantined') {
    const { source, id, reason, problems } = verdict
    return { ...arrival, status: 'quarantined', source, id, reason, problems }
  }
  const { event, endsAccess, endsAt, tzVersion } = verdict
  return {
    ...arrival,
    status: 'accepted',
    personKey: event.worker.personKey,
    source: event.source,
    id: event.id,
    endsAt: endsAccess ? Number.NEGATIVE_INFINITY : endsAt,
    body: JSON.stringify(event),
    tzVersion,
  }
}

/**
 * Rows of a batch, in its order, beside what stands accepted: the same event again is a duplicate; another one under a
 * name that is taken is quarantined, for nobody can say which of the two HR meant.
 */
export const judgeArrivals = (messages: readonly Decoded[], accepted: readonly AcceptedRow[]): readonly InboxRow[] => {
  const taken = new Map(accepted.map((row) => [nameOf(row.source, row.event_id), contentOf(row.sha256, row.headers)]))
  return messages.map((message) => {
    const row = rowOf(message)
    if (row.status !== 'accepted') return row
    const name = nameOf(row.source, row.id)
    const content = contentOf(sha256(message.raw), message.headers)
    const before = taken.get(name)
    if (before === undefined) {
      taken.set(name, content)
      return row
    }
    const { offset, appendedAt, key, headers, raw, source, id } = row
    if (before === content) return { offset, appendedAt, key, headers, raw, status: 'duplicate', source, id }
    const problems = [{ path: '/id', message: 'was accepted before with other bytes' }]
    return {
      offset,
      appendedAt,
      key,
      headers,
      raw,
      status: 'quarantined',
      source,
      id,
      reason: 'same-id-other-bytes',
      problems,
    }
  })
}

export const nameOf = (source: string, id: string): string => `${source}\0${id}`

export const eventName = ({ source, id }: UnreceivedEvent): string => nameOf(source, id)

const sha256 = (raw: Uint8Array | null): string =>
  createHash('sha256')
    .update(raw ?? '')
    .digest('hex')

/** In binary mode the event is in the ce_ headers too; other headers are the transport's. */
const contentOf = (hash: string, headers: string | null): string => {
  if (headers === null || !headers.toLowerCase().includes('"ce_')) return hash
  const events = Object.entries(JSON.parse(headers) as Record<string, unknown>).filter(([name]) =>
    name.toLowerCase().startsWith('ce_'),
  )
  return `${hash} ${JSON.stringify(events.sort(([a], [b]) => (a < b ? -1 : 1)))}`
}
