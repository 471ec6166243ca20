import type { Config } from '../config.ts'
import { answering } from '../connectors/answering.ts'
import { boundless } from '../connectors/budget.ts'
import { atOnce, type Connector, type ConnectorTools, type Manifest } from '../connectors/connector.ts'
import { protecting } from '../connectors/protecting.ts'
import { settingsOf, typeOf } from '../connectors/registry.ts'
import type { TargetId } from '../domain/ids.ts'
import type { TargetSettings } from '../engine/engine.ts'
import type { Queryable } from '../store/database.ts'
import { targetBudget } from './budgets.ts'
import { planningHash } from './planning-hash.ts'

/** By the one line of its type in connectors/registry.ts; behind what all connectors stand behind. */
export const createConnector = async (target: Config['targets'][number], tools: ConnectorTools): Promise<Connector> => {
  const bare = await typeOf(target).create(target.id as TargetId, settingsOf(target), tools)
  return protecting(answering(bare), target.protect)
}

/** For a command that a human gave. Without a database nothing counts its calls: for a handful of them only. */
export const connectorByHand = (target: Config['targets'][number], db: Queryable | null): Promise<Connector> =>
  createConnector(target, {
    lane: 'bulk',
    giveWay: atOnce,
    budget: db === null ? boundless : targetBudget(db, target.id, 'bulk'),
    now: Date.now,
  })

/** What can be said of it without a connection. */
export const manifestOf = (target: Config['targets'][number]): Manifest => typeOf(target).manifest(settingsOf(target))

export const targetSettings = (target: Config['targets'][number]): TargetSettings => {
  const { id, accounts, leaver, expectWithin, reconcile, protect, guard } = target
  const { batchSize, disable, endSessions, deleteAccount } = manifestOf(target)
  const rules = {
    id: id as TargetId,
    disable,
    endSessions,
    deleteAfterMs: deleteAccount === 'none' ? null : leaver.deleteAfter,
    accounts,
    leaverUnmanaged: leaver.unmanaged,
    protect,
  }
  return {
    ...rules,
    batchSize,
    expectWithinMs: expectWithin,
    reconcileEveryMs: reconcile.every,
    guard: { ...guard, windowMs: guard.window },
    planningHash: planningHash(target, rules),
  }
}
