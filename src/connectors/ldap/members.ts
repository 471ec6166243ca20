import type { Filter } from 'ldapts'
import { dnKey, parseDn } from '../../domain/dn.ts'
import type { EntitlementId, NativeId } from '../../domain/ids.ts'
import type { MemberList, MembersSnapshot, PinnedEntitlement } from '../connector.ts'
import { failureText } from '../ldap-wire/answers.ts'
import type { LdapClient } from '../ldap-wire/client.ts'
import { type Entry, firstValue, valuesOf } from '../ldap-wire/entry.ts'
import { type Failure, ok, type Result } from '../ldap-wire/errors.ts'
import { anyOf } from '../ldap-wire/resolve.ts'
import { entryUuid, nativeIdOf } from './account.ts'
import type { LdapSettings } from './config.ts'
import { groupNames, isBelow } from './groups.ts'
import { anyObject } from './read-back.ts'
import { isOutOfSight, searchedBase } from './searched.ts'
import { isWithin } from './within.ts'

/** Groups asked for at once: the server reads some while we decode another. */
const groupsAtOnce = 3
/** From so many names on, one paged read of all people is cheaper than looking each up. */
const readAllFrom = 500
const lookupsAtOnce = 8
const pageSize = 1_000

/** The values of each group, wherever it is by now: what counts is the pinned entry, not its name. */
export async function* membersOf(
  client: LdapClient,
  settings: LdapSettings,
  refs: readonly PinnedEntitlement[],
): AsyncGenerator<MemberList> {
  const begun: Promise<MemberList>[] = []
  let next = 0
  const begin = () => {
    const ref = refs[next++]
    if (ref !== undefined) begun.push(listOf(client, settings, ref))
  }
  while (next < groupsAtOnce) begin()
  for (let list = begun.shift(); list !== undefined; list = begun.shift()) {
    const done = await list
    begin()
    yield done
  }
}

const listOf = async (client: LdapClient, settings: LdapSettings, ref: PinnedEntitlement): Promise<MemberList> => {
  const { id: entitlement, nativeId, lookup } = ref
  const named = await readGroup(client, settings, lookup)
  if (named.ok && named.value?.nativeId === nativeId) return told(entitlement, named.value)
  // It has another name by now, or the name means something else.
  const names = await groupNames(client, settings, [nativeId])
  if (!names.ok) return { kind: 'failed', entitlement, cause: failureText(names.failure) }
  const dn = names.value.get(nativeId)
  if (dn === undefined) return { kind: 'missing', entitlement }
  const found = await readGroup(client, settings, dn)
  if (!found.ok) return { kind: 'failed', entitlement, cause: failureText(found.failure) }
  if (found.value?.nativeId !== nativeId) return { kind: 'failed', entitlement, cause: 'renamed-meanwhile' }
  return told(entitlement, found.value)
}

const told = (entitlement: EntitlementId, { members }: Group): MemberList =>
  members === null
    ? { kind: 'failed', entitlement, cause: 'no-members-shown' }
    : { kind: 'complete', entitlement, members }

/** `members` null: there must be some, a placeholder at least, and none is shown. */
type Group = { readonly nativeId: NativeId; readonly members: readonly string[] | null }

/** RFC 4519 §3.5, §3.6: these cannot be without a member. */
const neverEmpty = new Set(['groupofnames', 'groupofuniquenames'])

/** null: nothing has this name below `groupsBase`. */
const readGroup = async (client: LdapClient, settings: LdapSettings, dn: string): Promise<Result<Group | null>> => {
  const { memberAttribute, placeholder } = settings.group
  if (!isBelow(dn, settings.groupsBase)) return ok(null)
  const read = await client.search({
    base: dn,
    scope: 'base',
    filter: anyObject,
    attributes: [entryUuid, 'objectClass', memberAttribute],
  })
  if (!read.ok) return read.failure.result === 32 ? ok(null) : read
  const entry = read.value[0]
  const nativeId = entry === undefined ? undefined : firstValue(entry, entryUuid)
  if (entry === undefined || nativeId === undefined) return ok(null)
  const values = valuesOf(entry, memberAttribute)
  const isHidden =
    values.length === 0 && valuesOf(entry, 'objectClass').some((name) => neverEmpty.has(name.toLowerCase()))
  return ok({
    nativeId: nativeId as NativeId,
    members: isHidden ? null : values.filter((value) => value !== placeholder),
  })
}

/**
 * Who has one of these names: entries below `peopleBase`, and beyond it those that are made like accounts, since one may have
 * been moved there. What shows nothing there is unseen: it may be gone, or where Muster may not look.
 */
