import type { NativeId } from '../../domain/ids.ts'
import type { ObservedEntitlement, Outcome } from '../../domain/outcome.ts'
import { missingAccount, refused } from './answers.ts'
import type { Reading } from './client.ts'
import type { Directory } from './directory.ts'
import { type Failure, outcomeOfRead, type Result } from './errors.ts'
import { grantsAmong, type Holdings, readHoldings, readMembers } from './holdings.ts'
import { type Item, isMembership } from './operations.ts'
import { pageSize } from './paths.ts'
import { accountProperties, isEnabled, type User } from './user.ts'
import { type Users, usersNow } from './users.ts'

/** What one operation wants, as a read shows it. */
export type Look =
  | {
      readonly kind: 'so'
      readonly read: string
      readonly user: User | null
      readonly grants: readonly ObservedEntitlement[] | null
    }
  | { readonly kind: 'not-so'; readonly user: User | null }
  /** The read failed (retry, throttled), or what is named is not there (refused). */
  | { readonly kind: 'told'; readonly outcome: Outcome }

export type Looking = Reading & {
  /** Whether accounts of grants and revokes must be shown to exist. */
  readonly withAccounts: boolean
  /** Of endSessions, by index: ended when sessions are valid from this moment, ms, or a later one. */
  readonly endedFrom?: ReadonlyMap<number, number>
}

export type Looks = ReadonlyMap<number, Look>

/** A page of members costs as much time as asking for so many accounts' groups. */
const accountsPerPage = 3
/** Taken for the size of a group that was never listed. */
const unknownPages = 7

const sessions = 'signInSessionsValidFromDateTime'

/** Reads accounts and memberships side by side, each group whole or by its members' own groups, whatever is less. */
export const look = async (directory: Directory, items: readonly Item[], looking: Looking): Promise<Looks> => {
  const { client, settings } = directory
  const accounts = new Set<NativeId>()
  const holders = new Set<NativeId>()
  const groups = new Map<NativeId, { readonly ids: Set<NativeId> }>()
  for (const { operation, group } of items) {
    if (!isMembership(operation)) accounts.add(operation.account)
    else if (looking.withAccounts) accounts.add(operation.account)
    if (operation.op === 'disable' || operation.op === 'endSessions') holders.add(operation.account)
    if (group === null) continue
    const entry = groups.get(group.id) ?? { ids: new Set() }
    entry.ids.add(operation.account)
    groups.set(group.id, entry)
  }
  const listed = new Set<NativeId>()
  for (const [id, { ids }] of groups) {
    const size = directory.sizes.get(id)
    const pages = size === undefined ? unknownPages : Math.ceil((size + 1) / pageSize)
    if (pages * accountsPerPage < ids.size) listed.add(id)
    else for (const account of ids) holders.add(account)
  }
  const wantsSessions = items.some(({ operation }) => operation.op === 'endSessions')
  const select = [...accountProperties(settings), ...(wantsSessions ? [sessions] : [])]
  const [users, holdings, ...lists] = await Promise.all([
    usersNow(client, [...accounts], select, looking),
    readHoldings(client, [...holders], looking),
    ...[...listed].map(async (id) => [id, await readMembers(client, id, looking)] as const),
  ])
  const members = new Map<NativeId, Members>()
  for (const [id, list] of lists) {
    if (list.ok && list.value !== null) directory.sizes.set(id, list.value.length)
    members.set(id, list.ok ? { ok: true, value: list.value === null ? null : new Set(list.value) } : list)
  }
  return new Map(items.map((item) => [item.index, judge(item, { users, holdings, members }, looking)]))
}

type Members = Result<ReadonlySet<string> | null>
type Reads = {
  readonly users: Result<Users>
  readonly holdings: Result<Holdings>
  readonly members: ReadonlyMap<NativeId, Members>
}

const unread = (failure: Failure): Look => ({ kind: 'told', outcome: outcomeOfRead(failure, 'account') })
const told = (outcome: Outcome): Look => ({ kind: 'told', outcome })

const judge = (item: Item, { users, holdings, members }: Reads, looking: Looking): Look => {
  const { operation, group, index } = item
  if (!isMembership(operation) || looking.withAccounts) {
    if (!users.ok) return unread(users.failure)
    const user = users.value.get(operation.account) ?? null
    if (operation.op === 'deleteAccount')
      return user === null ? { kind: 'so', read: 'account-absent', user, grants: null } : { kind: 'not-so', user }
    if (user === null) return told(missingAccount)
    if (!isMembership(operation)) {
      const shown = holdings.ok ? holdings.value.get(operation.account) : undefined
      const grants = shown === undefined ? null : grantsAmong(shown)
      if (!isAsWanted(operation.op, user, looking.endedFrom?.get(index))) return { kind: 'not-so', user }
      if (operation.op === 'enable') return { kind: 'so', read: 'account-entry', user, grants: null }
      if (!holdings.ok) return unread(holdings.failure)
      return grants === null ? told(missingAccount) : { kind: 'so', read: 'account-entry', user, grants }
    }
  }
  if (group === null) return { kind: 'not-so', user: null }
  const list = members.get(group.id)
  if (list !== undefined) {
    if (!list.ok) return unread(list.failure)
    if (list.value === null) return told(refused('entitlement-missing', 'no-such-group'))
    return held(list.value.has(operation.account) === (operation.op === 'grant'), 'members-of-group')
  }
  if (!holdings.ok) return unread(holdings.failure)
  const own = holdings.value.get(operation.account)
  if (own === undefined) return told(missingAccount)
  return held(own.some(({ nativeId }) => nativeId === group.id) === (operation.op === 'grant'), 'groups-of-member')
}

const held = (isSo: boolean, read: string): Look =>
  isSo ? { kind: 'so', read, user: null, grants: null } : { kind: 'not-so', user: null }

/** Without a moment to compare with, nobody can tell whether sessions were ended. */
const isAsWanted = (op: 'enable' | 'disable' | 'endSessions', user: User, endedFrom: number | undefined): boolean => {
  switch (op) {
    case 'enable':
      return isEnabled(user)
    case 'disable':
      return !isEnabled(user)
    case 'endSessions':
      return endedFrom !== undefined && Date.parse(user.signInSessionsValidFromDateTime ?? '') >= endedFrom
    default:
      return op satisfies never
  }
}
