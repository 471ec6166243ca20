import { auditEntry } from '../audit/entry.ts'
import type { Decoded } from '../domain/inbox-message.ts'
import { errorFields } from '../log.ts'
import { appendAudit } from '../store/audit-log.ts'
import { sqlState, type Transaction } from '../store/database.ts'
import { openFinding } from '../store/findings.ts'
import { findAccepted, type InboxRow, lockStream, type SavedBatch, saveInbox } from '../store/inbox.ts'
import { readStream } from '../store/streams.ts'
import type { Engine } from './engine.ts'
import { judgeArrivals, nameOf, type Prepared, prepare } from './judge-arrivals.ts'

export type IngestEngine = Pick<Engine, 'db' | 'log' | 'nudge'>

export type Ingested = {
  /** The stream's cursor afterwards; null: the stream is no longer current, and nothing was written. */
  readonly next: number | null
  readonly accepted: number
  readonly duplicates: number
  readonly quarantined: number
  /** Messages below the cursor: somebody else brought them in already. */
  readonly late: number
}

/** Messages that one transaction takes. */
export const ingestBatch = 500

/**
 * Brings messages of one stream (ascending by offset) into the inbox: exactly one row per offset, whatever the message
 * is, and moves the cursor to `next` (default: behind the last). Idempotent: what the cursor has passed is left alone.
 * Throws only when the database cannot be reached or is broken; then nothing of the batch that failed is written.
 */
export const ingest = (
  engine: IngestEngine,
  stream: number,
  messages: readonly Decoded[],
  next?: number,
): Promise<Ingested> => ingestPrepared(engine, stream, messages.map(prepare), next)

/** The same, for who prepares each message as soon as it is decoded. */
export const ingestPrepared = async (
  engine: IngestEngine,
  stream: number,
  messages: readonly Prepared[],
  next?: number,
): Promise<Ingested> => {
  const total = { accepted: 0, duplicates: 0, quarantined: 0, late: 0 }
  let cursor: number | null = next ?? 0
  for (let at = 0; at < messages.length; at += ingestBatch) {
    const batch = messages.slice(at, at + ingestBatch)
    const following = messages[at + ingestBatch]?.offset ?? next ?? (batch.at(-1)?.offset ?? 0) + 1
    const done = await bringIn(engine, stream, batch, following)
    for (const name of ['accepted', 'duplicates', 'quarantined', 'late'] as const) total[name] += done[name]
    cursor = done.next
    if (cursor === null) break
  }
  return { ...total, next: cursor }
}

/** A statement that the data makes impossible (22 data exception, 23 constraint, 54 limit), not the state of the server. */
const isDataError = (error: unknown): boolean => /^(22|23|54)/.test(sqlState(error) ?? '')

/** Poison that no check foresaw costs its own row only: the batch is halved until it stands alone (law L12). */
const bringIn = async (
  engine: IngestEngine,
  stream: number,
  batch: readonly Prepared[],
  next: number,
): Promise<Ingested> => {
  try {
    return await bringInWhole(engine, stream, batch, next)
  } catch (error) {
    const [first] = batch
    if (first === undefined || !isDataError(error) || isUnstorable(first)) throw error
    engine.log.warn(
      { stream, messages: batch.length, ...errorFields(error) },
      'the inbox refuses a batch: looking for the message',
    )
    if (batch.length === 1) return await bringInWhole(engine, stream, [unstorable(first)], next)
    const half = Math.ceil(batch.length / 2)
    const before = await bringIn(engine, stream, batch.slice(0, half), batch[half]?.offset ?? next)
    if (before.next === null) return before
    const after = await bringIn(engine, stream, batch.slice(half), next)
    return {
      next: after.next,
      accepted: before.accepted + after.accepted,
      duplicates: before.duplicates + after.duplicates,
      quarantined: before.quarantined + after.quarantined,
      late: before.late + after.late,
    }
  }
}

const isUnstorable = (row: Prepared): boolean => row.status === 'quarantined' && row.reason === 'not-storable'

const unstorable = ({ offset, key, raw, terminates }: Prepared): Prepared => ({
  ...{ offset, key, raw, terminates, appendedAt: null, headers: null, source: null, id: null },
  status: 'quarantined',
  reason: 'not-storable',
  problems: [{ path: '', message: 'cannot be stored as it is' }],
})

