import { setTimeout as pause } from 'node:timers/promises'
import type { Occupied, Place } from '../budget.ts'
import type { Aws } from './aws.ts'
import type { Waiter } from './requests.ts'

/** A place that nobody gives back is free again after this. */
export const placeMs = 60_000
/** Who is not let in may be waiting for an AWS account, not for any place at all: so many are asked for before the rest is spared. */
const refusedAtMost = 3

/**
 * A place as soon as one is free, or what kept us waiting for so long. First come, first served; whoever gives one back in this
 * process hands it over at once, and what is over is looked for meanwhile.
 */
export const waitForPlace = (
  aws: Aws,
  places: readonly Place[],
  last: Occupied,
  { ms, signal, everyMs, look }: Waiting,
): Promise<Occupied> => {
  const { line } = aws.inProgress
  return new Promise((resolve) => {
    const leave = () => {
      line.delete(waiter)
      clearTimeout(timer)
      signal.removeEventListener('abort', giveUp)
    }
    const giveUp = () => {
      leave()
      resolve(last)
    }
    const waiter: Waiter = {
      places,
      giveUp,
      go: (place: Occupied) => {
        leave()
        resolve(place)
      },
    }
    const timer = setTimeout(giveUp, ms)
    signal.addEventListener('abort', giveUp)
    line.add(waiter)
    void watch(aws, everyMs, look)
  })
}

export type Waiting = {
  readonly ms: number
  readonly signal: AbortSignal
  readonly everyMs: number
  /** Gives back places of what is over. */
  readonly look: () => Promise<void>
}

export const giveBack = async (aws: Aws, place: string): Promise<void> => {
  await aws.tools.budget.vacate(place)
  await serve(aws)
}

/** While anybody waits: other processes give places back, too, and tell nobody. */
const watch = async (aws: Aws, everyMs: number, look: Waiting['look']): Promise<void> => {
  const { inProgress } = aws
  if (inProgress.isWatched) return
  inProgress.isWatched = true
  try {
    while (inProgress.line.size > 0) {
      const next = pause(everyMs)
      await look()
      await serve(aws)
      await next
    }
  } catch {
    // The database does not answer: whoever waits asks it again, and hears why.
    for (const waiter of [...inProgress.line]) waiter.giveUp()
  } finally {
    inProgress.isWatched = false
  }
}

const serve = async (aws: Aws): Promise<void> => {
  const { inProgress, tools } = aws
  inProgress.serveAgain = true
  if (inProgress.isServing) return
  inProgress.isServing = true
  try {
    while (inProgress.serveAgain) {
      inProgress.serveAgain = false
      let refused = 0
      for (const waiter of [...inProgress.line]) {
        if (refused >= refusedAtMost) break
        const place = await tools.budget.occupy(waiter.places, placeMs)
        if (!place.ok) refused += 1
        else if (inProgress.line.has(waiter)) waiter.go(place)
        else await tools.budget.vacate(place.id)
      }
    }
  } finally {
    inProgress.isServing = false
  }
}
