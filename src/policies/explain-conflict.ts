import type { EntitlementId } from '../domain/ids.ts'
import type { CompiledPolicy } from './compile.ts'
import type { Present } from './separation-of-duties.ts'
import { brokenPolicies } from './sod-index.ts'

/** A conflict of duties that one entitlement takes part in, with everything on its other sides. */
export type Conflict = {
  readonly policy: string
  readonly description: string
  readonly severity: string
  readonly side: string
  readonly others: readonly { readonly side: string; readonly entitlement: string; readonly standing: Standing }[]
}

export type Standing = Present['state'] | 'wanted'

/** Conflicts of the resulting set (what is present, in whatever state, together with what is wanted). */
export const conflictsOf = (
  policy: CompiledPolicy,
  entitlement: EntitlementId,
  present: readonly Present[],
  wanted: readonly EntitlementId[],
): readonly Conflict[] => {
  const standing = new Map<EntitlementId, Standing>(wanted.map((id) => [id, 'wanted']))
  for (const { entitlement: id, state } of present) standing.set(id, state)
  return brokenPolicies(policy.sod, standing.keys()).flatMap((i) => {
    const compiled = policy.sod.policies[i]
    const own = compiled?.sides.find(({ entitlements }) => entitlements.includes(entitlement))
    if (compiled === undefined || own === undefined) return []
    const others = compiled.sides.flatMap((side) =>
      side === own
        ? []
        : side.entitlements.flatMap((id) => {
            const now = standing.get(id)
            return now === undefined
              ? []
              : [{ side: side.name, entitlement: policy.keyOf.get(id) ?? String(id), standing: now }]
          }),
    )
    const { key, description, severity } = compiled.def
    return [{ policy: key, description, severity, side: own.name, others }]
  })
}
