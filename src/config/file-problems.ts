import type { z } from 'zod'
import { connectorTypes } from '../connectors/registry.ts'
import { didYouMean, type Problem } from '../policies/problem.ts'
import type { YamlFile, YamlPath } from '../policies/yaml-file.ts'
import { knownMembers } from './known-members.ts'

/** zod's issues with muster.yaml as mistakes at their places, in words for whoever writes the file. Never quotes a value. */
export const fileProblems = (
  file: YamlFile,
  issues: readonly z.core.$ZodIssue[],
  at: YamlPath = [],
): readonly Problem[] =>
  issues.flatMap((issue): readonly Problem[] => {
    const path = [...at, ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))]
    const member = memberName(path)
    switch (issue.code) {
      case 'unrecognized_keys':
        return issue.keys.map((key) =>
          file.problem(
            [...path, key],
            `unknown member ${JSON.stringify(key)}`,
            didYouMean(key, knownMembers(file.value, path)) ?? 'see schemas/muster.schema.json for what is known here',
            'key',
          ),
        )
      case 'invalid_type':
        return [
          isThere(file, path)
            ? file.problem(path, `${member} should be ${words[issue.expected] ?? issue.expected}`)
            : file.problem(path, `${member} is missing`),
        ]
      case 'invalid_value': {
        const known = issue.values.map(String)
        const written = valueAt(file.value, path)
        const near = typeof written === 'string' ? didYouMean(written, known) : null
        return [
          file.problem(path, `${member} is ${known.length === 1 ? known[0] : `one of ${known.join(', ')}`}`, near),
        ]
      }
      case 'invalid_union':
        return issue.errors.length === 1
          ? fileProblems(file, issue.errors[0] ?? [], path)
          : [
              file.problem(
                path,
                `${member} is not of a known kind`,
                issue.discriminator === undefined
                  ? null
                  : `${issue.discriminator} says which: kafka for sources; ${targetTypes} for targets`,
              ),
            ]
      case 'too_small':
        return [
          file.problem(
            path,
            issue.origin === 'array'
              ? `${member} is an empty list`
              : issue.origin === 'string'
                ? issue.message
                : `${member} must be at least ${issue.minimum}`,
          ),
        ]
      case 'too_big':
        return [
          file.problem(
            path,
            issue.origin === 'string' ? `${member} is too long` : `${member} must be at most ${issue.maximum}`,
          ),
        ]
      case 'custom': {
        const { written, known } = issue.params ?? {}
        const hint =
          typeof written === 'string' && Array.isArray(known)
            ? (didYouMean(written, known.map(String)) ?? `known here: ${known.join(', ')}`)
            : null
        return [file.problem(path, `${member}: ${issue.message}`, hint)]
      }
      default:
        return [file.problem(path, `${member}: ${issue.message}`)]
    }
  })

/**
 * What is left of zod's issues when some members were taken out of the value: neither what it says of their absence, nor what a
 * rule or a choice around them says because of it. An unknown member beside them stays told.
 */
export const withoutEffectsOf = (
  takenOut: readonly YamlPath[],
  issues: readonly z.core.$ZodIssue[],
): readonly z.core.$ZodIssue[] =>
  issues.filter(({ code, path }) => {
    const isAround = code === 'custom' || code === 'invalid_union'
    return !takenOut.some(
      (out) => path.every((step, at) => step === out[at]) && (path.length === out.length || isAround),
    )
  })

/** What a place is called in a message: its member, with the position in a list, e.g. `urls[0]`. */
export const memberName = (path: YamlPath): string => {
  const name = path.findLastIndex((step) => typeof step === 'string')
  const positions = path.slice(name + 1).map((step) => `[${step}]`)
  return `${path[name] ?? 'muster.yaml'}${positions.join('')}`
}

const typeNames = connectorTypes.map(({ type }) => type)
const targetTypes = `${typeNames.slice(0, -1).join(', ')} or ${typeNames.at(-1)}`

const words: Record<string, string> = {
  string: 'text',
  object: 'a map',
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
}

const valueAt = (root: unknown, path: YamlPath): unknown =>
  path.reduce<unknown>(
    (value, step) =>
      typeof value === 'object' && value !== null ? (value as Record<string | number, unknown>)[step] : undefined,
    root,
  )

const isThere = (file: YamlFile, path: YamlPath): boolean => valueAt(file.value, path) !== undefined