const bringInWhole = async (
  engine: IngestEngine,
  stream: number,
  batch: readonly Prepared[],
  next: number,
): Promise<Ingested> => {
  let rest = batch
  for (let attempt = 1; ; attempt++) {
    const written = await write(engine, stream, rest, next)
    if (written !== undefined) {
      if (written.saved.leavers) engine.nudge('evaluate', 'leaver')
      if (written.saved.bulk) engine.nudge('evaluate', 'bulk')
      return { ...count(written.rows), late: batch.length - rest.length, next }
    }
    // Somebody else, or an earlier self, was faster.
    const position = await readStream(engine.db, stream)
    if (position === undefined || !position.current) return { ...count([]), late: batch.length, next: null }
    rest = batch.filter(({ offset }) => offset >= position.next)
    if (rest.length === 0) return { ...count([]), late: batch.length, next: position.next }
    if (attempt >= 5) throw new Error('the cursor of a stream moves under the one who reads it')
  }
}

const count = (rows: readonly InboxRow[]) => ({
  accepted: rows.filter(({ status }) => status === 'accepted').length,
  duplicates: rows.filter(({ status }) => status === 'duplicate').length,
  quarantined: rows.filter(({ status }) => status === 'quarantined').length,
})

type Written = { readonly saved: SavedBatch; readonly rows: readonly InboxRow[] }

/** Most batches hold new, good events only: one statement, which fails as a whole if one of them is known already. */
const write = async (
  engine: IngestEngine,
  stream: number,
  batch: readonly Prepared[],
  next: number,
): Promise<Written | undefined> => {
  if (isPlain(batch)) {
    try {
      const saved = await saveInbox(engine.db, stream, batch, next)
      return saved === undefined ? undefined : { saved, rows: batch }
    } catch (error) {
      if (!wantsAnotherLook.has(sqlState(error) ?? '')) throw error
    }
  }
  return await withAnotherLook(() => engine.db.transaction((tx) => writeJudged(tx, stream, batch, next)))
}

const wantsAnotherLook = new Set(['23505', '40P01', '40001'])

/** Two partitions may bring the same event at the same moment: the slower one sees the faster one's row the next time. */
const withAnotherLook = async <T>(work: () => Promise<T>): Promise<T> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt >= 5 || sqlState(error) !== '23505') throw error
    }
  }
}

const isPlain = (batch: readonly Prepared[]): boolean => {
  const names = new Set<string>()
  for (const row of batch) {
    if (row.status !== 'accepted') return false
    names.add(nameOf(row.source, row.id))
  }
  return names.size === batch.length
}

const writeJudged = async (
  tx: Transaction,
  stream: number,
  batch: readonly Prepared[],
  next: number,
): Promise<Written | undefined> => {
  await lockStream(tx, stream)
  const named = batch.flatMap((row) => (row.status === 'accepted' ? [row] : []))
  const rows = judgeArrivals(batch, named.length === 0 ? [] : await findAccepted(tx, named))
  const saved = await saveInbox(tx, stream, rows, next)
  if (saved === undefined) return undefined
  const quarantined = rows.flatMap((row, i) =>
    row.status === 'quarantined' ? [{ row, terminates: batch[i]?.terminates === true }] : [],
  )
  await appendAudit(
    tx,
    saved.at,
    quarantined.map(({ row }) => quarantinedEntry(saved.at, stream, row)),
  )
  for (const { row, terminates } of quarantined) {
    const key = `${stream}/${row.offset}`
    const detail = { stream, offset: row.offset, reason: row.reason }
    if (row.reason === 'same-id-other-bytes')
      await openFinding(tx, { kind: 'same-id-other-bytes', key, urgent: false, identityId: null, detail })
    if (terminates)
      await openFinding(tx, { kind: 'quarantined-termination', key, urgent: true, identityId: null, detail })
  }
  return { saved, rows }
}

const quarantinedEntry = (
  at: number,
  stream: number,
  { offset, reason }: InboxRow & { readonly status: 'quarantined' },
) =>
  auditEntry(
    'quarantined',
    at,
    { inbox: { streamId: stream, offset } },
    { actor: { type: 'engine' }, stream, offset, reason },
  )
