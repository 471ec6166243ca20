import type { EntitlementId, TargetId } from '../domain/ids.ts'
import { type CelCondition, compileCel } from './cel.ts'
import type { ExceptionDef, PolicySet, RuleDef } from './policy-set.ts'
import { expandRole } from './role-expansion.ts'
import { indexRules, type RuleIndex } from './rule-index.ts'
import { indexSod, type SodIndex } from './sod-index.ts'

export type RuleGrant = {
  readonly entitlement: EntitlementId
  readonly target: TargetId
  /** Roles from the rule down to the entitlement; empty when the rule names it itself. */
  readonly path: readonly string[]
}

/** What follows from one entitlement by one step. */
export type ImpliedGrant = RuleGrant & {
  readonly implication: string
  /** Key of what it follows from. */
  readonly holds: string
}

export type CompiledRule = {
  readonly def: RuleDef
  readonly cel: CelCondition | null
  readonly grants: readonly RuleGrant[]
}

/** One policy version made ready to judge many people. Immutable; safe to share. */
export type CompiledPolicy = {
  readonly set: PolicySet
  readonly rules: readonly CompiledRule[]
  readonly ruleIndex: RuleIndex
  /** By what it follows from. */
  readonly implied: ReadonlyMap<EntitlementId, readonly ImpliedGrant[]>
  readonly sod: SodIndex
  readonly exceptionsOf: ReadonlyMap<string, readonly ExceptionDef[]>
  /** Catalogue key of an entitlement, for words. */
  readonly keyOf: ReadonlyMap<EntitlementId, string>
  readonly idOf: ReadonlyMap<string, EntitlementId>
}

/**
 * `ids`: catalogue key → row id and target, for every entitlement of the set.
 * Throws when one is missing or two keys share an id: storing a version makes its ids, so that is a bug, and a policy
 * with a hole in a conflict of duties would grant wrongly.
 */
export const compilePolicy = (
  set: PolicySet,
  ids: ReadonlyMap<string, { readonly id: EntitlementId; readonly target: TargetId }>,
): CompiledPolicy => {
  const known = (key: string) => {
    const found = ids.get(key)
    if (found === undefined) throw new Error(`entitlement ${key} has no id: store the catalogue of this policy first`)
    return found
  }
  const keyOf = new Map<EntitlementId, string>()
  for (const { key } of set.entitlements) {
    const { id } = known(key)
    if (keyOf.has(id)) throw new Error(`entitlements ${keyOf.get(id)} and ${key} share the id ${id}`)
    keyOf.set(id, key)
  }
  const roles = new Map(set.roles.map((role) => [role.key, role]))
  const grantsOf = (rule: RuleDef): readonly RuleGrant[] => [
    ...rule.entitlements.map((key) => ({ entitlement: known(key).id, target: known(key).target, path: [] })),
    ...rule.roles.flatMap((role) =>
      [...expandRole(roles, role)].map(([key, path]) => ({
        entitlement: known(key).id,
        target: known(key).target,
        path,
      })),
    ),
  ]
  const implied = new Map<EntitlementId, readonly ImpliedGrant[]>()
  for (const { key: implication, pairs } of set.implications)
    for (const { holds, gives, path } of pairs) {
      const { id: entitlement, target } = known(gives)
      const from = known(holds).id
      implied.set(from, [...(implied.get(from) ?? []), { entitlement, target, path, implication, holds }])
    }
  const exceptionsOf = new Map<string, readonly ExceptionDef[]>()
  for (const exception of set.exceptions)
    exceptionsOf.set(exception.person, [...(exceptionsOf.get(exception.person) ?? []), exception])
  return {
    set,
    rules: set.rules.map((def) => ({ def, cel: def.cel === null ? null : compileCel(def.cel), grants: grantsOf(def) })),
    ruleIndex: indexRules(set.rules),
    implied,
    sod: indexSod(
      set.sod.map((def) => ({
        def,
        sides: def.sides.map(({ name, entitlements }) => ({
          name,
          entitlements: entitlements.map((key) => known(key).id),
        })),
      })),
    ),
    exceptionsOf,
    keyOf,
    idOf: new Map([...keyOf].map(([id, key]) => [key, id])),
  }
}
