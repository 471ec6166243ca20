import type { CompiledPolicy, CompiledRule } from './compile.ts'
import { attributeOf, type Facts, satisfies } from './conditions.ts'
import { candidateRules } from './rule-index.ts'

/** The rules that give something to one employment, in the order of their keys. */
export const matchingRules = (policy: CompiledPolicy, facts: Facts): readonly CompiledRule[] =>
  candidateRules(policy.ruleIndex, facts).flatMap((i) => {
    const rule = policy.rules[i]
    return rule !== undefined && matches(rule, facts) ? [rule] : []
  })

export const matches = ({ def, cel }: CompiledRule, facts: Facts): boolean => {
  if (!def.when.every(({ attribute, is }) => satisfies(attributeOf(facts, attribute), is))) return false
  if (cel === null) return true
  const answer = cel(facts)
  return answer.kind === 'value' && answer.value
}
