import { auditEntry } from '../audit/entry.ts'
import type { Connector } from '../connectors/connector.ts'
import type { AuditEntry } from '../domain/audit-entry.ts'
import type { EntitlementId, NativeId, TargetId } from '../domain/ids.ts'
import { appendAudit } from '../store/audit-log.ts'
import type { Transaction } from '../store/database.ts'
import {
  askLater,
  askLaterAll,
  dueQuestions,
  type EntitlementAnswer,
  type EntitlementQuestion,
  knownTwins,
  lockQuestions,
  saveAnswers,
} from '../store/entitlement-questions.ts'
import { closeFinding, openFindingOnce } from '../store/findings.ts'
import { pinEntitlements } from '../store/grants.ts'
import type { Engine } from './engine.ts'

/** Questions of one round. */
const batch = 500

/** A target that says nothing for so long is asked later: the sweep has other work, ms. */
const patienceMs = 3_000

/** When the target is asked again, ms: what may become another answer at any time soon, what is settled now and then. */
const againMs = { settled: 3_600_000, open: 60_000, failed: 15_000 } as const

type Resolver = Pick<Engine, 'db' | 'connectors' | 'log' | 'nudge'>
type Resolved = Awaited<ReturnType<Connector['resolveEntitlements']>>[number]

/**
 * Asks targets what the entitlements of the catalogue are before anybody is judged by them (ADR 0010): what is found is
 * pinned, with all that is held of it under another row, and its holders are evaluated again. Whoever cannot be asked
 * keeps waiting the grants that depend on it (store/claimable), and nothing else.
 */
export const resolveEntitlements = async (engine: Resolver): Promise<void> => {
  for (;;) {
    const questions = await dueQuestions(engine.db, batch)
    if (questions.length === 0) return
    const told = await Promise.all(
      [...Map.groupBy(questions, ({ target }) => target)].map(async ([target, asked]) => {
        const connector = engine.connectors.get(target as TargetId)
        return { target, asked, answers: connector === undefined ? null : await ask(connector, asked) }
      }),
    )
    let mine = true
    // One after the other: they take the same latch.
    for (const { target, asked, answers } of told) mine = (await record(engine, target, asked, answers)) && mine
    // Somebody else is at it, or the catalogue is just being changed: whoever that is goes on, or the next sweep.
    if (!mine || questions.length < batch) return
  }
}

const ask = async (connector: Connector, asked: readonly EntitlementQuestion[]): Promise<readonly Resolved[]> => {
  const signal = AbortSignal.timeout(patienceMs)
  const late = Promise.withResolvers<readonly Resolved[]>()
  signal.addEventListener('abort', () => late.resolve(asked.map(() => ({ kind: 'failed', cause: 'timeout' }))), {
    once: true,
  })
  const refs = asked.map(({ id, lookup, native_id }) => ({
    id: id as EntitlementId,
    lookup,
    nativeId: native_id as NativeId | null,
  }))
  return await Promise.race([connector.resolveEntitlements(refs, signal), late.promise])
}

/** `answers` null: the target is not configured here. false: somebody else records just now. */
const record = async (
  engine: Resolver,
  target: string,
  asked: readonly EntitlementQuestion[],
  answers: readonly Resolved[] | null,
): Promise<boolean> => {
  const answerOf = new Map(asked.map(({ id }, at) => [id, answers?.[at] ?? noConnector]))
  const changed = await engine.db.transaction(async (tx) => {
    const locked = await lockQuestions(tx, asked)
    if (locked === null) return null
    const { now, questions } = locked
    const failed = questions.flatMap((question) => {
      const answer = answerOf.get(question.id) ?? noConnector
      return answer.kind === 'failed' ? [{ question, cause: answer.cause }] : []
    })
    // A target of which nothing is heard is not asked the rest either.
    if (failed.length === asked.length) await askLaterAll(tx, target, againMs.failed)
    else
      await askLater(
        tx,
        failed.map(({ question }) => question.id),
        againMs.failed,
      )
    await reportFailed(tx, target, failed)
    const told = questions.flatMap((question) => {
      const answer = answerOf.get(question.id) ?? noConnector
      if (answer.kind === 'failed') return []
      const isFound = answer.kind === 'found'
      return [{ question, found: isFound ? answer.nativeId : null, keptBy: isFound ? (answer.keptBy ?? null) : null }]
    })
    const entries = await recordTold(tx, now, target, told)
    await appendAudit(tx, now, entries)
    return entries.length
  })
  if (changed === null) return false
  if (changed === 0) return true
  engine.log.info({ target, entitlements: changed }, 'the target said what entitlements of the catalogue are')
  for (const lane of ['leaver', 'bulk'] as const) engine.nudge('evaluate', lane)
  engine.nudge('dispatch', 'bulk')
  return true
}

