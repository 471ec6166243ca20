import { setImmediate } from 'node:timers/promises'
import type { Lane } from '../domain/action.ts'
import { errorFields } from '../log.ts'
import { isTimeout, isUnavailable, type Transaction } from '../store/database.ts'
import { type EvaluationFacts, loadFacts } from '../store/evaluation-facts.ts'
import { openFinding } from '../store/findings.ts'
import { parkIdentity } from '../store/parked.ts'
import { targetRows } from '../store/targets.ts'
import { type DueIdentity, lockDue, lockDueBeside, lockDueOf, lockOpenWork } from '../store/work-queue.ts'
import { blameSystem, faultFields, isServerFault, isSystemFault } from './blame.ts'
import type { Engine } from './engine.ts'
import { giveWay } from './give-way.ts'
import { judge } from './judge.ts'
import type { Judged } from './judged.ts'
import { tellOtherPlans } from './plan-anew.ts'
import { saveEvaluation } from './save-evaluation.ts'

/** Leavers in one batch, by those of a bulk batch: who leaves together is taken out of each group together. */
const leaversShare = 2.5
/** A bulk batch while leavers come and go: what has begun when one arrives, that one waits for. */
const smallShare = 0.5

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
 * evaluation fails while others succeed is parked as a finding; the others of its batch go on. When nobody can be
 * evaluated, it is the system: nobody is parked, one finding is opened, and the caller gets the error.
 */
export const evaluate = async (engine: Engine, lane: Lane, also?: Also): Promise<Evaluated> => {
  const small = await giveWay(engine, lane)
  const share = lane === 'leaver' ? leaversShare : small ? smallShare : 1
  const limit = Math.ceil(engine.settings.evaluateBatch * share)
  let taken: readonly number[] = []
  try {
    const evaluated = await engine.db.transaction(async (tx) => {
      also?.undone()
      const due = await lockDue(tx, lane, limit)
      taken = due.map(({ id }) => id)
      const { failed } = await evaluateLocked(engine, tx, due)
      const [first] = failed
      if (first !== undefined && failed.length === due.length && failed.length > 1) throw first.error
      for (const one of failed) await park(engine, tx, one)
      if (due.length > 0) await also?.work(tx, due.length)
      return due.length
    })
    return { evaluated, more: evaluated >= limit }
  } catch (error) {
    also?.undone()
    if (taken.length === 0 || (isUnavailable(error) && !isTimeout(error))) throw error
    if (isSystemFault(error)) return await reportSystemFault(engine, lane, error)
    engine.log.warn({ ...errorFields(error), batch: taken.length }, 'a batch of evaluations failed: bisecting it')
    await findFailing(engine, lane, taken)
    return { evaluated: taken.length, more: true }
  }
}

/** Evaluates the good ones of a batch that failed, and parks the others if it is theirs. */
const findFailing = async (engine: Engine, lane: Lane, ids: readonly number[]): Promise<void> => {
  const { evaluated, failed } = await bisect(engine, ids, { timeouts: 0 }).catch((error: unknown) =>
    isSystemFault(error) ? reportSystemFault(engine, lane, error) : Promise.reject(error),
  )
  const [first] = failed
  if (first === undefined) return
  if (evaluated === 0 && ids.length > 1 && !(await othersGo(engine, ids)))
    return await reportSystemFault(engine, lane, first.error)
  await engine.db.transaction(async (tx) => {
    for (const one of failed) if (!isServerFault(one.error)) await park(engine, tx, one)
  })
  const server = failed.find(({ error }) => isServerFault(error))
  if (server !== undefined) await reportSystemFault(engine, lane, server.error)
}

type Failed = { readonly id: number; readonly error: unknown }
type Tried = { readonly evaluated: number; readonly failed: readonly Failed[] }

/** A wait for somebody's lock times out for everybody: then it is not told apart to the last identity. */
const mostTimeouts = 8

