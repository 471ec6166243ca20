import type { RoleDef } from './policy-set.ts'
import { wayRound } from './way-round.ts'

/** Entitlement key → roles from the starting role down to the one that names it (the shortest way, first by key). */
export type Expansion = ReadonlyMap<string, readonly string[]>

/** What a role finally gives. Roles that do not exist or were visited are passed over: the parser reports those. */
export const expandRole = (roles: ReadonlyMap<string, RoleDef>, key: string): Expansion => {
  const found = new Map<string, readonly string[]>()
  const seen = new Set<string>([key])
  const queue: (readonly string[])[] = [[key]]
  for (const path of queue) {
    const role = roles.get(path.at(-1) as string)
    if (role === undefined) continue
    for (const entitlement of role.entitlements) if (!found.has(entitlement)) found.set(entitlement, path)
    for (const nested of role.roles) {
      if (seen.has(nested)) continue
      seen.add(nested)
      queue.push([...path, nested])
    }
  }
  return found
}

/** A way from a role back to itself, or null. */
export const roleCycle = (roles: ReadonlyMap<string, RoleDef>, key: string): readonly string[] | null =>
  wayRound((role) => roles.get(role)?.roles ?? [], key)
