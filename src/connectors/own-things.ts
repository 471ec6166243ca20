import type { NativeId } from '../domain/ids.ts'
import type { Connector, OwnThing } from './connector.ts'

/**
 * What of the target is Muster's own, asked once: who signs in does not change while the connector stands. `null`: it was
 * asked and not told, and is asked again the next time.
 */
export const rememberOwn = (connector: Connector): OwnThings => {
  let known: readonly OwnThing[] | undefined = connector.own === undefined ? [] : undefined
  let asking: Promise<void> | undefined
  const ask = async (signal: AbortSignal) => {
    try {
      const told = await connector.own?.(signal)
      if (told?.kind === 'complete') known = told.items
    } catch {
      // Whatever it was, it was not told: the budget of a database that is away, for one.
    } finally {
      asking = undefined
    }
  }
  return {
    known: () => known ?? [],
    ask: async (signal) => {
      if (known === undefined) await (asking ??= ask(signal))
      return known ?? null
    },
  }
}

export type OwnThings = {
  /** What has been told until now. */
  readonly known: () => readonly OwnThing[]
  readonly ask: (signal: AbortSignal) => Promise<readonly OwnThing[] | null>
}

export const isOwn = (own: readonly OwnThing[], kind: OwnThing['kind'], nativeId: NativeId): boolean =>
  own.some((one) => one.kind === kind && one.nativeId.toLowerCase() === nativeId.toLowerCase())
