import { lookupKey } from '../domain/lookup-key.ts'
import { rolesOf } from './build-policy-set.ts'
import type { Entries } from './entries.ts'
import type { Problem } from './problem.ts'
import { roleCycle } from './role-expansion.ts'
import { readTimestamp } from './timestamp.ts'

/** What is wrong with single entitlements, roles, rules and exceptions beside their names. */
export const checkEntries = (entries: Entries): readonly Problem[] => [
  ...checkLookups(entries),
  ...checkBundles(entries),
  ...checkCycles(entries),
  ...checkExceptions(entries),
]

/** Two keys for one thing on the target would let it hide from a conflict of duties that names only one of them. */
const checkLookups = ({ entitlements }: Entries): readonly Problem[] => {
  const seen = new Map<string, string>()
  return [...entitlements.values()].flatMap((entry) => {
    if (entry.value === null) return []
    const native = JSON.stringify([entry.value.target, lookupKey(entry.value.lookup)])
    const first = seen.get(native)
    if (first === undefined) seen.set(native, entry.key)
    return first === undefined
      ? []
      : [
          entry.problem(
            ['lookup'],
            `this is the same thing on ${entry.value.target} as entitlement ${first}`,
            'one thing has one key: remove one of them',
          ),
        ]
  })
}

const checkBundles = ({ roles, birthright }: Entries): readonly Problem[] => {
  const isEmpty = ({
    roles: named = [],
    entitlements = [],
  }: {
    roles?: readonly string[] | undefined
    entitlements?: readonly string[] | undefined
  }) => named.length + entitlements.length === 0
  return [
    ...[...roles.values()].flatMap((entry) =>
      entry.value && !entry.mended && isEmpty(entry.value)
        ? [entry.problem([], `role ${entry.key} gives nothing`, 'list roles or entitlements')]
        : [],
    ),
    ...[...birthright.values()].flatMap((entry) =>
      entry.value && !entry.mended && isEmpty(entry.value.grants)
        ? [entry.problem(['grants'], `rule ${entry.key} grants nothing`, 'list roles or entitlements')]
        : [],
    ),
  ]
}

/** Each circle is told once, of the role in it that comes first. */
const checkCycles = (entries: Entries): readonly Problem[] => {
  const roles = rolesOf(entries)
  const told = new Set<string>()
  return [...entries.roles.values()].flatMap((entry) => {
    if (told.has(entry.key)) return []
    const cycle = roleCycle(roles, entry.key)
    if (cycle === null) return []
    for (const role of cycle) told.add(role)
    const at = entry.value?.roles?.indexOf(cycle[1] as string) ?? -1
    return [entry.problem(at < 0 ? [] : ['roles', at], `role ${entry.key} contains itself: ${cycle.join(' → ')}`)]
  })
}

const checkExceptions = ({ exceptions }: Entries): readonly Problem[] =>
  [...exceptions.values()].flatMap((entry) => {
    if (entry.value === null) return []
    const { person, approver, from, expires } = entry.value
    const problems: Problem[] = []
    if (person === approver)
      problems.push(
        entry.problem(['approver'], 'nobody approves an exception for themselves', 'somebody else must answer for it'),
      )
    const [begins, ends] = [readTimestamp(from), readTimestamp(expires)]
    const hint = 'a moment with its zone, e.g. 2026-12-01T00:00:00Z or 2026-12-01T00:00:00+05:30'
    if (begins === null) problems.push(entry.problem(['from'], `${from} is no RFC 3339 moment`, hint))
    if (ends === null) problems.push(entry.problem(['expires'], `${expires} is no RFC 3339 moment`, hint))
    if (begins !== null && ends !== null && ends <= begins)
      problems.push(entry.problem(['expires'], 'it expires before it begins: it would never work'))
    return problems
  })
