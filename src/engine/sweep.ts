import { errorFields } from '../log.ts'
import { appendAudit } from '../store/audit-log.ts'
import { isContended, isUnavailable } from '../store/database.ts'
import {
  type DispatchRef,
  dispatchedActions,
  expiredLeases,
  finishDispatch,
  lockExpired,
  requeue,
} from '../store/dispatches.ts'
import { closeResolved, openFinding } from '../store/findings.ts'
import { goAgainDue } from '../store/go-again.ts'
import { deletionsToDrop, expireActions, overdueActions } from '../store/outcomes.ts'
import { unparkDue } from '../store/parked.ts'
import { refreshStatistics } from '../store/statistics.ts'
import { leaversNeglected } from '../store/work-queue.ts'
import { faultFields } from './blame.ts'
import type { Engine } from './engine.ts'
import { evaluate } from './evaluate.ts'
import { expiredEntry } from './outcome-entry.ts'
import { planAsLeft } from './plan-anew.ts'
import { recheck } from './recheck.ts'
import { type Reobserving, reobserveDue } from './reobserve-due.ts'
import { resolveEntitlements } from './resolve-entitlements.ts'

export type Swept = { readonly requeue: readonly DispatchRef[]; readonly expired: number; readonly overdue: number }

/** How long a queued dispatch may stay unclaimed before its job counts as lost, ms. */
const lostAfterMs = { leaver: 5_000, bulk: 60_000 } as const

const neglectedAfterMs = 2_000

/**
 * The net under the queues: lost jobs get a new number, expired leases become unknown actions that are read back, open
 * actions beyond their deadline become findings, and findings of what is no longer so are closed. Each part by itself; any
 * number of sweepers may run. `reading`: what is read of late outcomes goes on in it, beside this turn and the next ones;
 * without it, this turn ends when that does.
 */
export const sweep = async (engine: Engine, reading?: Reobserving): Promise<Swept> => {
  const step = <T>(name: string, work: () => Promise<T>, otherwise: T) => alone(engine, name, work, otherwise)
  const over = await step('expired-leases', () => expiredLeases(engine.db, 500), [])
  let expired = 0
  for (const { id } of over) expired += await step(`dispatch:${id}`, () => expire(engine, id), 0)
  const lost: DispatchRef[] = []
  for (const lane of ['leaver', 'bulk'] as const)
    lost.push(...(await step(`requeue-${lane}`, () => requeue(engine.db, lane, lostAfterMs[lane]), [])))
  if (lost.length > 0)
    engine.log.warn({ dispatches: lost.length }, 'queued dispatches were never claimed: put on the queue again')
  if (expired > 0) for (const lane of ['leaver', 'bulk'] as const) engine.nudge('dispatch', lane)
  await step('recheck', () => recheck(engine), undefined)
  await step('plans-as', () => planAsLeft(engine), undefined)
  await step('parked', () => retryParked(engine), undefined)
  await step('parked-away', () => goAgain(engine), undefined)
  await step('neglected-leavers', () => evaluateNeglected(engine), undefined)
  await step('deletions', () => dropUnwantedDeletions(engine), undefined)
  const late: Reobserving = reading ?? new Map()
  await step('reobserve', () => reobserveDue(engine, late), undefined)
  await step('entitlements', () => resolveEntitlements(engine), undefined)
  await step('statistics', () => refreshStatistics(engine.db), 0)
  await step('findings', () => closeResolved(engine.db), 0)
  const overdue = await step('overdue', () => reportOverdue(engine), 0)
  if (reading === undefined) await Promise.all(late.values())
  return { requeue: lost, expired, overdue }
}

/** One part of the net that tears must not let fall what the others catch. Only without a database there is nothing to do. */
const alone = async <T>(engine: Engine, name: string, work: () => Promise<T>, otherwise: T): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    if (isUnavailable(error) && !isContended(error)) throw error
    engine.log.error({ step: name, ...errorFields(error) }, 'a part of the sweep failed: the others go on')
    await openFinding(engine.db, {
      kind: 'sweep-failed',
      key: name,
      urgent: true,
      identityId: null,
      detail: faultFields(error),
    }).catch((second: unknown) => engine.log.error(errorFields(second), 'a finding could not be written'))
    return otherwise
  }
}

/** Whose evaluation failed is tried again after a pause: what was wrong may be mended, and time may have ended an access. */
const retryParked = async (engine: Engine): Promise<void> => {
  if ((await unparkDue(engine.db)) > 0) for (const lane of ['leaver', 'bulk'] as const) engine.nudge('evaluate', lane)
}

/** What leavers must lose was refused for what their target was like: it may have changed. */
const goAgain = async (engine: Engine): Promise<void> => {
  if ((await goAgainDue(engine.db, 500)) > 0) engine.nudge('dispatch', 'leaver')
}

/** muster.yaml wants them no more: whoever they are about is evaluated, and the plan drops them. */
const dropUnwantedDeletions = async (engine: Engine): Promise<void> => {
  const targets = engine.targets.flatMap(({ id, deleteAfterMs }) => (deleteAfterMs === null ? [id] : []))
  if ((await deletionsToDrop(engine.db, targets)) > 0) engine.nudge('evaluate', 'leaver')
}

/** Leavers that their own lane has left waiting: its thread may be gone. */
const evaluateNeglected = async (engine: Engine): Promise<void> => {
  while (await leaversNeglected(engine.db, neglectedAfterMs))
    if ((await evaluate(engine, 'leaver')).evaluated === 0) return
}

/** Its worker is gone or a zombie: what it did is unknown, and read back before anything else. */
const expire = (engine: Engine, id: number): Promise<number> =>
  engine.db.transaction(async (tx) => {
    const dispatch = await lockExpired(tx, id)
    if (dispatch === null) return 0
    const actions = await dispatchedActions(tx, id)
    await expireActions(
      tx,
      actions.map((action) => action.id),
    )
    await finishDispatch(tx, id, 'expired')
    await appendAudit(
      tx,
      dispatch.now,
      actions.map((action) => expiredEntry(dispatch.now, { dispatch: id, target: dispatch.target as never }, action)),
    )
    engine.log.warn(
      { dispatch: id, target: dispatch.target, actions: actions.length },
      'a lease ran out: its actions are read back',
    )
    return 1
  })

const reportOverdue = async (engine: Engine): Promise<number> => {
  const overdue = await overdueActions(engine.db, 200)
  if (overdue.length === 0) return 0
  await engine.db.transaction(async (tx) => {
    for (const { id, identity_id, lane, kind, target } of overdue)
      await openFinding(tx, {
        kind: 'action-overdue',
        key: `action:${id}`,
        urgent: lane === 'leaver',
        identityId: identity_id,
        detail: { target, kind, lane },
      })
  })
  return overdue.length
}
