import type { EntitlementId } from '../domain/ids.ts'
import type { SodDef } from './policy-set.ts'

export type CompiledSod = {
  readonly def: SodDef
  readonly sides: readonly { readonly name: string; readonly entitlements: readonly EntitlementId[] }[]
}

/** entitlement → (policy, side): a person costs what their own entitlements touch, not what policies there are. */
export type SodIndex = {
  readonly policies: readonly CompiledSod[]
  readonly slots: ReadonlyMap<EntitlementId, number>
  /** Postings of slot s: codes[starts[s] … starts[s+1]), each policy × 2^16 + side. */
  readonly starts: Uint32Array
  readonly codes: Float64Array
}

const sidesPerPolicy = 65_536

export const indexSod = (policies: readonly CompiledSod[]): SodIndex => {
  const postings = new Map<EntitlementId, number[]>()
  policies.forEach(({ sides }, policy) => {
    sides.forEach(({ entitlements }, side) => {
      for (const id of entitlements) postings.set(id, [...(postings.get(id) ?? []), policy * sidesPerPolicy + side])
    })
  })
  const starts = new Uint32Array(postings.size + 1)
  const slots = new Map<EntitlementId, number>()
  const codes: number[] = []
  for (const [id, own] of postings) {
    slots.set(id, slots.size)
    codes.push(...own)
    starts[slots.size] = codes.length
  }
  return { policies, slots, starts, codes: Float64Array.from(codes) }
}

/** Positions of the policies of which at least `atLeast` sides are touched, ascending. */
export const brokenPolicies = (index: SodIndex, entitlements: Iterable<EntitlementId>): readonly number[] => {
  const touched: number[] = []
  for (const id of entitlements) {
    const slot = index.slots.get(id)
    if (slot === undefined) continue
    const end = index.starts[slot + 1] as number
    for (let i = index.starts[slot] as number; i < end; i++) touched.push(index.codes[i] as number)
  }
  touched.sort((a, b) => a - b)
  const broken: number[] = []
  for (let i = 0; i < touched.length; ) {
    const policy = Math.floor((touched[i] as number) / sidesPerPolicy)
    const next = (policy + 1) * sidesPerPolicy
    let sides = 0
    let last = -1
    for (; i < touched.length && (touched[i] as number) < next; i++) {
      if (touched[i] !== last) sides++
      last = touched[i] as number
    }
    if (sides >= (index.policies[policy] as CompiledSod).def.atLeast) broken.push(policy)
  }
  return broken
}
