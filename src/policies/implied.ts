import type { Reason } from '../domain/decision.ts'
import type { EntitlementId, TargetId } from '../domain/ids.ts'
import type { CompiledPolicy } from './compile.ts'

/** What is wanted of a person at one moment, and why. */
export type Given = { readonly target: TargetId; readonly reasons: readonly Reason[] }
export type Givens = ReadonlyMap<EntitlementId, Given>

export type ImpliedReason = Extract<Reason, { kind: 'implied' }>

export const isImplied = (reason: Reason): reason is ImpliedReason => reason.kind === 'implied'

/**
 * All of `given` and whatever follows from it, by as many steps as there are. What was adopted and follows from something
 * else stands under that alone, as it would under a rule.
 */
export const withImplied = (given: Givens, { implied }: Pick<CompiledPolicy, 'implied'>): Givens => {
  if (implied.size === 0) return given
  const added = new Map<EntitlementId, { readonly target: TargetId; readonly reasons: ImpliedReason[] }>()
  const all = new Set(given.keys())
  // A set goes on to what is added to it on the way: each entitlement is looked at once, whatever leads to it.
  for (const from of all)
    for (const { entitlement, target, implication, holds, path } of implied.get(from) ?? []) {
      const entry = added.get(entitlement) ?? { target, reasons: [] }
      added.set(entitlement, entry)
      entry.reasons.push({ kind: 'implied', implication, holds, path })
      all.add(entitlement)
    }
  if (added.size === 0) return given
  const wanted = new Map(given)
  for (const [entitlement, { target, reasons }] of added) {
    const others = given.get(entitlement)?.reasons.filter(({ kind }) => kind !== 'adopted') ?? []
    wanted.set(entitlement, { target, reasons: [...others, ...reasons.sort(byNames)] })
  }
  return wanted
}

const byNames = (a: ImpliedReason, b: ImpliedReason): number => {
  const [x, y] = [JSON.stringify([a.implication, a.holds, a.path]), JSON.stringify([b.implication, b.holds, b.path])]
  return x < y ? -1 : x > y ? 1 : 0
}
