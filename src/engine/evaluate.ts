import { setImmediate } from 'node:timers/promises'
import type { Lane, NewAction } from '../domain/action.ts'
import { errorFields } from '../log.ts'
import { type ActionRow, insertActions, restamp, supersede } from '../store/actions.ts'
import { appendAudit } from '../store/audit-log.ts'
import { isUnavailable, type Transaction } from '../store/database.ts'
import { saveDesired } from '../store/desired.ts'
import { type EvaluationFacts, loadFacts } from '../store/evaluation-facts.ts'
import { openFinding } from '../store/findings.ts'
import { adoptFound } from '../store/grants.ts'
import { closeHolds, openHolds } from '../store/holds.ts'
import { targetModes } from '../store/targets.ts'
import { type DueIdentity, lockDue, lockDueOf, lockOpenWork, parkIdentity, saveEvaluated } from '../store/work-queue.ts'
import { decisionEntry, isTold } from './decision-entry.ts'
import type { Engine } from './engine.ts'
import { type Judged, judge } from './judge.ts'
import type { ActivePolicy } from './policy-book.ts'

/** No batch holds the event loop for longer, ms: ingest shares it. */
const turnMs = 3

export type Evaluated = { readonly evaluated: number; readonly more: boolean }

/**
 * What is to be done in the same transaction as an evaluation, after it; a deadlock repeats both. `undone`: whatever was
 * done so far has not committed, because that transaction failed, or is only beginning.
 */
export type Also = {
  readonly work: (tx: Transaction, evaluated: number) => Promise<void>
  readonly undone: () => void
}

/**
 * Evaluates one batch of a lane: identities with work due, the longest due first, in one transaction. An identity whose
 * evaluation throws is parked as a finding; the others of its batch go on.
 */
export const evaluate = async (engine: Engine, lane: Lane, also?: Also): Promise<Evaluated> => {
  const limit = engine.settings.evaluateBatch
  let taken: readonly number[] = []
  try {
    const evaluated = await engine.db.transaction(async (tx) => {
      also?.undone()
      const due = await lockDue(tx, lane, limit)
      taken = due.map(({ id }) => id)
      const done = await evaluateLocked(engine, tx, due)
      if (done > 0) await also?.work(tx, done)
      return done
    })
    return { evaluated, more: evaluated >= limit }
  } catch (error) {
    also?.undone()
    if (isUnavailable(error) || taken.length === 0) throw error
    engine.log.warn({ ...errorFields(error), batch: taken.length }, 'a batch of evaluations failed: bisecting it')
    await bisect(engine, taken)
    return { evaluated: taken.length, more: true }
  }
}

const bisect = async (engine: Engine, ids: readonly number[]): Promise<void> => {
  const middle = Math.ceil(ids.length / 2)
  for (const half of ids.length === 1 ? [ids] : [ids.slice(0, middle), ids.slice(middle)])
    try {
      await engine.db.transaction(async (tx) => evaluateLocked(engine, tx, await lockDueOf(tx, half)))
    } catch (error) {
      if (isUnavailable(error)) throw error
      if (half.length > 1) await bisect(engine, half)
      else await engine.db.transaction((tx) => park(engine, tx, half[0] as number, error))
    }
}

const park = async (engine: Engine, tx: Transaction, id: number, error: unknown): Promise<void> => {
  const { error: name, at } = errorFields(error)
  engine.log.error(
    { identity: id, ...errorFields(error) },
    'evaluation of an identity failed: it is parked, its grants are stopped',
  )
  await parkIdentity(tx, id, `${name}${at === undefined ? '' : ` at ${at}`}`)
  await openFinding(tx, {
    kind: 'evaluation-failed',
    key: `identity:${id}`,
    urgent: true,
    identityId: id,
    detail: { error: String(name), at: String(at ?? '') },
  })
}

const evaluateLocked = async (engine: Engine, tx: Transaction, due: readonly DueIdentity[]): Promise<number> => {
  if (due.length === 0) return 0
  const ids = due.map(({ id }) => id)
  const locking = lockOpenWork(tx, ids)
  tx.defer(locking)
  if (engine.settings.pause !== undefined) await locking
  await engine.settings.pause?.('evaluate:locked')
  // Sent together, run in this order. The policy is read after the identities were locked: one that became active
  // before has already made them due again.
  const [policy, facts, modes] = await Promise.all([engine.policies.current(tx), loadFacts(tx, ids), targetModes(tx)])
  const context = {
    policy,
    targets: engine.targets.map((target) => ({ ...target, mode: modes.get(target.id) ?? ('observe' as const) })),
    connectors: engine.connectors,
  }
  const factsOf = new Map(facts.map((fact) => [fact.id, fact]))
  const judged: Judged[] = []
  let since = performance.now()
  for (const identity of due) {
    if (performance.now() - since > turnMs) {
      await setImmediate()
      since = performance.now()
    }
    try {
      judged.push(judge(identity, factsOf.get(identity.id) as EvaluationFacts, context))
    } catch (error) {
      await park(engine, tx, identity.id, error)
    }
  }
  await save(engine, tx, policy, judged)
  await engine.settings.pause?.('evaluate:saved')
  return due.length
}

