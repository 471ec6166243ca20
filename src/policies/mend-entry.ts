import type { z } from 'zod'
import { type Section, sections } from './policy-document.ts'

/** Stand-ins for members that no further check looks at. */
const fillers: { readonly [S in Section]: Readonly<Record<string, string>> } = {
  entitlements: { risk: 'low', owner: '-', description: '-' },
  roles: {},
  birthright: {},
  implications: {},
  sod: { severity: 'low', description: '-' },
  exceptions: { reason: '-', control: '-' },
}

/**
 * A malformed entry without its malformed members, so that its other mistakes can be told in the same run; undefined
 * when too little is left. Only for finding problems: what was mended is never built.
 */
export const mendEntry = (section: Section, written: unknown, issues: readonly z.core.$ZodIssue[]): unknown => {
  if (!isMembers(written)) return undefined
  const mended = structuredClone(written)
  for (const issue of issues) for (const path of faultyPaths(issue, mended)) remove(mended, path)
  for (const [member, filler] of Object.entries(fillers[section])) mended[member] ??= filler
  if (isMembers(mended.when) && Object.keys(mended.when).length === 0) mended.when = 'everyone'
  const parsed = sections[section].safeParse(mended)
  return parsed.success ? parsed.data : undefined
}

const faultyPaths = (issue: z.core.$ZodIssue, written: unknown): readonly PropertyKey[][] => {
  // A condition is judged as a whole or not at all.
  if (issue.path[0] === 'when' && issue.path.length > 1) return [issue.path.slice(0, 2)]
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => [...issue.path, key])
  if (issue.code !== 'invalid_union') return [issue.path]
  return narrowed(issue, valueAt(written, issue.path)).flatMap((inner) => faultyPaths(inner, written))
}

/**
 * What is wrong inside a union's value: only `when` has an inside worth looking at, its map of conditions; anything
 * else is wrong as a whole. Paths are given from where the union's own path begins.
 */
export const narrowed = (issue: z.core.$ZodIssueInvalidUnion, value: unknown): readonly z.core.$ZodIssue[] => {
  const inMap = issue.path.at(-1) === 'when' && isMembers(value) ? (issue.errors.at(-1) ?? []) : []
  return inMap.length > 0
    ? inMap.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }))
    : [{ ...issue, code: 'custom', message: issue.message, input: value } as z.core.$ZodIssue]
}

const isMembers = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const valueAt = (root: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (value, step) =>
      typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[step] : undefined,
    root,
  )

/** Positions in a list are left alone: what follows would slide to places that its author did not write. */
const remove = (root: unknown, path: readonly PropertyKey[]): void => {
  const parent = valueAt(root, path.slice(0, -1))
  if (isMembers(parent)) delete parent[String(path.at(-1))]
}
