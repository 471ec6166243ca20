/** What moto does not keep: who is in which group as a set, what SCIM set, what was updated. */
import type { Json } from './wire.ts'

export type UserRecord = {
  /** Everything that was created or updated, in the form of the API. */
  attributes: Json
  externalIds: readonly Json[]
  status: 'ENABLED' | 'DISABLED'
  revision: number
}
export type GroupRecord = { attributes: Json; externalIds: readonly Json[]; revision: number }
export type Membership = { readonly id: string; readonly group: string; readonly user: string }

export type State = {
  /** What is not documented: whether GetUserId takes names that differ in case for the same. */
  foldsCase: boolean
  readonly users: Map<string, UserRecord>
  readonly groups: Map<string, GroupRecord>
  readonly memberships: {
    readonly of: (group: string, user: string) => Membership | undefined
    readonly byId: (id: string) => Membership | undefined
    readonly ofUser: (user: string) => readonly Membership[]
    readonly ofGroup: (group: string) => readonly Membership[]
    readonly add: (membership: Membership) => void
    readonly remove: (membership: Membership) => void
  }
}

export const createState = (): State => {
  const byId = new Map<string, Membership>()
  const byPair = new Map<string, Membership>()
  const byUser = new Map<string, Set<Membership>>()
  const byGroup = new Map<string, Set<Membership>>()
  const setOf = (map: Map<string, Set<Membership>>, key: string) => {
    const set = map.get(key) ?? new Set<Membership>()
    map.set(key, set)
    return set
  }
  return {
    foldsCase: false,
    users: new Map(),
    groups: new Map(),
    memberships: {
      of: (group, user) => byPair.get(`${group} ${user}`),
      byId: (id) => byId.get(id),
      ofUser: (user) => [...(byUser.get(user) ?? [])],
      ofGroup: (group) => [...(byGroup.get(group) ?? [])],
      add: (membership) => {
        byId.set(membership.id, membership)
        byPair.set(`${membership.group} ${membership.user}`, membership)
        setOf(byUser, membership.user).add(membership)
        setOf(byGroup, membership.group).add(membership)
      },
      remove: (membership) => {
        byId.delete(membership.id)
        byPair.delete(`${membership.group} ${membership.user}`)
        setOf(byUser, membership.user).delete(membership)
        setOf(byGroup, membership.group).delete(membership)
      },
    },
  }
}
