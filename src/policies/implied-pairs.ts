import type { Entries, Entry } from './entries.ts'
import { type Listed, mirrored } from './mirror.ts'
import type { ImpliedPair, RoleDef } from './policy-set.ts'
import { expandRole } from './role-expansion.ts'

type Implication = NonNullable<Entry<'implications'>['value']>

/** What an implication means, pair by pair, sorted. What has no counterpart, or several, makes no pair: see check-implications. */
export const impliedPairs = (
  { holds, grants, mirrors }: Implication,
  catalogue: readonly Listed[],
  roles: ReadonlyMap<string, RoleDef>,
): readonly ImpliedPair[] => {
  const pairs: ImpliedPair[] = []
  if (holds !== undefined && grants !== undefined) {
    for (const gives of new Set(grants.entitlements)) pairs.push({ holds, gives, path: [] })
    for (const role of new Set(grants.roles))
      for (const [gives, path] of expandRole(roles, role)) pairs.push({ holds, gives, path })
  }
  if (mirrors !== undefined)
    for (const { holds: own, gives } of mirrored(catalogue, mirrors.from, mirrors.to))
      if (gives.length === 1) pairs.push({ holds: own, gives: gives[0] as string, path: [] })
  return pairs.sort(byNames)
}

/** Entitlements that can be given, as far as their entries could be read. */
export const listedOf = ({ entitlements }: Entries): readonly Listed[] =>
  [...entitlements.values()].flatMap(({ key, value }) =>
    value === null ? [] : [{ key, target: value.target, lookup: value.lookup }],
  )

/** Entitlement → what it implies by one step, by whatever implication. */
export const implicationsOf = (
  entries: Entries,
  roles: ReadonlyMap<string, RoleDef>,
): ReadonlyMap<string, readonly string[]> => {
  const catalogue = listedOf(entries)
  const implied = new Map<string, Set<string>>()
  for (const { value } of entries.implications.values())
    for (const { holds, gives } of value === null ? [] : impliedPairs(value, catalogue, roles))
      implied.set(holds, (implied.get(holds) ?? new Set()).add(gives))
  return new Map([...implied].map(([holds, gives]) => [holds, [...gives].sort()]))
}

/** All of these and whatever follows from them. */
export const withImplied = (
  implied: ReadonlyMap<string, readonly string[]>,
  keys: Iterable<string>,
): ReadonlySet<string> => {
  const all = new Set(keys)
  // A set goes on to what is added to it on the way.
  for (const key of all) for (const follows of implied.get(key) ?? []) all.add(follows)
  return all
}

const byNames = (a: ImpliedPair, b: ImpliedPair): number => {
  const [x, y] = [JSON.stringify([a.holds, a.gives, a.path]), JSON.stringify([b.holds, b.gives, b.path])]
  return x < y ? -1 : x > y ? 1 : 0
}
