/** The tenant's own administrators: changes that come from elsewhere than Graph, without permissions, lag of decision or cost. */
import type { Group, User } from '@microsoft/microsoft-graph-types'
import type { Clock } from './clock.ts'
import { instantOf } from './clock.ts'
import type { Tenant } from './context.ts'
import { groupsOf, membersOf } from './directory.ts'
import type { Change, Hidden, StoredGroup, StoredUser } from './entry.ts'
import { has } from './ordered.ts'
import type { Store } from './store.ts'

export type Hand = {
  /** Any property may be given, also onPremisesSyncEnabled; what is missing is made up. Returns the id. */
  readonly addUser: (properties?: User, hidden?: Hidden) => string
  readonly addGroup: (properties?: Group) => string
  readonly addMembers: (group: string, members: readonly string[]) => void
  readonly removeMembers: (group: string, members: readonly string[]) => void
  readonly patchUser: (id: string, properties: User, hidden?: Hidden) => void
  readonly patchGroup: (id: string, properties: Group) => void
  /** Soft for a user and a Microsoft 365 group, unless `forever`. */
  readonly remove: (id: string, forever?: boolean) => void
}

export const openHand = (store: Store, tenant: Tenant, clock: Clock, newId: () => string): Hand => {
  const { primary } = store
  let made = 0
  const entryOf = (id: string) => {
    const entry = primary.entries.get(id)
    if (entry === undefined) throw new Error(`no object ${id} in the directory`)
    return entry
  }
  const links = (kind: 'join' | 'leave', group: string, members: readonly string[]) => {
    entryOf(group)
    const now = membersOf(primary, group)
    const touched = members.filter((member) => has(now, member) === (kind === 'leave'))
    store.commit(touched.map((member): Change => ({ kind, group, member })))
  }
  return {
    addUser: (properties = {}, hidden = {}) => {
      const id = properties.id ?? newId()
      made++
      const entry: StoredUser = {
        kind: 'user',
        id,
        serial: 0,
        hidden,
        properties: {
          accountEnabled: true,
          displayName: `User ${made}`,
          mailNickname: `user${made}`,
          userType: 'Member',
          createdDateTime: instantOf(clock.epochMs()),
          ...properties,
          id,
          userPrincipalName: properties.userPrincipalName ?? `user${made}@${tenant.domains[0]?.name ?? 'example.org'}`,
        },
      }
      store.commit([{ kind: 'put', entry, touched: Object.keys(entry.properties), isNew: true }])
      return id
    },
    addGroup: (properties = {}) => {
      const id = properties.id ?? newId()
      made++
      const entry: StoredGroup = {
        kind: 'group',
        id,
        serial: 0,
        hidden: {},
        properties: {
          displayName: `Group ${made}`,
          mailNickname: `group${made}`,
          mailEnabled: false,
          securityEnabled: true,
          groupTypes: [],
          createdDateTime: instantOf(clock.epochMs()),
          renewedDateTime: instantOf(clock.epochMs()),
          ...properties,
          id,
        },
      }
      store.commit([{ kind: 'put', entry, touched: Object.keys(entry.properties), isNew: true }])
      return id
    },
    addMembers: (group, members) => links('join', group, members),
    removeMembers: (group, members) => links('leave', group, members),
    patchUser: (id, properties, hidden) => {
      const entry = entryOf(id)
      if (entry.kind !== 'user') throw new Error(`${id} is no user`)
      const userPrincipalName = properties.userPrincipalName ?? entry.properties.userPrincipalName
      const changed = {
        ...entry,
        properties: { ...entry.properties, ...properties, id, userPrincipalName },
        hidden: hidden ?? entry.hidden,
      }
      store.commit([{ kind: 'put', entry: changed, touched: Object.keys(properties), isNew: false }])
    },
    patchGroup: (id, properties) => {
      const entry = entryOf(id)
      if (entry.kind !== 'group') throw new Error(`${id} is no group`)
      const changed = { ...entry, properties: { ...entry.properties, ...properties, id } }
      store.commit([{ kind: 'put', entry: changed, touched: Object.keys(properties), isNew: false }])
    },
    remove: (id, forever = false) => {
      const entry = entryOf(id)
      const memberOf = [...groupsOf(primary, id).at.keys()]
      const members = [...membersOf(primary, id).at.keys()]
      const isSoft = !forever && (entry.kind === 'user' || (entry.properties.groupTypes ?? []).includes('Unified'))
      const kept = isSoft ? { entry, deletedDateTime: instantOf(clock.epochMs()), memberOf, members } : null
      store.commit([
        ...memberOf.map((group): Change => ({ kind: 'leave', group, member: id, memberDeleted: true })),
        ...members.map((member): Change => ({ kind: 'leave', group: id, member })),
        { kind: 'delete', id, type: entry.kind, kept },
      ])
    },
  }
}
