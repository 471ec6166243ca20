import type { Lane } from '../domain/action.ts'
import { type Bucket, type Budget, waitFor } from './budget.ts'

type Level = { units: number; at: number; closedUntil: number }
type Held = { readonly name: string; readonly until: number }

/** What the lanes of one process share. */
export type LocalStore = {
  readonly levels: Map<string, Level>
  readonly places: Map<string, readonly Held[]>
  next: number
}

export const createLocalStore = (): LocalStore => ({ levels: new Map(), places: new Map(), next: 1 })

/** The budget of one process: for one that works alone. `now`: ms on a clock that does not go back. */
export const createLocalBudget = (store: LocalStore, lane: Lane, now: () => number): Budget => {
  const levelOf = (bucket: Bucket): Level => {
    const at = now()
    const level = store.levels.get(bucket.name) ?? { units: bucket.capacity, at, closedUntil: 0 }
    level.units = Math.min(bucket.capacity, level.units + (Math.max(0, at - level.at) / 1_000) * bucket.perSecond)
    level.at = at
    store.levels.set(bucket.name, level)
    return level
  }
  return {
    take: async (draws) => {
      const waits = draws.map(({ bucket, units }) => {
        const level = levelOf(bucket)
        return Math.max(level.closedUntil - now(), waitFor(bucket, level.units, units, lane))
      })
      const waitMs = Math.max(0, ...waits)
      if (waitMs > 0) return { ok: false, waitMs: Math.ceil(waitMs) }
      for (const { bucket, units } of draws) levelOf(bucket).units -= units
      return { ok: true }
    },
    close: async (bucket, forMs) => {
      const level = levelOf(bucket)
      level.closedUntil = Math.max(level.closedUntil, now() + forMs)
    },
    occupy: async (places, forMs) => {
      const live = (name: string) =>
        [...store.places.values()].flat().filter((held) => held.name === name && held.until > now())
      for (const { name, max } of places) {
        const taken = live(name)
        if (taken.length >= max)
          return { ok: false, waitMs: Math.max(1, Math.ceil(Math.min(...taken.map(({ until }) => until)) - now())) }
      }
      const id = String(store.next++)
      store.places.set(
        id,
        places.map(({ name }) => ({ name, until: now() + forMs })),
      )
      return { ok: true, id }
    },
    renew: async (id, forMs) => {
      const held = store.places.get(id) ?? []
      if (!held.some(({ until }) => until > now())) return false
      store.places.set(
        id,
        held.map(({ name }) => ({ name, until: now() + forMs })),
      )
      return true
    },
    vacate: async (id) => void store.places.delete(id),
  }
}
