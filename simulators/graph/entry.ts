import type { Group, User } from '@microsoft/microsoft-graph-types'

/** What only the service knows about an object; no property of it is ever answered. */
export type Hidden = {
  /** Holds an administrator's role: an application needs a role besides its permission to write it. */
  readonly privileged?: boolean
}

type Stored<Kind extends string, Properties> = {
  readonly kind: Kind
  readonly id: string
  /** Of its place in lists. */
  readonly serial: number
  readonly properties: Readonly<Properties>
  readonly hidden: Hidden
}

export type StoredUser = Stored<'user', User & { readonly id: string; readonly userPrincipalName: string }>
export type StoredGroup = Stored<'group', Group & { readonly id: string }>
export type Entry = StoredUser | StoredGroup
export type Kind = Entry['kind']

/** A deleted object that can be restored, with the links that come back with it. */
export type Deleted = {
  readonly entry: Entry
  readonly deletedDateTime: string
  /** Groups that it was in. */
  readonly memberOf: readonly string[]
  /** Who was in it. */
  readonly members: readonly string[]
}

/** One step of the directory, in the order of `serial`. Everything that happens is a list of these. */
export type Change =
  | { readonly kind: 'put'; readonly entry: Entry; readonly touched: readonly string[]; readonly isNew: boolean }
  | { readonly kind: 'delete'; readonly id: string; readonly type: Kind; readonly kept: Deleted | null }
  /** A deleted object comes back, or is gone for good. */
  | { readonly kind: 'restore'; readonly entry: Entry }
  | { readonly kind: 'purge'; readonly id: string; readonly type: Kind }
  | {
      readonly kind: 'join' | 'leave'
      readonly group: string
      readonly member: string
      readonly memberDeleted?: boolean
    }

export type Logged = { readonly serial: number; readonly change: Change }

/** Which objects a change is about: a replica shows it when it has caught up with all of them. */
export const objectsOf = (change: Change): readonly string[] => {
  switch (change.kind) {
    case 'put':
    case 'restore':
      return [change.entry.id]
    case 'delete':
    case 'purge':
      return [change.id]
    case 'join':
    case 'leave':
      return [change.group, change.member]
  }
}