const bisect = async (engine: Engine, ids: readonly number[], patience: { timeouts: number }): Promise<Tried> => {
  const tried: Tried[] = []
  const middle = Math.ceil(ids.length / 2)
  for (const half of ids.length === 1 ? [ids] : [ids.slice(0, middle), ids.slice(middle)])
    try {
      tried.push(await engine.db.transaction(async (tx) => evaluateLocked(engine, tx, await lockDueOf(tx, half))))
      patience.timeouts = 0
    } catch (error) {
      if (isSystemFault(error) || (isUnavailable(error) && !isTimeout(error))) throw error
      if (isTimeout(error) && ++patience.timeouts > mostTimeouts) throw error
      const [id] = half
      if (half.length > 1) tried.push(await bisect(engine, half, patience))
      else if (id !== undefined) tried.push({ evaluated: 0, failed: [{ id, error }] })
    }
  return {
    evaluated: tried.reduce((sum, { evaluated }) => sum + evaluated, 0),
    failed: tried.flatMap(({ failed }) => failed),
  }
}

/** A whole batch failed: is there somebody beside it who can be evaluated? A full batch of poison must not stop the rest. */
const othersGo = async (engine: Engine, tried: readonly number[]): Promise<boolean> => {
  try {
    const { evaluated } = await engine.db.transaction(async (tx) =>
      evaluateLocked(engine, tx, await lockDueBeside(tx, tried, 1)),
    )
    return evaluated > 0
  } catch (error) {
    if (isUnavailable(error)) throw error
    return false
  }
}

const park = async (engine: Engine, tx: Transaction, { id, error }: Failed): Promise<void> => {
  const { error: name, at } = faultFields(error)
  engine.log.error(
    { identity: id, ...errorFields(error) },
    'evaluation of an identity failed: it is parked, its grants are stopped',
  )
  await parkIdentity(tx, id, `${name}${at === '' ? '' : ` at ${at}`}`)
  await openFinding(tx, {
    kind: 'evaluation-failed',
    key: `identity:${id}`,
    urgent: true,
    identityId: id,
    detail: { error: name, at },
  })
}

/** Nobody is to blame: told once, urgently, for no leaver is seen to meanwhile. Whoever called tries again after a pause. */
const reportSystemFault = async (engine: Engine, lane: Lane, error: unknown): Promise<never> => {
  engine.log.error({ lane, ...faultFields(error) }, 'nobody can be evaluated: trying again')
  await openFinding(engine.db, {
    kind: 'evaluation-impossible',
    key: `lane:${lane}`,
    urgent: true,
    identityId: null,
    detail: faultFields(error),
  }).catch((second: unknown) => engine.log.error(errorFields(second), 'a finding could not be written'))
  throw error
}

const evaluateLocked = async (engine: Engine, tx: Transaction, due: readonly DueIdentity[]): Promise<Tried> => {
  if (due.length === 0) return { evaluated: 0, failed: [] }
  const ids = due.map(({ id }) => id)
  const locking = lockOpenWork(tx, ids)
  tx.defer(locking)
  if (engine.settings.pause !== undefined) await locking
  await engine.settings.pause?.('evaluate:locked')
  // Sent together, run in this order. The policy is read after the identities were locked: one that became active
  // before has already made them due again.
  const [policy, facts, rows] = await Promise.all([
    engine.policies.current(tx).catch(blameSystem),
    loadFacts(tx, ids),
    targetRows(tx),
  ])
  const context = {
    policy,
    targets: engine.targets.map((target) => ({ ...target, mode: rows.get(target.id)?.mode ?? ('observe' as const) })),
    connectors: engine.connectors,
  }
  const changedAt = new Map([...rows].map(([id, row]) => [id, row.changedAt]))
  const factsOf = new Map(facts.map((fact) => [fact.id, fact]))
  const judged: Judged[] = []
  const failed: Failed[] = []
  let since = performance.now()
  for (const identity of due) {
    if (performance.now() - since > turnMs) {
      await setImmediate()
      since = performance.now()
    }
    try {
      judged.push(judge(identity, factsOf.get(identity.id) as EvaluationFacts, context))
    } catch (error) {
      failed.push({ id: identity.id, error })
    }
  }
  await saveEvaluation(engine, tx, policy, judged, changedAt)
  await tellOtherPlans(tx, engine.targets, rows)
  await engine.settings.pause?.('evaluate:saved')
  return { evaluated: judged.length, failed }
}
