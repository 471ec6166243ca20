/** Time is an argument: `epochMs` is the wall clock (ms since 1970), `monotonicMs` never goes back (buckets, lag). */
export type Clock = { readonly epochMs: () => number; readonly monotonicMs: () => number }

export const systemClock: Clock = { epochMs: () => Date.now(), monotonicMs: () => performance.now() }

/** A clock that stands still until it is told to move. */
export const steppedClock = (startEpochMs: number): Clock & { readonly advance: (ms: number) => void } => {
  let passed = 0
  return {
    epochMs: () => startEpochMs + passed,
    monotonicMs: () => passed,
    advance: (ms) => {
      passed += ms
    },
  }
}

/** As Graph writes Edm.DateTimeOffset: to the second. */
export const instantOf = (epochMs: number): string => `${new Date(epochMs).toISOString().slice(0, 19)}Z`
