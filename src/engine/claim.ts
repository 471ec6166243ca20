import { randomUUID } from 'node:crypto'
import { auditEntry } from '../audit/entry.ts'
import type { Lane } from '../domain/action.ts'
import type { TargetId } from '../domain/ids.ts'
import { appendAudit } from '../store/audit-log.ts'
import type { Transaction } from '../store/database.ts'
import {
  type DispatchedAction,
  dispatchedActions,
  leaseDispatch,
  lockQueued,
  returnToReady,
} from '../store/dispatches.ts'
import type { Engine } from './engine.ts'
import { rulesOf } from './rules-of.ts'

export type ClaimedAction = DispatchedAction & {
  /** observe: may not be done any more, but its last result is unknown and must become known. */
  readonly mode: 'apply' | 'observe'
}

/** A dispatch that is ours until the lease ends. Its attempt stands in the audit before the first call. */
export type Claim = {
  readonly dispatch: number
  readonly target: TargetId
  readonly lane: Lane
  readonly token: string
  /** By the database's clock, ms. */
  readonly claimedAt: number
  readonly actions: readonly ClaimedAction[]
}

/** null: somebody else has it, it is over, or nothing of it may go out now. Safe to call any number of times. */
export const claim = async (engine: Engine, id: number): Promise<Claim | null> => {
  const claimed = await engine.db.transaction((tx) => claimIn(engine, tx, id))
  // Whoever gathered behind it while it was queued may go now.
  if (claimed?.lane === 'leaver') engine.nudge('dispatch', 'leaver')
  return claimed
}

/** The same in a transaction of the caller's: the claim is ours when that has committed. */
export const claimIn = async (engine: Engine, tx: Transaction, id: number): Promise<Claim | null> => {
  // Sent together: the second statement runs, with a snapshot of its own, when the first has got its lock.
  const locking = lockQueued(tx, id)
  if (engine.settings.pause !== undefined) await locking
  await engine.settings.pause?.('claim:locked')
  const [dispatch, found] = await Promise.all([locking, dispatchedActions(tx, id)])
  if (dispatch === null) return null
  const actions = found
    .map((action) => ({ ...action, may_go: action.may_go && !isUnwantedDeletion(engine, dispatch.target, action) }))
    .filter((action) => action.may_go || action.unknown)
    .map((action): ClaimedAction => ({ ...action, mode: action.may_go ? 'apply' : 'observe' }))
  tx.defer(
    returnToReady(
      tx,
      found.flatMap(({ id }) => (actions.some((action) => action.id === id) ? [] : [id])),
    ),
  )
  const token = actions.length === 0 ? null : randomUUID()
  tx.defer(leaseDispatch(tx, id, token, engine.settings.leaseMs))
  if (token === null) return null
  const target = dispatch.target as TargetId
  tx.defer(
    appendAudit(tx, dispatch.now, [
      auditEntry(
        'attempt',
        dispatch.now,
        { dispatchId: id },
        {
          dispatch: id,
          target,
          lane: dispatch.lane,
          actor: { type: 'engine' },
          operations: actions.map((a) => ({
            action: a.id,
            kind: a.kind,
            entitlement: a.entitlement_id,
            attempt: a.attempts + 1,
            mode: a.mode,
          })),
        },
      ),
    ]),
  )
  await engine.settings.pause?.('claim:read')
  return { dispatch: id, target, lane: dispatch.lane, token, claimedAt: dispatch.now, actions }
}

/** muster.yaml has changed its mind since it was planned: it is ready, and stays so until a plan drops it. */
const isUnwantedDeletion = (engine: Engine, target: string, { kind }: DispatchedAction): boolean =>
  kind === 'deleteAccount' && (rulesOf(engine, target as TargetId)?.deleteAfterMs ?? null) === null
