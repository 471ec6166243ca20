import { hash } from 'node:crypto'
import type { Decoded } from '../domain/inbox-message.ts'
import type { AcceptedRow, InboxRow } from '../store/inbox.ts'

/** Row of a message as if nobody had used its (source, id) before, and whether it says that somebody's employment ended. */
export type Prepared = InboxRow & { readonly terminates: boolean }

/**
 * All that ingest needs of a message, as text: what was parsed can be forgotten at once. Thousands of parsed events that
 * live until the database has answered cost more time to collect than to parse.
 */
export const prepare = (message: Decoded): Prepared => {
  const { offset, appendedAt, key, headers, raw, verdict } = message
  const arrival = { offset, appendedAt, key, headers, raw }
  if (verdict.kind === 'quarantined') {
    const { source, id, reason, problems } = verdict
    return { ...arrival, status: 'quarantined', source, id, reason, problems, terminates: verdict.legiblyTermination }
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
    terminates: event.worker.status === 'terminated',
  }
}

/**
 * Rows of a batch, in its order, beside what stands accepted: the same event again is a duplicate; another one under a
 * name that is taken is quarantined, for nobody can say which of the two HR meant.
 */
export const judgeArrivals = (rows: readonly InboxRow[], accepted: readonly AcceptedRow[]): readonly InboxRow[] => {
  // Of a row of this batch the content is looked at when its name comes again: hardly ever.
  const taken = new Map<string, string | InboxRow>(
    accepted.map((row) => [nameOf(row.source, row.event_id), contentOf(row.sha256, row.headers)]),
  )
  return rows.map((row) => {
    if (row.status !== 'accepted') return row
    const name = nameOf(row.source, row.id)
    const before = taken.get(name)
    if (before === undefined) {
      taken.set(name, row)
      return row
    }
    const { offset, appendedAt, key, headers, raw, source, id } = row
    if ((typeof before === 'string' ? before : contentOfRow(before)) === contentOfRow(row))
      return { offset, appendedAt, key, headers, raw, status: 'duplicate', source, id }
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

const contentOfRow = ({ raw, headers }: Pick<InboxRow, 'raw' | 'headers'>): string =>
  contentOf(hash('sha256', raw ?? '', 'hex'), headers)

/** In binary mode the event is in the ce_ headers too; other headers are the transport's. */
const contentOf = (hash: string, headers: string | null): string => {
  if (headers === null || !headers.toLowerCase().includes('"ce_')) return hash
  const events = Object.entries(JSON.parse(headers) as Record<string, unknown>).filter(([name]) =>
    name.toLowerCase().startsWith('ce_'),
  )
  return `${hash} ${JSON.stringify(events.sort(([a], [b]) => (a < b ? -1 : 1)))}`
}
