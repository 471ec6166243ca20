import type { Entries, Entry } from './entries.ts'
import { didYouMean, type Problem } from './problem.ts'
import type { YamlPath } from './yaml-file.ts'

/** Every name that a file mentions must stand for something. */
export const checkReferences = (entries: Entries, targets: readonly string[]): readonly Problem[] => {
  const problems: Problem[] = []
  const onTarget = (entry: Entry, path: YamlPath, target: string) => {
    if (!targets.includes(target))
      problems.push(
        entry.problem(
          path,
          `unknown target ${target}`,
          didYouMean(target, targets) ?? `targets in muster.yaml: ${targets.join(', ') || 'none'}`,
        ),
      )
  }
  const bundle = (
    entry: Entry,
    at: YamlPath,
    names: { roles?: readonly string[] | undefined; entitlements?: readonly string[] | undefined },
  ) => {
    for (const section of ['roles', 'entitlements'] as const) {
      const listed = names[section] ?? []
      listed.forEach((name, i) => {
        const path = [...at, section, i]
        const what = section === 'roles' ? 'role' : 'entitlement'
        if (!entries[section].has(name))
          problems.push(entry.problem(path, `unknown ${what} ${name}`, strangerHint(name, section, entries)))
        else if (listed.indexOf(name) < i) problems.push(entry.problem(path, `${name} is listed twice`))
      })
    }
  }
  for (const entry of entries.entitlements.values())
    if (entry.value !== null) onTarget(entry, ['target'], entry.value.target)
  for (const entry of entries.roles.values()) if (entry.value) bundle(entry, [], entry.value)
  for (const entry of entries.birthright.values()) if (entry.value) bundle(entry, ['grants'], entry.value.grants)
  for (const entry of entries.implications.values()) {
    const { holds, grants, mirrors } = entry.value ?? {}
    if (holds !== undefined && !entries.entitlements.has(holds))
      problems.push(
        entry.problem(['holds'], `unknown entitlement ${holds}`, strangerHint(holds, 'entitlements', entries)),
      )
    if (grants !== undefined) bundle(entry, ['grants'], grants)
    if (mirrors === undefined) continue
    for (const side of ['from', 'to'] as const) onTarget(entry, ['mirrors', side, 'target'], mirrors[side].target)
    mirrors.except?.forEach((key, i) => {
      if (!entries.entitlements.has(key))
        problems.push(
          entry.problem(
            ['mirrors', 'except', i],
            `unknown entitlement ${key}`,
            strangerHint(key, 'entitlements', entries),
          ),
        )
    })
  }
  for (const entry of entries.sod.values())
    for (const [i, side] of (entry.value?.sides ?? []).entries()) bundle(entry, ['sides', i], side)
  for (const entry of entries.exceptions.values()) {
    const policy = entry.value?.policy
    if (policy !== undefined && !entries.sod.has(policy))
      problems.push(
        entry.problem(['policy'], `unknown SoD policy ${policy}`, didYouMean(policy, entries.sod.keys()) ?? null),
      )
  }
  return problems
}

const strangerHint = (name: string, section: 'roles' | 'entitlements', entries: Entries): string | null => {
  const other = section === 'roles' ? 'entitlements' : 'roles'
  if (entries[other].has(name)) return `it is one of the ${other}: list it there`
  return didYouMean(name, entries[section].keys())
}
