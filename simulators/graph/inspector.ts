/** The witness: what is really in the directory, and what was asked of the service. Never lags, costs nothing. */
import type { Call, Calls, Counts } from './calls.ts'
import { groupBy, groupsOf, membersOf, userBy } from './directory.ts'
import type { Deleted, StoredGroup, StoredUser } from './entry.ts'
import type { Store } from './store.ts'

export type Inspector = {
  readonly users: () => readonly StoredUser['properties'][]
  readonly groups: () => readonly StoredGroup['properties'][]
  /** By id or user principal name. */
  readonly user: (key: string) => StoredUser['properties'] | undefined
  readonly group: (id: string) => StoredGroup['properties'] | undefined
  readonly deleted: () => readonly Deleted[]
  /** Direct members, in the order in which they came. */
  readonly members: (group: string) => readonly string[]
  readonly isMember: (group: string, member: string) => boolean
  readonly memberOf: (id: string) => readonly string[]
  readonly calls: () => readonly Call[]
  readonly counts: () => Counts
  readonly forgetCalls: () => void
}

export const openInspector = ({ primary }: Store, calls: Calls): Inspector => ({
  users: () => [...primary.entries.values()].flatMap((entry) => (entry.kind === 'user' ? [entry.properties] : [])),
  groups: () => [...primary.entries.values()].flatMap((entry) => (entry.kind === 'group' ? [entry.properties] : [])),
  user: (key) => userBy(primary, key)?.properties,
  group: (id) => groupBy(primary, id)?.properties,
  deleted: () => [...primary.deleted.values()],
  members: (group) => [...membersOf(primary, group).at.keys()],
  isMember: (group, member) => membersOf(primary, group).at.has(member),
  memberOf: (id) => [...groupsOf(primary, id).at.keys()],
  calls: calls.list,
  counts: calls.counts,
  forgetCalls: calls.clear,
})