const save = async (
  engine: Engine,
  tx: Transaction,
  policy: ActivePolicy,
  judged: readonly Judged[],
): Promise<void> => {
  const first = judged[0]
  if (first === undefined) return
  const at = first.identity.now
  const told = judged.filter(isTold)
  const decisions = await engine.ids.decision.take(told.length)
  const actionIds = await engine.ids.action.take(told.reduce((sum, { plan }) => sum + plan.create.length, 0))
  let nextAction = 0
  const created = told.map(({ plan }) =>
    plan.create.map((action) => ({ ...action, id: actionIds[nextAction++] as number })),
  )

  const changed = judged.filter(({ planChanged }) => planChanged)
  tx.defer(
    supersede(
      tx,
      at,
      changed.flatMap(({ plan }) => plan.supersede),
    ),
  )
  tx.defer(
    restamp(
      tx,
      changed.flatMap(({ plan, planVersion }) => plan.keep.map((kept) => ({ ...kept, id: kept.action, planVersion }))),
    ),
  )
  tx.defer(
    insertActions(
      tx,
      at,
      told.flatMap((one, index) =>
        (created[index] ?? []).map((action) => row(engine, one, decisions[index] as number, action)),
      ),
    ),
  )
  const desired = judged.filter((one) => one.desired !== null)
  tx.defer(
    saveDesired(
      tx,
      at,
      desired.map(({ identity, desired: next }) => ({
        identity: identity.id,
        assignments: next?.assignments ?? '[]',
        entitlements: next?.entitlements ?? [],
      })),
      desired.filter(({ hadDesired }) => hadDesired).map(({ identity }) => identity.id),
    ),
  )
  tx.defer(
    openHolds(
      tx,
      at,
      judged.flatMap(({ identity, holdsToOpen }) => holdsToOpen.map((hold) => ({ identity: identity.id, ...hold }))),
    ),
  )
  tx.defer(
    closeHolds(
      tx,
      at,
      judged.flatMap(({ holdsToClose }) => holdsToClose),
    ),
  )
  tx.defer(
    adoptFound(
      tx,
      judged.flatMap(({ identity, adopt }) => adopt.map((entitlement) => ({ identity: identity.id, entitlement }))),
    ),
  )
  tx.defer(saveEvaluated(tx, policy.version, judged.map(evaluatedRow)))
  // Seen after the evaluation is stamped: an older one is over (store/findings: closeResolved).
  for (const { identity, decision } of judged)
    for (const violation of decision.violations.filter(({ exception }) => exception === null))
      await openFinding(tx, {
        kind: 'sod-violation',
        key: `${identity.subject_ref}:${violation.policy}`,
        urgent: false,
        identityId: identity.id,
        detail: { policy: violation.policy },
      })
  for (const { identity, unexplained } of judged)
    for (const entitlement of unexplained)
      await openFinding(tx, {
        kind: 'grant-unexplained',
        key: `${identity.subject_ref}:${entitlement}`,
        urgent: false,
        identityId: identity.id,
        detail: { entitlement },
      })
  tx.defer(
    appendAudit(
      tx,
      at,
      told.map((one, index) => decisionEntry(one, decisions[index] as number, created[index] ?? [], policy)),
    ),
  )
}

const row = (
  engine: Engine,
  { identity, planVersion, endedAt }: Judged,
  decision: number,
  action: Judged['plan']['create'][number] & { id: number },
): ActionRow => ({
  ...action,
  identity: identity.id,
  planVersion,
  decision,
  state: action.afterRevokeOf.length > 0 ? 'waiting' : 'ready',
  deadline:
    action.lane === 'leaver'
      ? Math.max(endedAt ?? identity.now, identity.last_appended_at ?? 0) + engine.settings.leaverSloMs
      : identity.now + patienceMs(engine, action),
  inverseOf: action.reason.kind === 'inverse-of-claimed' ? action.reason.action : null,
})

/** What needs an account that something else makes has the time that its maker has. */
const patienceMs = ({ targets, settings }: Engine, { target, account }: NewAction): number => {
  const rules = targets.find(({ id }) => id === target)
  return account === null && rules?.accounts === 'expect' ? rules.expectWithinMs : settings.bulkDeadlineMs
}

const evaluatedRow = (one: Judged) => ({
  id: one.identity.id,
  workDueAt: one.workDueAt,
  lane: one.lane,
  eventsFolded: one.identity.events_seen,
  planVersion: one.planVersion,
  lifecycle: one.at.lifecycle,
  leaver: one.at.leaver,
  endedAt: one.endedAt,
  urgent: one.urgent,
  profile: one.profile,
})
