import type { NativeId } from '../domain/ids.ts'
import type { Connector, OwnThing } from './connector.ts'

/** So long «nobody» is believed, ms: who signs in may not have been there yet, or not been ours to read. */
const nobodyForMs = 300_000

/**
 * What of the target is Muster's own, asked once: who signs in does not change while the connector stands. `null`: it was
 * asked and not told, and is asked again the next time. Nobody is asked for again after a while; while that is not told, it stands.
 */
export const rememberOwn = (connector: Connector, clock: () => number): OwnThings => {
  let known: readonly OwnThing[] | undefined = connector.own === undefined ? [] : undefined
  let believedUntil = connector.own === undefined ? Number.POSITIVE_INFINITY : 0
  let asking: Promise<void> | undefined
  let untold = ''
  const ask = async (signal: AbortSignal) => {
    try {
      const told = await connector.own?.(signal)
      if (told?.kind === 'partial') untold = told.cause
      if (told?.kind !== 'complete') return
      known = told.items
      believedUntil = known.length === 0 ? clock() + nobodyForMs : Number.POSITIVE_INFINITY
    } catch {
      // Whatever it was, it was not told: the budget of a database that is away, for one.
      untold = ''
    } finally {
      asking = undefined
    }
  }
  return {
    known: () => known ?? [],
    untold: () => untold,
    ask: async (signal) => {
      if (known === undefined || clock() >= believedUntil) await (asking ??= ask(signal))
      return known ?? null
    },
  }
}

export type OwnThings = {
  /** What has been told until now. */
  readonly known: () => readonly OwnThing[]
  /** Why the target last did not tell it, in its own words. */
  readonly untold: () => string
  readonly ask: (signal: AbortSignal) => Promise<readonly OwnThing[] | null>
}

export const isOwn = (own: readonly OwnThing[], kind: OwnThing['kind'], nativeId: NativeId): boolean =>
  own.some((one) => one.kind === kind && one.nativeId.toLowerCase() === nativeId.toLowerCase())

export const isOwnName = (own: readonly OwnThing[], lookup: string): boolean =>
  own.some((one) => one.kind === 'entitlement' && one.lookup?.toLowerCase() === lookup.toLowerCase())
