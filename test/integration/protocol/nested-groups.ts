/** A directory in which groups sit in groups: a grant of the inner one is, to whoever asks, the outer one as well. */
import type { Connector, EntitlementRef } from '../../../src/connectors/connector.ts'
import type { EntitlementId, NativeId } from '../../../src/domain/ids.ts'
import { isKept, type KeptBy, type ObservedEntitlement, type ObservedIndirect } from '../../../src/domain/outcome.ts'
import type { House } from '../../support/house.ts'

export const nestedGroups = () => {
  /** Inner native id → outer. */
  const nests = new Map<NativeId, ObservedEntitlement>()
  let primary: ObservedEntitlement | null = null
  let via: ObservedIndirect['via'] = 'primary'
  let kept: readonly NativeId[] = []
  let unreadable = 0
  let reads = 0
  /** What the change log names: native ids of groups. */
  let changed: readonly NativeId[] = []
  const of = async (house: House, key: string): Promise<ObservedEntitlement> => {
    const lookup = `cn=${key},${house.tree.groups}`
    const ref: EntitlementRef = { id: 0 as EntitlementId, lookup, nativeId: null }
    const [found] = (await [...house.engine.connectors.values()][0]?.resolveEntitlements([ref], always)) ?? []
    if (found?.kind !== 'found') throw new Error(`there is no group ${key}`)
    return { nativeId: found.nativeId, name: lookup }
  }
  return {
    wrap: (real: Connector): Connector => ({
      ...real,
      indirectGrantsOf: async (ids, signal) => {
        reads += 1
        if (unreadable > 0) {
          unreadable -= 1
          return { kind: 'partial', items: [], cause: 'away' }
        }
        const direct = await real.grantsOf(ids, signal)
        if (direct.kind === 'partial') return { ...direct, items: [] }
        const nested = direct.items.flatMap(({ account, entitlement: { nativeId } }) => {
          const entitlement = nests.get(nativeId)
          if (entitlement === undefined) return []
          return [{ account, entitlement, via: 'nested' as const, path: [nativeId, entitlement.nativeId] }]
        })
        const first = primary
        const byPrimary =
          first === null ? [] : ids.map((account) => ({ account, entitlement: first, via, path: [first.nativeId] }))
        return { kind: 'complete', items: [...nested, ...byPrimary] }
      },
      changes: async (cursor) =>
        cursor === null
          ? { kind: 'from-now', cursor: 'then' }
          : { kind: 'changes', entitlements: changed, accounts: [], cursor: 'later' },
      membersOf: async function* (refs, signal) {
        for await (const list of real.membersOf(refs, signal)) {
          const outer = refs.find(({ id }) => id === list.entitlement)?.nativeId
          const inner = [...nests].flatMap(([id, into]) => (into.nativeId === outer ? [id] : []))
          if (list.kind !== 'complete') yield list
          else if (outer === primary?.nativeId && isKept({ via })) yield { ...list, members: [], kept }
          else yield { ...list, members: [...list.members, ...inner] }
        }
      },
    }),
    nest: async (house: House, inner: string, outer: string) => {
      nests.set((await of(house, inner)).nativeId, await of(house, outer))
    },
    unnest: () => nests.clear(),
    setPrimary: async (house: House, key: string | null) => {
      primary = key === null ? null : await of(house, key)
      via = 'primary'
    },
    /** A rule or another directory has everybody in it who has an account. */
    keep: async (house: House, key: string, by: KeptBy) => {
      primary = await of(house, key)
      via = by
      kept = (await house.rows<{ id: NativeId }>('select native_id as id from muster.account')).map(({ id }) => id)
    },
    failNext: (times: number) => {
      unreadable = times
    },
    change: async (house: House, ...keys: readonly string[]) => {
      changed = await Promise.all(keys.map(async (key) => (await of(house, key)).nativeId))
    },
    reads: () => reads,
  }
}

const always = new AbortController().signal