const noConnector: Resolved = { kind: 'failed', cause: 'no-connector' }

type Told = {
  readonly question: EntitlementQuestion
  readonly found: string | null
  readonly keptBy: string | null
}

/** Returns an entry for each entitlement of which something else is known now. */
const recordTold = async (
  tx: Transaction,
  now: number,
  target: string,
  told: readonly Told[],
): Promise<readonly AuditEntry[]> => {
  const pins = told.flatMap(({ question: { id, native_id }, found }) =>
    native_id === null && found !== null ? [{ id, nativeId: found }] : [],
  )
  const twins = await knownTwins(
    tx,
    target,
    pins.map(({ nativeId }) => nativeId),
  )
  const others = await pinEntitlements(tx, pins)
  const results = told.map(({ question, found, keptBy }) => {
    const strange =
      found !== null && (question.native_id === null ? others.has(question.id) : found !== question.native_id)
    return { question, found, keptBy, contestedBy: strange ? found : null }
  })
  await saveAnswers(tx, results.map(answered))
  for (const { question, contestedBy } of results) {
    const key = `entitlement:${question.id}`
    if (contestedBy !== null)
      await openFindingOnce(tx, {
        kind: changedIdentity,
        key,
        urgent: false,
        identityId: null,
        detail: { target, entitlement: question.id, pinned: question.native_id, named: contestedBy },
      })
    else if (question.contested_by !== null) await closeFinding(tx, changedIdentity, key)
  }
  return results.flatMap(({ question, found, contestedBy }) => {
    const pinned = question.native_id === null && found !== null && contestedBy === null
    if (!pinned && !question.unsure && contestedBy === question.contested_by) return []
    const { id, native_id } = question
    return [
      auditEntry(
        'entitlement-resolved',
        now,
        { entitlementId: id },
        {
          entitlement: id,
          target,
          before: { native: native_id, contestedBy: question.contested_by },
          after: { native: pinned ? found : native_id, contestedBy },
          found,
          merged: pinned ? (twins.get(found) ?? null) : null,
        },
      ),
    ]
  })
}

const changedIdentity = 'entitlement-changed-identity'

const answered = ({
  question,
  found,
  keptBy,
  contestedBy,
}: Told & { readonly contestedBy: string | null }): EntitlementAnswer => ({
  id: question.id,
  contestedBy,
  // Of another thing under its name nothing is known of this one.
  keptBy: contestedBy === null ? keptBy : null,
  againMs: contestedBy === null && found !== null ? againMs.settled : againMs.open,
})

/** Only while grants wait for it: what was settled once is asked again quietly. */
const reportFailed = async (
  tx: Transaction,
  target: string,
  failed: readonly { readonly question: EntitlementQuestion; readonly cause: string }[],
): Promise<void> => {
  const [first] = failed.filter(({ question }) => question.unsure)
  if (first === undefined) return await closeFinding(tx, 'entitlement-unresolved', target)
  await openFindingOnce(tx, {
    kind: 'entitlement-unresolved',
    key: target,
    urgent: false,
    identityId: null,
    detail: { target, entitlement: first.question.id, cause: first.cause },
  })
}