export const whoIs = async (
  client: LdapClient,
  settings: LdapSettings,
  members: readonly string[],
): Promise<MembersSnapshot> => {
  const { peopleBase } = settings
  const distinct = [...new Set(members)]
  const people = distinct.filter((member) => isBelow(member, peopleBase))
  const found = await namedBelow(client, people, { base: peopleBase, only: anyObject })
  if (!found.ok) return { kind: 'partial', items: [], cause: failureText(found.failure) }
  const away = await namedAway(
    client,
    settings,
    distinct.filter((member) => !isBelow(member, peopleBase)),
  )
  if (!away.ok) return { kind: 'partial', items: [], cause: failureText(away.failure) }
  const { accounts, unseen } = away.value
  const items = [...found.value, ...accounts].map(([member, account]) => ({ member, account }))
  return { kind: 'complete', items, unseen }
}

type Accounts = ReadonlyMap<string, NativeId>
type Away = { readonly accounts: Accounts; readonly unseen: readonly string[] }
type Among = { readonly base: string; readonly only: Filter }

const nobody: Accounts = new Map()

/** Beyond `peopleBase`, where a name that shows nothing may be an account's tomorrow. */
const namedAway = async (
  client: LdapClient,
  settings: LdapSettings,
  members: readonly string[],
): Promise<Result<Away>> => {
  if (members.length === 0) return ok({ accounts: nobody, unseen: [] })
  const isName = (member: string) => (parseDn(member)?.length ?? 0) > 0
  const told = (accounts: Accounts, others: ReadonlySet<string>, of = members) =>
    ok({ accounts, unseen: of.filter((member) => !accounts.has(member) && !others.has(member) && isName(member)) })
  const base = await searchedBase(client, settings)
  if (!base.ok) return isOutOfSight(base.failure) ? told(nobody, new Set()) : base
  const within = members.filter((member) => isWithin(member, base.value))
  // Nothing moves from one naming context into another; `searchBase` may be less than one.
  const mayCome = settings.searchBase === undefined ? within : members
  const others = new Set<string>()
  const found = await namedBelow(
    client,
    within,
    { base: base.value, only: anyOf('objectClass', settings.account.objectClasses) },
    { isNobody: isOutOfSight, isOther: (member) => others.add(member) },
  )
  if (!found.ok) return isOutOfSight(found.failure) ? told(nobody, others, mayCome) : found
  return told(found.value, others, mayCome)
}

/** `isOther`: told of names that are something else than what is looked for. */
type Telling = { readonly isNobody: (failure: Failure) => boolean; readonly isOther?: (member: string) => void }

const namedBelow = async (
  client: LdapClient,
  members: readonly string[],
  among: Among,
  telling: Telling = { isNobody: namesNobody },
): Promise<Result<Accounts>> => {
  if (members.length < readAllFrom) return lookUp(client, members, among, telling)
  const read = await readAll(client, members, among)
  if (!read.ok || telling.isOther === undefined) return read
  // That read shows accounts only: what is left is something else, or nothing.
  const left = members.filter((member) => !read.value.has(member))
  const told = await lookUp(client, left, among, telling)
  return told.ok ? ok(new Map([...read.value, ...told.value])) : told
}

/** RFC 4511 §4.1.9: noSuchObject, invalidDNSyntax. */
const noEntry: readonly (number | null)[] = [32, 34]
const namesNobody = ({ result }: Failure): boolean => noEntry.includes(result)

const lookUp = async (
  client: LdapClient,
  members: readonly string[],
  { only }: Among,
  { isNobody, isOther }: Telling,
): Promise<Result<Accounts>> => {
  const accounts = new Map<string, NativeId>()
  const queue = [...members]
  let failure: Result<Accounts> | undefined
  const work = async () => {
    for (let member = queue.pop(); member !== undefined && failure === undefined; member = queue.pop()) {
      const read = await client.search({ base: member, scope: 'base', filter: only, attributes: [entryUuid] })
      if (!read.ok && !isNobody(read.failure)) failure = read
      else if (read.ok && read.value[0] !== undefined) accounts.set(member, nativeIdOf(read.value[0]))
      else if (read.ok) isOther?.(member)
    }
  }
  await Promise.all(Array.from({ length: lookupsAtOnce }, work))
  return failure ?? ok(accounts)
}

const readAll = async (
  client: LdapClient,
  members: readonly string[],
  { base, only }: Among,
): Promise<Result<Accounts>> => {
  const byKey = Map.groupBy(members, dnKey)
  const accounts = new Map<string, NativeId>()
  const wanted = new Set(members)
  const exact = new Set<string>()
  const file = (entries: readonly Entry[]) => {
    for (const entry of entries) {
      // Several names may fold alike; whoever has exactly this one is meant by it.
      const isOther = (member: string) => member !== entry.dn && exact.has(member)
      if (wanted.has(entry.dn)) exact.add(entry.dn)
      for (const member of byKey.get(dnKey(entry.dn)) ?? [])
        if (!isOther(member)) accounts.set(member, nativeIdOf(entry))
    }
  }
  const read = await client.searchPages({ base, scope: 'sub', filter: only, attributes: [entryUuid] }, pageSize, file)
  return read.ok ? ok(accounts) : read
}
