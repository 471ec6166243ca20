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
  /** Each page of a list asks for all of it: made once for as long as nothing changes. */
  const lists = new WeakMap<Set<Membership>, readonly Membership[]>()
  const listOf = (set: Set<Membership> | undefined): readonly Membership[] => {
    if (set === undefined) return []
    const list = lists.get(set) ?? [...set]
    lists.set(set, list)
    return list
  }
  const change = (membership: Membership, how: 'add' | 'delete') => {
    for (const set of [setOf(byUser, membership.user), setOf(byGroup, membership.group)]) {
      set[how](membership)
      lists.delete(set)
    }
  }
  return {
    foldsCase: false,
    users: new Map(),
    groups: new Map(),
    memberships: {
      of: (group, user) => byPair.get(`${group} ${user}`),
      byId: (id) => byId.get(id),
      ofUser: (user) => listOf(byUser.get(user)),
      ofGroup: (group) => listOf(byGroup.get(group)),
      add: (membership) => {
        byId.set(membership.id, membership)
        byPair.set(`${membership.group} ${membership.user}`, membership)
        change(membership, 'add')
      },
      remove: (membership) => {
        byId.delete(membership.id)
        byPair.delete(`${membership.group} ${membership.user}`)
        change(membership, 'delete')
      },
    },
  }
}
