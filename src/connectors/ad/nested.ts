/** Group → the groups that it is a direct member of. */
export type Parents<G extends string> = ReadonlyMap<G, readonly G[]>

/**
 * Groups that whoever is in `direct` is in by nesting, each with a shortest way to it: the direct group first, the group
 * itself last. AD allows groups to contain each other in a circle; each is visited once. A direct group is no nested one.
 */
export const nestedGroups = <G extends string>(
  direct: Iterable<G>,
  parents: Parents<G>,
): ReadonlyMap<G, readonly G[]> => {
  const ways = new Map<G, readonly G[]>([...direct].map((group) => [group, [group]]))
  const own = new Set(ways.keys())
  const queue = [...ways]
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const [group, way] = next
    for (const parent of parents.get(group) ?? []) {
      if (ways.has(parent)) continue
      const longer = [...way, parent]
      ways.set(parent, longer)
      queue.push([parent, longer])
    }
  }
  return new Map([...ways].filter(([group]) => !own.has(group)))
}
