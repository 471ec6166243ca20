import type { AttributeValue } from '../domain/worker-event.ts'
import type { CompiledRule } from './compile.ts'
import { attributeOf, type Facts, satisfies } from './conditions.ts'
import type { Condition } from './policy-set.ts'

/** One condition of a rule against one employment. */
export type Check =
  | {
      readonly kind: 'attribute'
      readonly attribute: string
      readonly value: AttributeValue
      readonly wanted: string
      readonly holds: boolean
    }
  | { readonly kind: 'cel'; readonly expression: string; readonly failure: string | null; readonly holds: boolean }

export type RuleCheck = {
  readonly rule: string
  readonly description: string
  readonly employmentKey: string
  /** Roles from the rule down to the entitlement. */
  readonly paths: readonly (readonly string[])[]
  /** Empty = the rule is for everyone. */
  readonly checks: readonly Check[]
}

export const checkRule = ({ def, cel }: CompiledRule, facts: Facts): readonly Check[] => {
  const checks: Check[] = def.when.map(({ attribute, is }) => {
    const value = attributeOf(facts, attribute)
    return { kind: 'attribute', attribute, value, wanted: conditionText(is), holds: satisfies(value, is) }
  })
  if (cel === null || def.cel === null) return checks
  const answer = cel(facts)
  return [
    ...checks,
    {
      kind: 'cel',
      expression: def.cel.trim(),
      ...(answer.kind === 'value' ? { failure: null, holds: answer.value } : { failure: answer.message, holds: false }),
    },
  ]
}

export const conditionText = (is: Condition): string => {
  switch (is.kind) {
    case 'in':
      return is.values.length === 1
        ? `is ${JSON.stringify(is.values[0])}`
        : `is one of ${is.values.map((value) => JSON.stringify(value)).join(', ')}`
    case 'not-in':
      return is.values.length === 1
        ? `is not ${JSON.stringify(is.values[0])}`
        : `is none of ${is.values.map((value) => JSON.stringify(value)).join(', ')}`
    case 'prefix':
      return `begins with ${JSON.stringify(is.prefix)}`
    case 'not-prefix':
      return `does not begin with ${JSON.stringify(is.prefix)}`
    case 'exists':
      return is.exists ? 'is there' : 'is absent'
  }
}
