import type { Engine } from '../engine/engine.ts'
import { isOutage } from '../engine/outage.ts'
import { errorFields } from '../log.ts'
import { pause } from './pause.ts'
import type { EngineVerbs } from './verbs.ts'

export type ProvisionContext = { readonly engine: Engine; readonly verbs: EngineVerbs; readonly signal: AbortSignal }

const firstPauseMs = 200
const longestPauseMs = 5_000

/**
 * Provisions one dispatch and outlasts an outage of the database: the job would be lost otherwise, and its people wait
 * for the sweeper. Any other failure is told and left to the sweeper, which finds the lease expired.
 */
export const provisionUntilDone = async (
  { engine, verbs, signal }: ProvisionContext,
  dispatch: number,
): Promise<void> => {
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      return await verbs.provision(engine, dispatch)
    } catch (error) {
      if (!isOutage(error)) {
        engine.log.error(
          { dispatch, ...errorFields(error) },
          'a dispatch failed in an unforeseen way: the sweeper takes it up again',
        )
        return
      }
      await pause(Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(attempt, 10)), signal)
    }
  }
}
