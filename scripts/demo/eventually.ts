/** Waiting for something to become true: by looking, with a deadline, and with what was seen last when it does not. */
import { setTimeout as pause } from 'node:timers/promises'

/** A statement of the story that does not hold. */
export class NotSo extends Error {
  override readonly name = 'NotSo'
}

export type Look<T> = { readonly so: true; readonly value: T } | { readonly so: false; readonly seen: string }

export const isSo = <T>(value: T): Look<T> => ({ so: true, value })
export const notYet = (seen: string): Look<never> => ({ so: false, seen })

const everyMs = 25

/** Looks until it is so; throws NotSo after `seconds`. */
export const eventually = async <T>(seconds: number, look: () => Promise<Look<T>>, pauseMs = everyMs): Promise<T> => {
  const until = performance.now() + seconds * 1000
  for (;;) {
    const result = await look()
    if (result.so) return result.value
    if (performance.now() > until) throw new NotSo(`not within ${seconds} s; last seen: ${result.seen}`)
    await pause(pauseMs)
  }
}
