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
  const resulting = new Set(wanted)
  const remaining = new Set(wanted)
  for (const { entitlement, state, revocable } of present) {
    resulting.add(entitlement)
    if (state === 'held') held.add(entitlement)
    if (!wants.has(entitlement) && (revocable || state === 'being-revoked')) continue
    staysPresent.add(entitlement)
    remaining.add(entitlement)
  }
  const fresh = [...wants].filter((entitlement) => !held.has(entitlement)).sort((a, b) => a - b)
  const broken = brokenPolicies(policy.sod, resulting)
  // Fewer entitlements than the resulting set break nothing more.
  if (broken.length === 0) return { verdicts: new Map(fresh.map((entitlement) => [entitlement, go])), violations: [] }
  const remains = new Set(brokenPolicies(policy.sod, remaining))
  const accepted = liveExceptions(policy, personKey, now)
  const conflictsOf = new Map<EntitlementId, Conflict[]>(fresh.map((entitlement) => [entitlement, []]))
  for (const i of broken) {
    const { def, sides } = policy.sod.policies[i] as CompiledSod
    for (const side of sides)
      for (const entitlement of side.entitlements)
        conflictsOf
          .get(entitlement)
          ?.push({ key: def.key, remains: remains.has(i), others: sides.filter((other) => other !== side) })
  }
  const verdicts = new Map(
    [...conflictsOf].map(([entitlement, own]) => [entitlement, verdictOn(own, accepted, resulting, remaining)]),
  )
  const violations = brokenPolicies(policy.sod, staysPresent).map((i): Violation => {
    const { def, sides } = policy.sod.policies[i] as CompiledSod
    const touched = sides.map(({ name, entitlements }) => ({
      side: name,
      entitlements: entitlements.filter((id) => staysPresent.has(id)),
    }))
    return {
      policy: def.key,
      sides: touched.filter(({ entitlements }) => entitlements.length > 0),
      exception: accepted.get(def.key) ?? null,
    }
  })
  return { verdicts, violations }
}

const go: GrantVerdict = { kind: 'go' }

/** A broken policy as one new grant sees it. */
type Conflict = { readonly key: string; readonly remains: boolean; readonly others: CompiledSod['sides'] }

const verdictOn = (
  own: readonly Conflict[],
  accepted: ReadonlyMap<string, string>,
  resulting: ReadonlySet<EntitlementId>,
  remaining: ReadonlySet<EntitlementId>,
): GrantVerdict => {
  if (own.length === 0) return go
  const exceptions = own.flatMap(({ key }) => accepted.get(key) ?? [])
  const unaccepted = own.filter(({ key }) => !accepted.has(key))
  const holding = unaccepted.filter((conflict) => conflict.remains)
  if (holding.length > 0) {
    const against = holding.flatMap(({ others }) =>
      others.flatMap(({ entitlements }) => entitlements.filter((id) => remaining.has(id))),
    )
    return { kind: 'held', policies: holding.map(({ key }) => key), conflictsWith: sortedDistinct(against) }
  }
  if (unaccepted.length > 0) {
    // A side that something staying touches as well is not freed by a revoke: only sides left empty are worth a wait.
    const freed = unaccepted.flatMap(({ others }) =>
      others.filter(({ entitlements }) => !entitlements.some((id) => remaining.has(id))),
    )
    const after = freed.flatMap(({ entitlements }) => entitlements.filter((id) => resulting.has(id)))
    return { kind: 'wait', policies: unaccepted.map(({ key }) => key), after: sortedDistinct(after) }
  }
  return { kind: 'go', exceptions }
}

const sortedDistinct = (ids: readonly EntitlementId[]): readonly EntitlementId[] =>
  [...new Set(ids)].sort((a, b) => a - b)

/** Policy key → key of the exception that accepts its breach by this person at this moment. */
const liveExceptions = (policy: CompiledPolicy, personKey: PersonKey, now: Instant): ReadonlyMap<string, string> => {
  const live = new Map<string, string>()
  for (const { key, policy: accepted, from, expires } of policy.exceptionsOf.get(personKey) ?? [])
    if (from <= now && now < expires && !live.has(accepted)) live.set(accepted, key)
  return live
}
