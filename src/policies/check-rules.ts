import { lifecycleAttributes, workerAttributes } from '../domain/attributes.ts'
import { conditionsOf } from './build-conditions.ts'
import { checkCel } from './cel.ts'
import { satisfies } from './conditions.ts'
import type { Entry } from './entries.ts'
import type { Condition } from './policy-set.ts'
import { didYouMean, type Problem } from './problem.ts'
import type { YamlPath } from './yaml-file.ts'

type RuleEntry = Entry<'birthright'>

/** What a birthright rule says about attributes that do not exist, cannot hold that value, or can never match. */
export const checkRules = (rules: Iterable<RuleEntry>, attributes: readonly string[]): readonly Problem[] =>
  [...rules].flatMap((entry) => {
    const { value } = entry
    if (value === null) return []
    return [
      ...checkWhen(entry, value.when, attributes),
      ...(value.cel === undefined ? [] : checkExpression(entry, value.cel, attributes)),
    ]
  })

const checkWhen = (
  entry: RuleEntry,
  when: NonNullable<RuleEntry['value']>['when'],
  attributes: readonly string[],
): readonly Problem[] => {
  if (when === 'everyone') return []
  const written = Object.entries(when)
  if (written.length === 0)
    return [entry.problem(['when'], 'when has no condition', 'write `when: everyone` if every worker should have this')]
  return written.flatMap(([attribute, condition]) => {
    const path = ['when', attribute]
    const stranger = unknownAttribute(attribute, attributes)
    if (stranger !== null) return [entry.problem(path, `unknown attribute ${attribute}`, stranger, 'key')]
    const conditions = conditionsOf(condition)
    if (conditions.length === 0)
      return [entry.problem(path, 'this condition says nothing', 'give one of in, not, prefix, exists')]
    const misfits = conditions.flatMap((is) => misfit(attribute, is))
    if (misfits.length > 0) return misfits.map(({ message, hint }) => entry.problem(path, message, hint))
    return neverHolds(conditions)
      ? [entry.problem(path, `no ${attribute} can satisfy this: the rule would never match`)]
      : []
  })
}

const unknownAttribute = (attribute: string, attributes: readonly string[]): string | null => {
  if (attributes.includes(attribute)) return null
  if (attribute.startsWith('custom.') && attribute.length > 'custom.'.length && attributes.includes('custom.*'))
    return null
  const named = attributes.filter((known) => known !== 'custom.*')
  return (
    didYouMean(attribute, named) ??
    `known: ${named.join(', ')}${attributes.includes('custom.*') ? ', and custom.<name>' : ''}`
  )
}

const states = ['active', 'leave', 'suspended']

type Misfit = { readonly message: string; readonly hint: string | null }

/** Values that an attribute can never have. Attributes under `custom` may hold text, numbers and truth values. */
const misfit = (attribute: string, is: Condition): readonly Misfit[] => {
  const kind = kinds.get(attribute)
  if (is.kind === 'prefix' || is.kind === 'not-prefix')
    return kind === 'flag' ? [{ message: `${attribute} is true or false: it has no prefix`, hint: null }] : []
  if (is.kind === 'exists') return []
  return is.values.flatMap((value): readonly Misfit[] => {
    if (kind === 'text' && typeof value !== 'string')
      return [
        {
          message: `${attribute} holds text, and ${JSON.stringify(value)} is none: it would never match`,
          hint: `write it in quotes: ${attribute}: '${value}'`,
        },
      ]
    if (kind === 'flag' && typeof value !== 'boolean')
      return [{ message: `${attribute} is true or false, never ${JSON.stringify(value)}`, hint: null }]
    if (attribute === 'status' && typeof value === 'string' && !states.includes(value))
      return [
        {
          message: `rules are judged only while an employment gives access: status is never ${JSON.stringify(value)}`,
          hint: didYouMean(value, states) ?? `one of ${states.join(', ')}`,
        },
      ]
    return []
  })
}

const kinds: ReadonlyMap<string, 'text' | 'flag'> = new Map(
  Object.entries({ ...workerAttributes, ...lifecycleAttributes }),
)

const neverHolds = (conditions: readonly Condition[]): boolean => {
  const absent = conditions.some((is) => is.kind === 'exists' && !is.exists)
  if (absent) return conditions.length > 1 && conditions.some((is) => is.kind !== 'exists' || is.exists)
  const listed = conditions.find((is) => is.kind === 'in')
  return listed !== undefined && !listed.values.some((value) => conditions.every((is) => satisfies(value, is)))
}

const checkExpression = (entry: RuleEntry, expression: string, attributes: readonly string[]): readonly Problem[] => {
  const { problems, attributes: read, readsWorker } = checkCel(expression)
  const found = [
    ...problems.map(({ message, offset }) => celProblem(entry, offset, `in this CEL expression: ${message}`, null)),
    ...read.flatMap(({ name, offset }) => {
      const stranger = unknownAttribute(name, attributes)
      return stranger === null ? [] : [celProblem(entry, offset, `unknown attribute worker.${name}`, stranger)]
    }),
  ]
  if (found.length > 0 || readsWorker) return found
  return [
    entry.problem(
      ['cel'],
      'this expression does not look at the worker',
      'attributes are read as worker.jobCode, worker.custom.<name>',
    ),
  ]
}

const celProblem = (entry: RuleEntry, offset: number, message: string, hint: string | null): Problem => {
  const start = entry.textStart(celPath)
  const problem = entry.problem(celPath, start === null ? `${message} (at character ${offset + 1})` : message, hint)
  return start === null ? problem : { ...problem, line: start.line, column: start.column + offset }
}

const celPath: YamlPath = ['cel']
