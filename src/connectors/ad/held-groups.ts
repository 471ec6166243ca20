import { AndFilter } from 'ldapts'
import type { NativeId } from '../../domain/ids.ts'
import type { ObservedEntitlement } from '../../domain/outcome.ts'
import type { LdapClient } from '../ldap-wire/client.ts'
import type { Entry } from '../ldap-wire/entry.ts'
import { type Failure, failed, ok, type Result } from '../ldap-wire/errors.ts'
import { anyOf, chunksOf } from '../ldap-wire/resolve.ts'
import { type AdSettings, domainBase } from './config.ts'
import { parseExtendedDn } from './extended-dn.ts'
import { anyGroup } from './filters.ts'
import { guidDn } from './guid.ts'
import { allValues } from './ranges.ts'

/** Direct groups of one account by native id; a failure where they could not all be read: never a part of them. */
export type HeldGroups = Result<ReadonlyMap<NativeId, ObservedEntitlement>>

export const unreadable = { code: '', result: null, word: 'unreadable-account', sent: false } as const
export const hiddenMemberOf: Failure = { code: '', result: null, word: 'member-of-hidden', sent: false }

/** What memberOf shows. */
export const shownGroups = async (client: LdapClient, guid: NativeId, entry: Entry): Promise<HeldGroups> => {
  const memberOf = await allValues(client, guidDn(guid), entry, 'memberOf')
  if (!memberOf.ok) return memberOf
  const groups = new Map<NativeId, ObservedEntitlement>()
  for (const value of memberOf.value) {
    const group = parseExtendedDn(value)
    if (group === null) return failed(unreadable)
    groups.set(group.guid, { nativeId: group.guid, name: group.dn })
  }
  return ok(groups)
}

type Holder = { readonly guid: NativeId; readonly dn: string; readonly groups: HeldGroups }
/** Accounts asked about in one search of `member`, which is a linked attribute and indexed. */
const askedAtOnce = 50

/**
 * An attribute that we may not read looks as if it had no values, and rights differ from person to person (AdminSDHolder).
 * Whoever shows no group at all is looked for among the members of groups, which is another attribute with rights of its own.
 * Answers, by account, why nothing can be said of its groups.
 */
export const hiddenGroups = async (
  client: LdapClient,
  settings: AdSettings,
  accounts: readonly Holder[],
): Promise<ReadonlyMap<NativeId, Failure>> => {
  const hidden = new Map<NativeId, Failure>()
  const note = (some: readonly Holder[], failure: Failure) => {
    for (const { guid } of some) hidden.set(guid, failure)
  }
  const ask = async (some: readonly Holder[]): Promise<void> => {
    const read = await isAnyHeld(client, settings, some)
    if (!read.ok) return note(some, read.failure)
    if (!read.value) return
    if (some.length === 1) return note(some, hiddenMemberOf)
    // One whose groups are hidden must not stop the others.
    const half = Math.ceil(some.length / 2)
    await ask(some.slice(0, half))
    await ask(some.slice(half))
  }
  const bare = accounts.filter(({ groups }) => groups.ok && groups.value.size === 0)
  for (const chunk of chunksOf(bare, askedAtOnce)) await ask(chunk)
  return hidden
}

const isAnyHeld = async (
  client: LdapClient,
  settings: AdSettings,
  accounts: readonly Holder[],
): Promise<Result<boolean>> => {
  const members = anyOf(
    'member',
    accounts.map(({ dn }) => dn),
  )
  const filter = new AndFilter({ filters: [anyGroup, members] })
  let held = false
  const base = domainBase(settings)
  const read = await client.searchPages({ base, scope: 'sub', filter, attributes: ['1.1'] }, 1, (found) => {
    held ||= found.length > 0
    return held ? 'enough' : undefined
  })
  return read.ok ? ok(held) : read
}
