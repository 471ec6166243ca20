import { setTimeout as wait } from 'node:timers/promises'

/**
 * Bulk work begins nothing while a leaver is in hand: on one machine it would take processor and disk from it. Shared by
 * the threads of a process; nothing but time depends on it.
 */
export type GiveWay = {
  /** A leaver is on its way: bulk work is asked to rest, for at most so long, ms. */
  readonly ask: (forMs: number) => void
  /** No leaver is in hand any more. */
  readonly over: () => void
  /** Resolves when nobody asks, or when it has waited `patienceMs`: bulk work is slowed down, never stopped. */
  readonly given: () => Promise<void>
}

/** One leaver is gone within this, as a rule: it asks for no longer. */
export const leaverTakesMs = 200
/** From its event in the inbox until its evaluation asks for itself. */
export const leaverArrivesMs = 50
/** Each piece of bulk work waits at most so long. */
export const patienceMs = 60
const lookEveryMs = 3

/** What threads share: the moment until when bulk work rests; 0: nobody asks. */
export const giveWayMemory = (): SharedArrayBuffer => new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT)

/** Nanoseconds that all threads of a process count alike, and a wait in ms. */
export type Clock = { readonly now: () => bigint; readonly wait: (ms: number) => Promise<unknown> }
const clockOfProcess: Clock = { now: process.hrtime.bigint, wait }

const ns = (ms: number): bigint => BigInt(ms) * 1_000_000n

export const createGiveWay = (memory: SharedArrayBuffer, clock: Clock = clockOfProcess): GiveWay => {
  const until = new BigInt64Array(memory)
  return {
    ask: (forMs) => void Atomics.store(until, 0, clock.now() + ns(forMs)),
    over: () => void Atomics.store(until, 0, 0n),
    given: async () => {
      const latest = clock.now() + ns(patienceMs)
      for (let now = clock.now(); now < Atomics.load(until, 0) && now < latest; now = clock.now())
        await clock.wait(lookEveryMs)
    },
  }
}
