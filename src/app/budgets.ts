import { type Bucket, type Budget, floorOf } from '../connectors/budget.ts'
import type { Lane } from '../domain/action.ts'
import { closeBucket, draw, occupy, renew, vacate } from '../store/budget.ts'
import type { Queryable } from '../store/database.ts'
import { gatherDraws } from './gather-draws.ts'

/** The budget of one target as one lane draws from it. */
export const targetBudget = (db: Queryable, target: string, lane: Lane): Budget => {
  const floor = (bucket: Bucket) => floorOf(bucket, lane)
  const take: Budget['take'] = (draws) =>
    draw(
      db,
      target,
      draws.map(({ bucket, units }) => ({ bucket, units, floor: floor(bucket) })),
    )
  return {
    take: gatherDraws(take, floor),
    ...placesOf(db, target),
  }
}

const placesOf = (db: Queryable, target: string): Omit<Budget, 'take'> => ({
  close: (bucket, forMs) => closeBucket(db, target, bucket, forMs),
  occupy: (places, forMs) => occupy(db, target, places, forMs),
  renew: (id, forMs) => renew(db, target, id, forMs),
  vacate: (id) => vacate(db, target, id),
})
