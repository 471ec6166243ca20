import { resolve } from 'node:path'
import type { Problem } from '../policies/problem.ts'
import type { YamlFile, YamlPath } from '../policies/yaml-file.ts'
import { memberName } from './file-problems.ts'
import { fileMembers, secretMembers } from './muster-file.ts'
import { type Environment, referencePattern, resolveReference } from './secret-reference.ts'

type Plain = { [key: string]: unknown }

/** A reference that a file answered: what it holds may be another secret tomorrow. */
export type SecretFile = { readonly path: YamlPath; readonly file: string }

/**
 * The file's value with every text `env:NAME` or `file:PATH` replaced by what it names. A secret that is written out is a
 * mistake; relative file names become absolute. Unresolved references stay out of the value (undefined). With `what-is-there`
 * no secret is read (a text stands for it, so that the rules beside it are judged), and a reference that names nothing is no mistake.
 */
export const withReferencesResolved = (
  file: YamlFile,
  env: Environment,
  directory: string,
  wanted: 'all' | 'what-is-there' = 'all',
): {
  readonly value: unknown
  readonly problems: readonly Problem[]
  readonly unresolved: readonly YamlPath[]
  readonly files: readonly SecretFile[]
} => {
  const problems: Problem[] = []
  const unresolved: YamlPath[] = []
  const files: SecretFile[] = []
  /** Who only reads needs no secret, nor what is not here; but a target without its name is none. */
  const isLeft = (path: YamlPath) => wanted === 'what-is-there' && isMember(path, secretMembers)
  const mayMiss = (path: YamlPath) => wanted === 'what-is-there' && path.at(-1) !== 'id'
  const walk = (value: unknown, path: YamlPath): unknown => {
    if (Array.isArray(value)) return value.map((item, index) => walk(item, [...path, index]))
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, walk(inner, [...path, key])]))
    if (typeof value !== 'string') return value
    if (value.startsWith('file:') && isMember(path, fileMembers)) {
      problems.push(
        file.problem(
          path,
          `${memberName(path)} takes a path; file: would give what the file holds`,
          'write the path alone, relative to this file, or env:NAME',
        ),
      )
      unresolved.push(path)
      return undefined
    }
    if (referencePattern.test(value)) {
      if (isLeft(path)) return unread
      const resolved = resolveReference(value, env, directory)
      if (resolved.ok) {
        if (resolved.file !== null) files.push({ path, file: resolved.file })
        return inDirectory(path, resolved.value, directory)
      }
      if (!mayMiss(path)) problems.push(file.problem(path, `${memberName(path)}: ${resolved.message}`, resolved.hint))
      unresolved.push(path)
      return undefined
    }
    if (isMember(path, secretMembers)) {
      problems.push(
        file.problem(
          path,
          `${memberName(path)} is a secret and must not be written here`,
          'write env:NAME or file:PATH, and change the secret: whoever read this file knows it',
        ),
      )
      unresolved.push(path)
      return undefined
    }
    return inDirectory(path, value, directory)
  }
  return { value: walk(file.value as Plain, []), problems, unresolved, files }
}

const unread = 'unread'

/** The value with a text at each of these places. */
export const withStandIns = (value: unknown, places: readonly YamlPath[]): unknown => {
  const filled: unknown = structuredClone(value)
  for (const place of places) {
    const around = place.slice(0, -1).reduce<unknown>((inner, step) => (inner as Plain | undefined)?.[step], filled)
    const last = place.at(-1)
    if (typeof around === 'object' && around !== null && last !== undefined) (around as Plain)[last] = unread
  }
  return filled
}

const inDirectory = (path: YamlPath, value: string, directory: string): string =>
  isMember(path, fileMembers) ? resolve(directory, value) : value

/** `path` = targets, index, member… */
const isMember = (path: YamlPath, members: readonly (readonly string[])[]): boolean =>
  path[0] === 'targets' && members.some((member) => member.join('/') === path.slice(2).join('/'))
