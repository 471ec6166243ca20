import type { EntitlementId } from '../domain/ids.ts'
import type { SodDef } from './policy-set.ts'

export type CompiledSod = {
  readonly def: SodDef
  readonly sides: readonly { readonly name: string; readonly entitlements: readonly EntitlementId[] }[]
}

/** entitlement → sides of policies: a person costs what their own entitlements touch, not what policies there are. */
export type SodIndex = {
  readonly policies: readonly CompiledSod[]
  /** Entitlement → slot; the sides that slot s touches are sides[starts[s] … starts[s + 1]), numbered over all policies. */
  readonly slots: ReadonlyMap<EntitlementId, number>
  readonly starts: Uint32Array
  readonly sides: Uint32Array
  readonly policyOfSide: Uint32Array
  readonly atLeast: Uint32Array
  readonly broken: (entitlements: Iterable<EntitlementId>) => readonly number[]
}

/** Positions of the policies of which at least `atLeast` sides are touched, ascending. */
export const brokenPolicies = (index: SodIndex, entitlements: Iterable<EntitlementId>): readonly number[] =>
  index.broken(entitlements)

export const indexSod = (policies: readonly CompiledSod[]): SodIndex => {
  const touching = new Map<EntitlementId, number[]>()
  const policyOf: number[] = []
  policies.forEach(({ sides }, policy) => {
    for (const { entitlements } of sides) {
      const side = policyOf.push(policy) - 1
      for (const id of entitlements) {
        const touched = touching.get(id)
        if (touched === undefined) touching.set(id, [side])
        else touched.push(side)
      }
    }
  })
  const slots = new Map([...touching.keys()].map((id, slot) => [id, slot]))
  const starts = new Uint32Array(touching.size + 1)
  let total = 0
  for (const [slot, touched] of [...touching.values()].entries()) {
    total += touched.length
    starts[slot + 1] = total
  }
  const index = {
    policies,
    slots,
    starts,
    sides: Uint32Array.from([...touching.values()].flat()),
    policyOfSide: Uint32Array.from(policyOf),
    atLeast: Uint32Array.from(policies, ({ def }) => def.atLeast),
  }
  return { ...index, broken: counter(index) }
}

/**
 * Counts distinct touched sides of each policy. The marks are kept from call to call and told apart by an epoch, so
 * that no call has to clear as many of them as there are policies; nothing of one call is visible to the next.
 */
const counter = ({ slots, starts, sides, policyOfSide, atLeast }: Omit<SodIndex, 'broken'>) => {
  const sideSeen = new Uint32Array(policyOfSide.length)
  const policySeen = new Uint32Array(atLeast.length)
  const touchedSides = new Uint32Array(atLeast.length)
  let epoch = 0
  return (entitlements: Iterable<EntitlementId>): readonly number[] => {
    if (++epoch === 2 ** 32) {
      sideSeen.fill(0)
      policySeen.fill(0)
      epoch = 1
    }
    const broken: number[] = []
    for (const id of entitlements) {
      const slot = slots.get(id)
      if (slot === undefined) continue
      const end = starts[slot + 1] as number
      for (let i = starts[slot] as number; i < end; i++) {
        const side = sides[i] as number
        if (sideSeen[side] === epoch) continue
        sideSeen[side] = epoch
        const policy = policyOfSide[side] as number
        const count = policySeen[policy] === epoch ? (touchedSides[policy] as number) + 1 : 1
        policySeen[policy] = epoch
        touchedSides[policy] = count
        if (count === atLeast[policy]) broken.push(policy)
      }
    }
    return broken.length > 1 ? broken.sort((a, b) => a - b) : broken
  }
}
