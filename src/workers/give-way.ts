import { setTimeout as wait } from 'node:timers/promises'

/**
 * Bulk work begins nothing while a leaver is in hand: on one machine it would take processor and disk from it. Shared by
 * the threads of a process; nothing but time depends on it.
 */
export type GiveWay = {
  /** A leaver's event is in the inbox: bulk work rests until its evaluation says `inHand`, for at most `leaverArrivesMs`. */
  readonly arrives: () => void
  /** A call for leavers goes out: bulk work rests until what this answers is called, for at most `leaverTakesMs`. */
  readonly inHand: () => () => void
  /**
   * Resolves when no leaver is in hand, or when it has waited `patienceMs`: bulk work is slowed down, never stopped. Answers
   * whether one was within the last `leaversComeMs`: then more will come.
   */
  readonly given: () => Promise<boolean>
}

export const leaverArrivesMs = 50
/** One leaver is gone within this, as a rule; what a thread that died has asked for runs out by itself. */
export const leaverTakesMs = 200
/** Each piece of bulk work waits at most so long. */
export const patienceMs = 60
const lookEveryMs = 3
/** A leaver within so long announces others, ms. */
export const leaversComeMs = 2_000

/** What threads share: the moment until when bulk work rests, 0: nobody asks; the moment when somebody asked last, 0: never. */
export const giveWayMemory = (): SharedArrayBuffer => new SharedArrayBuffer(2 * BigInt64Array.BYTES_PER_ELEMENT)
const [restUntil, askedAt] = [0, 1]

/** Nanoseconds that all threads of a process count alike, and a wait in ms. */
export type Clock = { readonly now: () => bigint; readonly wait: (ms: number) => Promise<unknown> }
const clockOfProcess: Clock = { now: process.hrtime.bigint, wait }

const ns = (ms: number): bigint => BigInt(ms) * 1_000_000n

/** One for each app; those of one process share `memory`. */
export const createGiveWay = (memory: SharedArrayBuffer, clock: Clock = clockOfProcess): GiveWay => {
  const shared = new BigInt64Array(memory)
  let held = 0
  const ask = (forMs: number) => {
    const now = clock.now()
    const wanted = now + ns(forMs)
    Atomics.store(shared, askedAt, now)
    for (let known = Atomics.load(shared, restUntil); known < wanted; ) {
      const found = Atomics.compareExchange(shared, restUntil, known, wanted)
      if (found === known) return
      known = found
    }
  }
  return {
    arrives: () => ask(leaverArrivesMs),
    inHand: () => {
      held++
      ask(leaverTakesMs)
      let over = false
      return () => {
        if (over) return
        over = true
        held--
        if (held === 0) Atomics.store(shared, restUntil, 0n)
      }
    },
    given: async () => {
      const latest = clock.now() + ns(patienceMs)
      for (let now = clock.now(); now < Atomics.load(shared, restUntil) && now < latest; now = clock.now())
        await clock.wait(lookEveryMs)
      const last = Atomics.load(shared, askedAt)
      return last > 0n && clock.now() - last < ns(leaversComeMs)
    },
  }
}
