import { rolesOf } from './build-policy-set.ts'
import type { Entries, Entry } from './entries.ts'
import { implicationsOf, impliedPairs, listedOf } from './implied-pairs.ts'
import { mirrored, type NamedAlike } from './mirror.ts'
import type { Problem } from './problem.ts'
import { wayRound } from './way-round.ts'

type ImplicationEntry = Entry<'implications'>
type Mirrors = NonNullable<NonNullable<ImplicationEntry['value']>['mirrors']>

/** Implications that say two things or nothing, that leave something without a counterpart, or that come round to themselves. */
export const checkImplications = (
  entries: Entries,
  targets: readonly string[],
  complete: boolean,
): readonly Problem[] => [
  ...[...entries.implications.values()].flatMap((entry) => {
    // What was mended lost the very members that are asked for here.
    if (entry.value === null || entry.mended) return []
    const problems = checkForm(entry, entry.value)
    const { mirrors } = entry.value
    return problems.length > 0 || mirrors === undefined || !complete || !isKnown(mirrors, targets)
      ? problems
      : checkMirrors(entry, mirrors, entries)
  }),
  ...checkCycles(entries),
]

/** Targets that are unknown were told of already. */
const isKnown = ({ from, to }: Mirrors, targets: readonly string[]): boolean =>
  targets.includes(from.target) && targets.includes(to.target)

const checkForm = (
  entry: ImplicationEntry,
  { holds, grants, mirrors }: NonNullable<ImplicationEntry['value']>,
): readonly Problem[] => {
  if (mirrors !== undefined && (holds !== undefined || grants !== undefined))
    return [entry.problem(['mirrors'], 'this says both single entitlements and names', 'make two implications of it')]
  if (mirrors !== undefined)
    return (['from', 'to'] as const).flatMap((side) =>
      (mirrors[side].key === undefined) === (mirrors[side].lookup === undefined)
        ? [entry.problem(['mirrors', side], 'names are compared by `key` or by `lookup`: give one of them')]
        : [],
    )
  if (holds === undefined || grants === undefined)
    return [
      entry.problem(
        [],
        `implication ${entry.key} lacks ${holds === undefined ? (grants === undefined ? 'holds and grants' : 'holds') : 'grants'}`,
        'give `holds` and `grants`, or `mirrors`',
      ),
    ]
  return (grants.roles ?? []).length + (grants.entitlements ?? []).length === 0
    ? [entry.problem(['grants'], `implication ${entry.key} grants nothing`, 'list roles or entitlements')]
    : []
}

/** Nothing falls out of a mirror in silence: access that its author believes to be there would be missing. */
const checkMirrors = (entry: ImplicationEntry, mirrors: Mirrors, entries: Entries): readonly Problem[] => {
  // While an entitlement cannot be read, nobody knows what it is called.
  if ([...entries.entitlements.values()].some(({ value }) => value === null)) return []
  const { from, to, except = [] } = mirrors
  const found = mirrored(listedOf(entries), from, to)
  if (found.length === 0)
    return [entry.problem(['mirrors', 'from'], `no entitlement of ${from.target} has ${words(from)}`)]
  return [
    ...found.flatMap(({ holds, gives }) => {
      if (gives.length === 1 || except.includes(holds)) return []
      return gives.length === 0
        ? [
            entry.problem(
              ['mirrors', 'to'],
              `${holds} has no counterpart: no entitlement of ${to.target} has ${words(to)} with the same name`,
              'list the counterpart in the catalogue, or the one without under `except`',
            ),
          ]
        : [
            entry.problem(
              ['mirrors', 'to'],
              `${holds} has several counterparts: ${gives.join(', ')}`,
              'say with `holds` and `grants` which one is meant, and list it under `except`',
            ),
          ]
    }),
    ...except.flatMap((key, i) =>
      found.some(({ holds, gives }) => holds === key && gives.length !== 1) || !entries.entitlements.has(key)
        ? []
        : [
            entry.problem(
              ['mirrors', 'except', i],
              found.some(({ holds }) => holds === key)
                ? `${key} has a counterpart`
                : `${key} is no entitlement of ${from.target} with ${words(from)}`,
              'remove it from `except`',
            ),
          ],
    ),
  ]
}

const words = ({ key, lookup }: NamedAlike): string => (key === undefined ? `the lookup ${lookup}` : `the key ${key}`)

/** Each circle is told once, of the implication that makes a step of it and comes first. */
const checkCycles = (entries: Entries): readonly Problem[] => {
  const roles = rolesOf(entries)
  const implied = implicationsOf(entries, roles)
  const catalogue = listedOf(entries)
  const told = new Set<string>()
  return [...entries.implications.values()].flatMap((entry) =>
    (entry.value === null ? [] : impliedPairs(entry.value, catalogue, roles)).flatMap(({ holds }) => {
      if (told.has(holds)) return []
      const cycle = wayRound((key) => implied.get(key) ?? [], holds)
      if (cycle === null) return []
      for (const key of cycle) told.add(key)
      return [
        entry.problem(
          [],
          `implication ${entry.key} comes round to where it began: ${cycle.join(' → ')}`,
          'nobody could say what it follows from: take one step out',
        ),
      ]
    }),
  )
}
