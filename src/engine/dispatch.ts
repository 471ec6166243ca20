import type { Lane } from '../domain/action.ts'
import { createDispatches } from '../store/create-dispatches.ts'
import type { Transaction } from '../store/database.ts'
import type { DispatchRef } from '../store/dispatches.ts'
import type { Engine } from './engine.ts'
import { giveWay } from './give-way.ts'
import { guard } from './guard.ts'

/**
 * Actions of one leaver dispatch, in calls of the target (LDAP: 2,000): leavers wait for none to come together, only behind
 * one that is queued already.
 */
const leaverCalls = 4
/** Actions that one pass looks at, the oldest: some 30 µs each. */
const mostActions = 20_000
const mostWhileLeaversCome = 6_000

/**
 * Groups what is ready in a lane into dispatches, past the guard. The rows are the truth: putting them on a queue comes
 * after the commit, and the sweeper repairs its loss.
 */
export const dispatch = async (engine: Engine, lane: Lane): Promise<readonly DispatchRef[]> => {
  const most = (await giveWay(engine, lane)) ? mostWhileLeaversCome : mostActions
  return await engine.db.transaction((tx) => dispatchIn(engine, tx, lane, most))
}

/** The same in a transaction of the caller's. */
export const dispatchIn = async (
  engine: Engine,
  tx: Transaction,
  lane: Lane,
  most = mostActions,
): Promise<readonly DispatchRef[]> => {
  const { held, passing, counted } = await guard(engine, tx, lane)
  await engine.settings.pause?.('dispatch:guarded')
  const sizes = Object.fromEntries(
    engine.targets.map(({ id, batchSize }) => [
      id,
      lane === 'leaver' ? batchSize * leaverCalls : Math.min(engine.settings.dispatchBatch, batchSize),
    ]),
  )
  return createDispatches(tx, lane, { sizes, most }, held, passing, counted)
}
