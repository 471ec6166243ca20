import type { AttributeValue } from '../domain/worker-event.ts'
import { attributeOf, type Facts } from './conditions.ts'
import type { RuleDef } from './policy-set.ts'

/**
 * Finds the rules that may match one employment without looking at the others: each rule is filed under the values of
 * its most selective equality condition; only rules without one are always looked at.
 */
export type RuleIndex = {
  readonly byAttribute: readonly {
    readonly attribute: string
    readonly rules: ReadonlyMap<AttributeValue, readonly number[]>
  }[]
  readonly always: readonly number[]
}

export const indexRules = (rules: readonly RuleDef[]): RuleIndex => {
  const uses = countUses(rules)
  const byAttribute = new Map<string, Map<AttributeValue, number[]>>()
  const always: number[] = []
  rules.forEach((rule, i) => {
    const best = equalities(rule)
      .map((equality) => ({
        ...equality,
        cost: Math.max(...equality.values.map((value) => uses.get(useKey(equality.attribute, value)) ?? 0)),
      }))
      .sort((a, b) => a.cost - b.cost)[0]
    if (best === undefined) {
      always.push(i)
      return
    }
    const values = byAttribute.get(best.attribute) ?? new Map<AttributeValue, number[]>()
    byAttribute.set(best.attribute, values)
    for (const value of new Set(best.values)) values.set(value, [...(values.get(value) ?? []), i])
  })
  return { byAttribute: [...byAttribute].map(([attribute, found]) => ({ attribute, rules: found })), always }
}

/** Positions of the rules that may match, ascending. */
export const candidateRules = (index: RuleIndex, facts: Facts): readonly number[] => {
  const found = [...index.always]
  for (const { attribute, rules } of index.byAttribute) {
    const filed = rules.get(attributeOf(facts, attribute))
    if (filed !== undefined) found.push(...filed)
  }
  return found.sort((a, b) => a - b)
}

const equalities = (rule: RuleDef) =>
  rule.when.flatMap(({ attribute, is }) => (is.kind === 'in' ? [{ attribute, values: is.values }] : []))

const useKey = (attribute: string, value: AttributeValue): string => JSON.stringify([attribute, value])

const countUses = (rules: readonly RuleDef[]): ReadonlyMap<string, number> => {
  const uses = new Map<string, number>()
  for (const rule of rules)
    for (const { attribute, values } of equalities(rule))
      for (const value of values) uses.set(useKey(attribute, value), (uses.get(useKey(attribute, value)) ?? 0) + 1)
  return uses
}
