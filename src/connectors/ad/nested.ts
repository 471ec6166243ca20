/** Group → the groups that it is a direct member of. */
export type Parents<G extends string> = ReadonlyMap<G, readonly G[]>

/**
 * Groups that whoever is in `direct` is in by nesting, each with a shortest way to it: a direct group first, the group
 * itself last. A direct group is among them where another direct group leads to it, for leaving it then ends nothing. AD
 * allows groups to contain each other in a circle; each is visited once.
 */
export const nestedGroups = <G extends string>(
  direct: Iterable<G>,
  parents: Parents<G>,
): ReadonlyMap<G, readonly G[]> => {
  const found = new Map<G, readonly G[]>()
  for (const start of new Set(direct))
    for (const [group, way] of waysFrom(start, parents))
      if (group !== start && way.length < (found.get(group)?.length ?? Number.POSITIVE_INFINITY)) found.set(group, way)
  return found
}

const waysFrom = <G extends string>(start: G, parents: Parents<G>): ReadonlyMap<G, readonly G[]> => {
  const ways = new Map<G, readonly G[]>([[start, [start]]])
  for (const [group, way] of ways)
    for (const parent of parents.get(group) ?? []) if (!ways.has(parent)) ways.set(parent, [...way, parent])
  return ways
}
