/** One copy of the tenant's directory and the one way to change it. No clock, no randomness, no I/O. */
import type { Deleted, Entry, Kind, Logged, StoredGroup, StoredUser } from './entry.ts'
import { append, copyOf, has, type Ordered, ordered, remove } from './ordered.ts'

export type Directory = {
  readonly entries: Map<string, Entry>
  readonly deleted: Map<string, Deleted>
  readonly lists: Readonly<Record<Kind | 'deleted', Ordered>>
  readonly members: Map<string, Ordered>
  readonly memberOf: Map<string, Ordered>
  /** Property → value in lower case → ids. The directory compares strings without case. */
  readonly indexes: Readonly<Record<IndexedProperty, Map<string, Set<string>>>>
}

export const indexedProperties = ['userPrincipalName', 'employeeId', 'mail', 'mailNickname', 'displayName'] as const
export type IndexedProperty = (typeof indexedProperties)[number]

export const emptyDirectory = (): Directory => ({
  entries: new Map(),
  deleted: new Map(),
  lists: { user: ordered(), group: ordered(), deleted: ordered() },
  members: new Map(),
  memberOf: new Map(),
  indexes: {
    userPrincipalName: new Map(),
    employeeId: new Map(),
    mail: new Map(),
    mailNickname: new Map(),
    displayName: new Map(),
  },
})

export const copyDirectory = (from: Directory): Directory => ({
  entries: new Map(from.entries),
  deleted: new Map(from.deleted),
  lists: {
    user: copyOf(from.lists.user),
    group: copyOf(from.lists.group),
    deleted: copyOf(from.lists.deleted),
  },
  members: copyLists(from.members),
  memberOf: copyLists(from.memberOf),
  indexes: {
    userPrincipalName: copyIndex(from.indexes.userPrincipalName),
    employeeId: copyIndex(from.indexes.employeeId),
    mail: copyIndex(from.indexes.mail),
    mailNickname: copyIndex(from.indexes.mailNickname),
    displayName: copyIndex(from.indexes.displayName),
  },
})

const copyLists = (from: ReadonlyMap<string, Ordered>) => new Map([...from].map(([id, list]) => [id, copyOf(list)]))
const copyIndex = (from: ReadonlyMap<string, ReadonlySet<string>>) =>
  new Map([...from].map(([value, ids]) => [value, new Set(ids)]))

/** Applying the same changes in any order that keeps each object's own order ends in the same directory. */
export const apply = (directory: Directory, { serial, change }: Logged): void => {
  switch (change.kind) {
    case 'put':
    case 'restore': {
      const { entry } = change
      unindex(directory, directory.entries.get(entry.id))
      remove(directory.lists.deleted, entry.id)
      directory.deleted.delete(entry.id)
      if (!directory.entries.has(entry.id)) append(directory.lists[entry.kind], entry.id, serial)
      directory.entries.set(entry.id, entry)
      index(directory, entry)
      return
    }
    case 'delete': {
      unindex(directory, directory.entries.get(change.id))
      directory.entries.delete(change.id)
      remove(directory.lists[change.type], change.id)
      if (change.kept === null) return
      directory.deleted.set(change.id, change.kept)
      append(directory.lists.deleted, change.id, serial)
      return
    }
    case 'purge':
      directory.deleted.delete(change.id)
      remove(directory.lists.deleted, change.id)
      return
    case 'join':
      link(directory.members, change.group, change.member, serial)
      link(directory.memberOf, change.member, change.group, serial)
      return
    case 'leave':
      unlink(directory.members, change.group, change.member)
      unlink(directory.memberOf, change.member, change.group)
      return
  }
}

const link = (lists: Map<string, Ordered>, from: string, to: string, serial: number): void => {
  let list = lists.get(from)
  if (list === undefined) lists.set(from, (list = ordered()))
  if (!has(list, to)) append(list, to, serial)
}

const unlink = (lists: Map<string, Ordered>, from: string, to: string): void => {
  const list = lists.get(from)
  if (list === undefined) return
  remove(list, to)
  if (list.at.size === 0) lists.delete(from)
}

const indexedValue = (entry: Entry, property: IndexedProperty): string | undefined => {
  const value = (entry.properties as Readonly<Record<string, unknown>>)[property]
  return typeof value === 'string' ? value.toLowerCase() : undefined
}

const index = (directory: Directory, entry: Entry): void => {
  for (const property of indexedProperties) {
    const value = indexedValue(entry, property)
    if (value === undefined) continue
    const ids = directory.indexes[property].get(value)
    if (ids === undefined) directory.indexes[property].set(value, new Set([entry.id]))
    else ids.add(entry.id)
  }
}

const unindex = (directory: Directory, entry: Entry | undefined): void => {
  if (entry === undefined) return
  for (const property of indexedProperties) {
    const value = indexedValue(entry, property)
    const ids = value === undefined ? undefined : directory.indexes[property].get(value)
    if (value === undefined || ids === undefined) continue
    ids.delete(entry.id)
    if (ids.size === 0) directory.indexes[property].delete(value)
  }
}

/** Ids with this value, compared without case. */
export const lookUp = (directory: Directory, property: IndexedProperty, value: string): ReadonlySet<string> =>
  directory.indexes[property].get(value.toLowerCase()) ?? none

const none: ReadonlySet<string> = new Set()
const noRows = ordered()

/** By object id, or by user principal name. */
export const userBy = (directory: Directory, key: string): StoredUser | undefined => {
  const [id = key] = key.includes('@') ? lookUp(directory, 'userPrincipalName', key) : []
  const entry = directory.entries.get(id.toLowerCase())
  return entry?.kind === 'user' ? entry : undefined
}

export const groupBy = (directory: Directory, id: string): StoredGroup | undefined => {
  const entry = directory.entries.get(id.toLowerCase())
  return entry?.kind === 'group' ? entry : undefined
}

export const membersOf = (directory: Directory, group: string): Ordered => directory.members.get(group) ?? noRows
export const groupsOf = (directory: Directory, member: string): Ordered => directory.memberOf.get(member) ?? noRows

/** All groups above, each once; a cycle of groups ends. */
export const transitiveGroupsOf = (directory: Directory, member: string): readonly string[] => {
  const seen = new Set<string>()
  const queue = [member]
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    for (const group of groupsOf(directory, next).at.keys()) {
      if (seen.has(group)) continue
      seen.add(group)
      queue.push(group)
    }
  }
  return [...seen]
}

/** Everyone below, each once. */
export const transitiveMembersOf = (directory: Directory, group: string): readonly string[] => {
  const seen = new Set<string>()
  const queue = [group]
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    for (const member of membersOf(directory, next).at.keys()) {
      if (seen.has(member)) continue
      seen.add(member)
      queue.push(member)
    }
  }
  return [...seen]
}
