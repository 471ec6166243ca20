import { auditEntry } from '../audit/entry.ts'
import type { Actor } from '../domain/actor.ts'
import type { Arrival, QuarantineReason, Verdict } from '../domain/inbox-message.ts'
import { appendAudit } from '../store/audit-log.ts'
import { sqlState, type Transaction } from '../store/database.ts'
import { closeFinding } from '../store/findings.ts'
import { findAccepted } from '../store/inbox.ts'
import { listQuarantined, lockQuarantined, settleQuarantined } from '../store/quarantine.ts'
import type { Engine } from './engine.ts'
import { judgeArrivals, prepare } from './judge-arrivals.ts'

type ReplayEngine = Pick<Engine, 'db' | 'nudge'>
/** Today's decoder: of consumers/, handed in where all is wired. */
type Decode = (arrival: Arrival) => Verdict

export type Replayed =
  | { readonly kind: 'accepted' | 'duplicate' }
  /** Still no good, for this reason. */
  | { readonly kind: 'quarantined'; readonly reason: QuarantineReason }
  /** No quarantined message stands there. */
  | { readonly kind: 'unknown' }

/**
 * Judges one quarantined message again, with today's decoder and what is accepted by now. Accepted, it takes effect like
 * an event that just came (the fold orders by what HR wrote, not by when we read it). Audited when it leaves quarantine.
 */
export const replayQuarantined = async (
  engine: ReplayEngine,
  decode: Decode,
  stream: number,
  offset: number,
  actor: Actor,
): Promise<Replayed> => {
  for (let attempt = 1; ; attempt++) {
    try {
      const { replayed, leaver } = await engine.db.transaction((tx) => replay(tx, decode, stream, offset, actor))
      if (replayed.kind === 'accepted') engine.nudge('evaluate', leaver ? 'leaver' : 'bulk')
      return replayed
    } catch (error) {
      // The same event came in meanwhile: seen the next time.
      if (attempt >= 5 || sqlState(error) !== '23505') throw error
    }
  }
}

export type ReplayCount = { readonly accepted: number; readonly duplicates: number; readonly quarantined: number }

/** All quarantined messages (of one reason), each in a transaction of its own. */
export const replayAll = async (
  engine: ReplayEngine,
  decode: Decode,
  reason: QuarantineReason | undefined,
  actor: Actor,
): Promise<ReplayCount> => {
  const count = { accepted: 0, duplicates: 0, quarantined: 0 }
  let after: { stream: number; offset: number } | undefined
  for (;;) {
    const lines = await listQuarantined(engine.db, { reason, after, limit: 500 })
    for (const { stream, offset } of lines) {
      const { kind } = await replayQuarantined(engine, decode, stream, offset, actor)
      if (kind === 'accepted') count.accepted++
      else if (kind === 'duplicate') count.duplicates++
      else if (kind === 'quarantined') count.quarantined++
    }
    after = lines.at(-1)
    if (after === undefined) return count
  }
}

const replay = async (
  tx: Transaction,
  decode: Decode,
  stream: number,
  offset: number,
  actor: Actor,
): Promise<{ readonly replayed: Replayed; readonly leaver: boolean }> => {
  const row = await lockQuarantined(tx, stream, offset)
  if (row === undefined) return { replayed: { kind: 'unknown' }, leaver: false }
  const { now, reason, ...arrival } = row
  const verdict = decode(arrival)
  const named = verdict.kind === 'accepted' ? [verdict.event] : []
  const [state] = judgeArrivals(
    [prepare({ ...arrival, verdict })],
    named.length === 0 ? [] : await findAccepted(tx, named),
  )
  if (state === undefined) throw new Error('a message was judged to nothing')
  const leaver = await settleQuarantined(tx, stream, offset, state)
  if (state.status === 'quarantined') return { replayed: { kind: 'quarantined', reason: state.reason }, leaver: false }
  const entry = auditEntry(
    'quarantine-replayed',
    now,
    { inbox: { streamId: stream, offset } },
    { actor, stream, offset, reason, outcome: state.status },
  )
  await appendAudit(tx, now, [entry])
  for (const kind of ['quarantined-termination', 'same-id-other-bytes'])
    await closeFinding(tx, kind, `${stream}/${offset}`)
  return { replayed: { kind: state.status }, leaver }
}
