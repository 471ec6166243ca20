import type { NativeId } from '../domain/ids.ts'
import type { Connector } from './connector.ts'

/** So long a name that was read is taken for the name, ms: a batch follows upon a batch, and hardly anything is renamed. */
const rememberMs = 60_000

/** null: a complete read says that it is not there. */
export type ShownName = string | null | 'unread'

export type ShownNames = {
  /** Whether the target has names that a catalogue may not say. */
  readonly told: boolean
  readonly of: (ids: readonly NativeId[], signal: AbortSignal) => Promise<ReadonlyMap<NativeId, ShownName>>
}

/** What a target calls its entitlements, asked again after a minute. */
export const rememberNames = (connector: Connector, clock: () => number): ShownNames => {
  const known = new Map<NativeId, { readonly name: string; readonly until: number }>()
  return {
    told: connector.entitlementNames !== undefined,
    of: async (ids, signal) => {
      const unknown = [...new Set(ids)].filter((id) => (known.get(id)?.until ?? 0) <= clock())
      for (const id of unknown) known.delete(id)
      const read = unknown.length === 0 ? undefined : await connector.entitlementNames?.(unknown, signal)
      const until = clock() + rememberMs
      for (const { nativeId, name } of read?.items ?? []) known.set(nativeId, { name, until })
      const gone = new Set(read?.kind === 'complete' ? unknown : [])
      return new Map(ids.map((id) => [id, known.get(id)?.name ?? (gone.has(id) ? null : 'unread')]))
    },
  }
}
