import type { Budget } from '../budget.ts'
import type { WireSettings } from './settings.ts'
import type { Gate } from './transport.ts'

/** So long is a place ours without a word: to read what is to be written, and from the word to the write. */
export const placeMs = 30_000

/**
 * A gate that asks right before each write whether the place is still ours: what was read in it is old when somebody else had
 * it since. The place then lasts until the write is answered or given up, credentials first.
 */
export const whileOurs = (
  budget: Pick<Budget, 'renew'>,
  place: string,
  { connectMs, requestMs }: WireSettings['timeouts'],
  { signal, mayWrite }: Gate,
): Gate => {
  let sureUntil = 0
  return {
    signal,
    isOurs: async () => {
      const asked = performance.now()
      const isOurs = await budget.renew(place, placeMs + 2 * (connectMs + requestMs))
      sureUntil = isOurs ? asked + placeMs : 0
      return isOurs
    },
    mayWrite: () => mayWrite() && performance.now() < sureUntil,
  }
}
