import { type Budget, floorOf } from '../connectors/budget.ts'
import type { Lane } from '../domain/action.ts'
import { closeBucket, draw, occupy, vacate } from '../store/budget.ts'
import type { Queryable } from '../store/database.ts'

/** The budget of one target as one lane draws from it. */
export const targetBudget = (db: Queryable, target: string, lane: Lane): Budget => ({
  take: (draws) =>
    draw(
      db,
      target,
      draws.map(({ bucket, units }) => ({ bucket, units, floor: floorOf(bucket, lane) })),
    ),
  close: (bucket, forMs) => closeBucket(db, target, bucket, forMs),
  occupy: (places, forMs) => occupy(db, target, places, forMs),
  vacate: (id) => vacate(db, target, id),
})
