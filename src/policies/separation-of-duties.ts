import type { GrantVerdict, Violation } from '../domain/decision.ts'
import type { EntitlementId, PersonKey } from '../domain/ids.ts'
import type { Instant } from '../domain/instant.ts'
import type { CompiledPolicy } from './compile.ts'
import { brokenPolicies, type CompiledSod } from './sod-index.ts'

/** Something that is there, may be there, or is just coming or going: all of it counts in a conflict. */
export type Present = {
  readonly entitlement: EntitlementId
  readonly state: 'held' | 'in-flight' | 'unknown' | 'indirect' | 'being-revoked'
  /** This plan will revoke it if it is not wanted. */
  readonly revocable: boolean
}

export type SodJudgement = {
  readonly verdicts: ReadonlyMap<EntitlementId, GrantVerdict>
  readonly violations: readonly Violation[]
}

/**
 * DESIGN §4, SoD. Judges each wanted entitlement that is not verified as held against the resulting set (present and
 * wanted together), and reports what is broken already. Symmetrical: two new grants that conflict are both held.
 */
export const judgeSod = (
  policy: CompiledPolicy,
  personKey: PersonKey,
  now: Instant,
  present: readonly Present[],
  wanted: readonly EntitlementId[],
): SodJudgement => {
  const wants = new Set(wanted)
  const staysPresent = new Set<EntitlementId>()
  const held = new Set<EntitlementId>()
  for (const { entitlement, state, revocable } of present) {
    if (state === 'held') held.add(entitlement)
    if (wants.has(entitlement) || !(revocable || state === 'being-revoked')) staysPresent.add(entitlement)
  }
  const resulting = new Set([...present.map(({ entitlement }) => entitlement), ...wanted])
  const remaining = new Set([...staysPresent, ...wanted])
  const broken = brokenPolicies(policy.sod, resulting)
  // Nothing is broken by fewer entitlements than the resulting set.
  const brokenAfterRevokes = broken.length === 0 ? [] : brokenPolicies(policy.sod, remaining)
  const brokenNow = broken.length === 0 ? [] : brokenPolicies(policy.sod, staysPresent)
  const accepted = liveExceptions(policy, personKey, now)
  const conflicts = broken.map((i) => {
    const { def, sides } = policy.sod.policies[i] as CompiledSod
    return { key: def.key, sides, remains: brokenAfterRevokes.includes(i) }
  })
  const verdicts = new Map<EntitlementId, GrantVerdict>()
  for (const entitlement of [...wants].sort((a, b) => a - b)) {
    if (!held.has(entitlement)) verdicts.set(entitlement, verdictOn(entitlement, conflicts, accepted, resulting, remaining))
  }
  const violations = brokenNow.map((i): Violation => {
    const { def, sides } = policy.sod.policies[i] as CompiledSod
    const touched = sides.map(({ name, entitlements }) => ({ side: name, entitlements: entitlements.filter((id) => staysPresent.has(id)) }))
    return { policy: def.key, sides: touched.filter(({ entitlements }) => entitlements.length > 0), exception: accepted.get(def.key) ?? null }
  })
  return { verdicts, violations }
}

type Conflict = { readonly key: string; readonly sides: CompiledSod['sides']; readonly remains: boolean }

const verdictOn = (
  entitlement: EntitlementId,
  conflicts: readonly Conflict[],
  accepted: ReadonlyMap<string, string>,
  resulting: ReadonlySet<EntitlementId>,
  remaining: ReadonlySet<EntitlementId>,
): GrantVerdict => {
  const own = conflicts.filter(({ sides }) => sides.some(({ entitlements }) => entitlements.includes(entitlement)))
  const exceptions = own.flatMap(({ key }) => accepted.get(key) ?? [])
  const unaccepted = own.filter(({ key }) => !accepted.has(key))
  const holding = unaccepted.filter(({ remains }) => remains)
  const others = (conflict: Conflict) => conflict.sides.filter(({ entitlements }) => !entitlements.includes(entitlement))
  if (holding.length > 0) {
    const against = holding.flatMap(others).flatMap(({ entitlements }) => entitlements.filter((id) => remaining.has(id)))
    return { kind: 'held', policies: holding.map(({ key }) => key), conflictsWith: sortedDistinct(against) }
  }
  if (unaccepted.length > 0) {
    // A side that something staying touches as well is not freed by a revoke: only sides left empty are worth a wait.
    const freed = unaccepted.flatMap(others).filter(({ entitlements }) => !entitlements.some((id) => remaining.has(id)))
    const after = freed.flatMap(({ entitlements }) => entitlements.filter((id) => resulting.has(id)))
    return { kind: 'wait', policies: unaccepted.map(({ key }) => key), after: sortedDistinct(after) }
  }
  return exceptions.length > 0 ? { kind: 'go', exceptions } : { kind: 'go' }
}

const sortedDistinct = (ids: readonly EntitlementId[]): readonly EntitlementId[] => [...new Set(ids)].sort((a, b) => a - b)

/** Policy key → key of the exception that accepts its breach by this person at this moment. */
const liveExceptions = (policy: CompiledPolicy, personKey: PersonKey, now: Instant): ReadonlyMap<string, string> => {
  const live = new Map<string, string>()
  for (const { key, policy: accepted, from, expires } of policy.exceptionsOf.get(personKey) ?? [])
    if (from <= now && now < expires && !live.has(accepted)) live.set(accepted, key)
  return live
}
