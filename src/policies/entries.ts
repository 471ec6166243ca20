import type { z } from 'zod'
import { mendEntry } from './mend-entry.ts'
import { entryKey, type Section, sectionNames, sections } from './policy-document.ts'
import { didYouMean, type Problem } from './problem.ts'
import { schemaProblems } from './schema-problems.ts'
import { type PolicyFile, readYamlFile, type YamlFile, type YamlPath } from './yaml-file.ts'

/**
 * One keyed thing in a file. When its form was wrong, `value` is what could be saved of it (`mended`) or null; its key
 * still counts as known.
 */
export type Entry<S extends Section = Section> = {
  readonly key: string
  readonly value: z.infer<(typeof sections)[S]> | null
  readonly mended: boolean
  /** A problem at a path inside the entry. */
  readonly problem: (path: YamlPath, message: string, hint?: string | null, at?: 'key' | 'value') => Problem
  readonly textStart: (path: YamlPath) => { readonly line: number; readonly column: number } | null
}

export type Entries = { readonly [S in Section]: ReadonlyMap<string, Entry<S>> }

/** `complete` is false when some file could not be read: then nobody knows which keys it defines. */
export const readEntries = (
  files: readonly PolicyFile[],
): { readonly entries: Entries; readonly problems: readonly Problem[]; readonly complete: boolean } => {
  const found = {
    entitlements: new Map<string, Entry<'entitlements'>>(),
    roles: new Map<string, Entry<'roles'>>(),
    birthright: new Map<string, Entry<'birthright'>>(),
    implications: new Map<string, Entry<'implications'>>(),
    sod: new Map<string, Entry<'sod'>>(),
    exceptions: new Map<string, Entry<'exceptions'>>(),
  }
  const problems: Problem[] = []
  let complete = true
  for (const source of files) {
    const { file, problems: unreadable } = readYamlFile(source)
    problems.push(...unreadable)
    if (file.value === undefined) complete = false
    if (file.value === undefined || file.value === null) continue
    if (!isMembers(file.value)) {
      problems.push(
        file.problem(
          [],
          'a policy file has the sections that it needs as its members',
          `sections: ${sectionNames.join(', ')}`,
        ),
      )
      complete = false
      continue
    }
    for (const [name, content] of Object.entries(file.value)) {
      const section = sectionNames.find((known) => known === name)
      if (section === undefined) {
        problems.push(
          file.problem(
            [name],
            `unknown section ${JSON.stringify(name)}`,
            didYouMean(name, sectionNames) ?? `sections: ${sectionNames.join(', ')}`,
            'key',
          ),
        )
        complete = false
      } else {
        problems.push(...readSection(file, section, content, found[section]))
      }
    }
  }
  return { entries: found, problems, complete }
}

const isMembers = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const readSection = <S extends Section>(
  file: YamlFile,
  section: S,
  content: unknown,
  known: Map<string, Entry<S>>,
): readonly Problem[] => {
  if (content === null) return []
  if (!isMembers(content)) return [file.problem([section], `${section} is a map of keys to what they stand for`)]
  return Object.entries(content).flatMap(([key, written]) => {
    const badKey = entryKey.safeParse(key).error?.issues[0]?.message
    if (badKey !== undefined) return [file.problem([section, key], `${JSON.stringify(key)} is no key`, badKey, 'key')]
    const earlier = known.get(key)
    if (earlier !== undefined) {
      const { path, line } = earlier.problem([], '')
      return [
        file.problem(
          [section, key],
          `${key} is defined a second time`,
          `first at ${path}:${line}; remove or rename one`,
          'key',
        ),
      ]
    }
    const parsed = sections[section].safeParse(written)
    known.set(key, {
      key,
      value: (parsed.success
        ? parsed.data
        : (mendEntry(section, written, parsed.error.issues) ?? null)) as Entry<S>['value'],
      mended: !parsed.success,
      problem: (path, message, hint, at = path.length === 0 ? 'key' : 'value') =>
        file.problem([section, key, ...path], message, hint, at),
      textStart: (path) => file.textStart([section, key, ...path]),
    })
    return parsed.success ? [] : schemaProblems(file, [section, key], written, parsed.error.issues, sections[section])
  })
}
