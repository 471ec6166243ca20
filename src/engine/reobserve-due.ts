import type { TargetId } from '../domain/ids.ts'
import { errorFields } from '../log.ts'
import { isContended, isUnavailable } from '../store/database.ts'
import { reobservedTargets, takeReobservation } from '../store/reobservations.ts'
import type { Engine } from './engine.ts'
import { type Late, readAgainLater, reobserve } from './reobserve.ts'

/** Of one target in one turn. */
const atOnce = 50

/** Targets whose late outcomes are being read now. */
export type Reobserving = Map<string, Promise<void>>

/**
 * Begins to read what earlier reads could not tell, and what a worker left behind that died between its rejection and its
 * read; who wants to know when that is done waits for `reading`. Targets side by side, and one that does not answer keeps
 * nobody: neither another target, nor the rest of the sweep.
 */
export const reobserveDue = async (engine: Engine, reading: Reobserving): Promise<void> => {
  for (const target of await reobservedTargets(engine.db)) {
    if (reading.has(target)) continue
    reading.set(
      target,
      reobserveTarget(engine, target)
        .catch((error: unknown) =>
          engine.log.error({ target, ...errorFields(error) }, 'late outcomes of a target could not be read'),
        )
        .finally(() => reading.delete(target)),
    )
  }
}

/**
 * One after the other: a target that told nothing of anybody is not asked for the next, which goes first in the next turn. One that
 * cannot be read or recorded counts a try and stops no other; only without a database there is nothing to do.
 */
const reobserveTarget = async (engine: Engine, target: string): Promise<void> => {
  for (let read = 0; read < atOnce; read++) {
    const taken = await takeReobservation(engine.db, target, engine.settings.leaseMs)
    if (taken === null) return
    const late: Late = { ...taken, target: target as TargetId }
    try {
      // muster.yaml does not name it any more: told.
      if (!engine.connectors.has(late.target)) await engine.db.transaction((tx) => readAgainLater(tx, late))
      else if (!(await reobserve(engine, late))) return
    } catch (error) {
      if (isUnavailable(error) && !isContended(error)) throw error
      engine.log.error({ ...late, ...errorFields(error) }, 'a late outcome could not be read: the others go on')
      await engine.db
        .transaction((tx) => readAgainLater(tx, late))
        .catch((second: unknown) => engine.log.error(errorFields(second), 'a try of it could not be counted'))
    }
  }
}
