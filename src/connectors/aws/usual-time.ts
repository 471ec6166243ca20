/** How long AWS has taken of late for a change of an assignment: when to ask for the next one. Pacing only, never a proof. */
export type UsualTime = {
  /** The median, ms. */
  readonly ms: () => number
  /**
   * One is over: seen so at this age, ms; at the other it was last seen in progress, null: nobody had looked. What was found over at the
   * first look took any time up to then: counted as somewhat less, or each would be looked for later than the one before.
   */
  readonly tookUpTo: (age: number, inProgressAt: number | null) => void
}

/** Before anything was seen. */
const atFirstMs = 1_000
const remembered = 9
const longestMs = 60_000
const atFirstLook = 0.9

export const createUsualTime = (): UsualTime => {
  const lately: number[] = []
  const median = () => [...lately].sort((a, b) => a - b)[Math.floor(lately.length / 2)] ?? atFirstMs
  return {
    ms: median,
    tookUpTo: (age, inProgressAt) => {
      const took = inProgressAt === null ? Math.min(age, median()) * atFirstLook : (age + inProgressAt) / 2
      // The clocks of two machines may be minutes apart.
      lately.push(Math.min(longestMs, Math.max(0, took)))
      if (lately.length > remembered) lately.shift()
    },
  }
}

/** The first look, and looks after that: never sooner, never later, ms. */
const soonestMs = 1_000
const againMs = 500
const latestMs = 5_000

/** When to look for a request that is this old, ms from now: when the usual one is over, then again and again, less and less often. */
export const nextLookMs = (usualMs: number, age: number): number =>
  Math.round(Math.min(latestMs, age <= 0 ? Math.max(soonestMs, usualMs) : Math.max(againMs, usualMs - age, age / 6)))
