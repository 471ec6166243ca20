/** Time that passes faster than ours, for buckets that take minutes to show what they let through. */
import type { Budget } from '../../src/connectors/budget.ts'
import { createLocalBudget, createLocalStore } from '../../src/connectors/local-budget.ts'
import type { Lane } from '../../src/domain/action.ts'

export type ScaledTime = {
  readonly speed: number
  /** ms of that time; never goes back. */
  readonly now: () => number
  /** A budget in that time, which tells waits in ours. */
  readonly budget: (lane: Lane) => Budget
}

export const scaledTime = (speed: number): ScaledTime => {
  const now = () => performance.now() * speed
  const store = createLocalStore()
  return {
    speed,
    now,
    budget: (lane) => {
      const budget = createLocalBudget(store, lane, now)
      return {
        ...budget,
        take: async (draws) => {
          const taken = await budget.take(draws)
          return taken.ok ? taken : { ok: false, waitMs: Math.ceil(taken.waitMs / speed) }
        },
      }
    },
  }
}
