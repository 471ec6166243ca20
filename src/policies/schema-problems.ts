import { z } from 'zod'
import { narrowed } from './mend-entry.ts'
import { didYouMean, type Problem } from './problem.ts'
import { unknownMember, type YamlFile, type YamlPath } from './yaml-file.ts'

/** zod's issues in the words of somebody who writes policy files, each at its place. */
export const schemaProblems = (
  file: YamlFile,
  at: YamlPath,
  written: unknown,
  issues: readonly z.core.$ZodIssue[],
  schema: z.ZodType,
): readonly Problem[] => issues.flatMap((issue) => issueProblems(file, at, written, issue, schema))

const issueProblems = (
  file: YamlFile,
  at: YamlPath,
  written: unknown,
  issue: z.core.$ZodIssue,
  schema: z.ZodType,
): readonly Problem[] => {
  const inside = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))
  const path = [...at, ...inside]
  const value = valueAt(written, inside)
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known =
        inside[0] === 'when' ? (inside[2] === 'not' ? ['prefix'] : conditionMembers) : membersAt(schema, inside)
      return issue.keys.map((key) => {
        const { message, hint } = unknownMember(key, known)
        return file.problem([...path, key], message, hint, 'key')
      })
    }
    case 'invalid_type':
      return value === undefined
        ? [file.problem(path, `${String(inside.at(-1) ?? at.at(-1))} is missing`)]
        : [
            file.problem(
              path,
              `expected ${words[issue.expected] ?? issue.expected}, found ${kindOf(value)}`,
              quoteHint(issue.expected, value),
            ),
          ]
    case 'invalid_value':
      return value === undefined
        ? [file.problem(path, `${String(inside.at(-1))} is missing`, `one of ${issue.values.join(', ')}`)]
        : [
            file.problem(
              path,
              `${JSON.stringify(value)} is not one of ${issue.values.join(', ')}`,
              didYouMean(String(value), issue.values.map(String)),
            ),
          ]
    case 'invalid_union': {
      const inner = narrowed(issue, value)
      return inner.every(({ code }) => code === 'custom')
        ? unionProblems(file, path, value)
        : inner.flatMap((one) => issueProblems(file, at, written, one, schema))
    }
    case 'too_small':
      return [file.problem(path, tooSmall(issue, value))]
    case 'invalid_format':
      return [file.problem(path, `${JSON.stringify(value)} is no key`, issue.message)]
    default:
      return [file.problem(path, issue.message)]
  }
}

const words: Record<string, string> = {
  string: 'text',
  object: 'a map',
  record: 'a map',
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
}

const kindOf = (value: unknown): string =>
  value === null
    ? 'nothing'
    : Array.isArray(value)
      ? 'a list'
      : typeof value === 'object'
        ? 'a map'
        : `${typeof value === 'string' ? 'text' : typeof value} ${JSON.stringify(value)}`

const quoteHint = (expected: string, value: unknown): string | null =>
  expected === 'string' && (typeof value === 'number' || typeof value === 'boolean')
    ? 'write it in quotes, so that YAML does not read it as a number or a truth value'
    : expected === 'array' && typeof value === 'string'
      ? `write it as a list: [${value}]`
      : null

const tooSmall = (issue: z.core.$ZodIssueTooSmall, value: unknown): string =>
  Array.isArray(value)
    ? value.length === 0
      ? 'this list is empty'
      : `at least ${issue.minimum} are needed`
    : typeof value === 'string'
      ? 'this text is empty'
      : `must be at least ${issue.minimum}`

const conditionMembers = ['in', 'not', 'prefix', 'exists']

/** The only unions are a rule's `when` and its conditions. */
const unionProblems = (file: YamlFile, path: YamlPath, value: unknown): readonly Problem[] => {
  if (path.at(-1) === 'when')
    return [
      value === undefined
        ? file.problem(path, 'when is missing', 'write `when: everyone` if every worker should have this')
        : file.problem(path, 'when is a map of attributes to conditions, or `everyone`'),
    ]
  const form = 'a condition is a value, a list of values, or a map of in, not, prefix, exists'
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const strangers = Object.keys(value).filter((key) => !conditionMembers.includes(key))
    if (strangers.length > 0)
      return strangers.map((key) => {
        const { message, hint } = unknownMember(key, conditionMembers)
        return file.problem([...path, key], message, hint, 'key')
      })
  }
  return [
    file.problem(
      path,
      value === null
        ? 'this condition is empty'
        : Array.isArray(value) && value.length === 0
          ? 'this list is empty'
          : 'this is no condition',
      form,
    ),
  ]
}

const valueAt = (root: unknown, path: YamlPath): unknown =>
  path.reduce<unknown>(
    (value, step) =>
      typeof value === 'object' && value !== null ? (value as Record<string | number, unknown>)[step] : undefined,
    root,
  )

const membersAt = (schema: z.ZodType, path: YamlPath): readonly string[] => {
  let here: unknown = schema
  for (const step of path) {
    here = bare(here)
    here =
      here instanceof z.ZodObject ? here.shape[String(step)] : here instanceof z.ZodArray ? here.element : undefined
  }
  here = bare(here)
  return here instanceof z.ZodObject ? Object.keys(here.shape) : []
}

const bare = (schema: unknown): unknown => (schema instanceof z.ZodOptional ? bare(schema.unwrap()) : schema)
