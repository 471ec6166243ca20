/**
 * Milliseconds since 1970 with a fraction: for comparing our moments with PostgreSQL's commit timestamps and Kafka's
 * append times, which the same machine's clock makes. Date.now() alone is cut to the millisecond.
 */
let offset = 0

/** Finds the millisecond's edge, which takes at most one. Called before each block, for the clock may be slewed. */
export const setWallClock = (): void => {
  for (let before = Date.now(); ; ) {
    const now = Date.now()
    if (now === before) continue
    offset = now - performance.now()
    return
  }
}

export const wallNow = (): number => offset + performance.now()

setWallClock()
