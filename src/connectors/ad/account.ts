import { AndFilter } from 'ldapts'
import { dnKey } from '../../domain/dn.ts'
import type { NativeId } from '../../domain/ids.ts'
import type { ObservedAccount, ObservedEntitlement } from '../../domain/outcome.ts'
import { attributesHash, type MappedAttributes } from '../attribute-mapping.ts'
import { refused } from '../ldap-wire/answers.ts'
import type { LdapClient } from '../ldap-wire/client.ts'
import { type Entry, firstValue, valuesOf } from '../ldap-wire/entry.ts'
import { type Failure, failed, ok, type Result } from '../ldap-wire/errors.ts'
import { anyOf, findByKeys, foldKey } from '../ldap-wire/resolve.ts'
import type { AdSettings } from './config.ts'
import { parseExtendedDn } from './extended-dn.ts'
import { anyGroup, anyPerson } from './filters.ts'
import { guidBytes, guidDn, isGuid } from './guid.ts'
import { allValues } from './ranges.ts'
import { isEnabled } from './user-account-control.ts'

/** An account as read, with its direct groups. */
export type Account = {
  readonly guid: NativeId
  readonly dn: string
  /** userAccountControl; null: we may not read it, so nothing is known of whether the account is enabled. */
  readonly control: number | null
  readonly groups: ReadonlyMap<NativeId, ObservedEntitlement>
  /** SID of the primary group, which stands in no `member`; undefined where it could not be told. */
  readonly primaryGroup: string | undefined
  readonly entry: Entry
}
export type Accounts = ReadonlyMap<NativeId, Account>

export const unreadable = { code: '', result: null, word: 'unreadable-account', sent: false } as const

/** What is read of an account wherever its state is told. */
const accountAttributes = (settings: AdSettings): readonly string[] => [
  'userAccountControl',
  'primaryGroupID',
  'memberOf',
  'adminCount',
  'isCriticalSystemObject',
  'manager',
  'pwdLastSet',
  settings.correlation,
  ...Object.keys(settings.account.attributes),
]

/** Entries of people by the value of an attribute, anywhere in the domain. */
export const findPeople = (
  client: LdapClient,
  settings: AdSettings,
  attribute: string,
  keys: readonly string[],
  encode?: (key: string) => Buffer,
) =>
  findByKeys(client, {
    base: settings.searchBase,
    attribute,
    keys,
    attributes: [attribute, ...accountAttributes(settings)],
    only: anyPerson,
    ...(encode === undefined ? {} : { encode }),
  })

/** Accounts by native id, wherever they were moved; one that is not in the map does not exist (any more). */
export const readAccounts = async (
  client: LdapClient,
  settings: AdSettings,
  ids: readonly NativeId[],
): Promise<Result<Accounts>> => {
  const entries = await readEntries(client, settings, ids)
  if (!entries.ok) return entries
  const accounts = new Map<NativeId, Account>()
  for (const [id, entry] of entries.value) {
    const account = await accountOf(client, entry)
    if (!account.ok) return account
    accounts.set(id, account.value)
  }
  const hidden = await holdsUnseen(
    client,
    settings,
    [...accounts.values()].filter(({ groups }) => groups.size === 0),
  )
  return hidden.ok ? ok(accounts) : hidden
}

export const hiddenMemberOf: Failure = { code: '', result: null, word: 'member-of-hidden', sent: false }
/** Of many, so many stand for all: rights are given to kinds of people, and each costs the server a look at all groups. */
const askedBack = 8

/**
 * An attribute that we may not read looks as if it had no values. Who shows no group at all is looked for among the members of
 * groups, which is another attribute with rights of its own.
 */
const holdsUnseen = async (
  client: LdapClient,
  { searchBase }: AdSettings,
  accounts: readonly Account[],
): Promise<Result<null>> => {
  if (accounts.length === 0) return ok(null)
  const dns = accounts.slice(0, askedBack).map(({ dn }) => dn)
  const filter = new AndFilter({ filters: [anyGroup, anyOf('member', dns)] })
  let held = false
  const read = await client.searchPages({ base: searchBase, scope: 'sub', filter, attributes: ['1.1'] }, 1, (found) => {
    held ||= found.length > 0
    return held ? 'enough' : undefined
  })
  if (!read.ok) return read
  return held ? failed(hiddenMemberOf) : ok(null)
}

export const readEntries = async (
  client: LdapClient,
  settings: AdSettings,
  ids: readonly NativeId[],
): Promise<Result<ReadonlyMap<NativeId, Entry>>> => {
  const found = await findPeople(client, settings, 'objectGUID', ids.filter(isGuid), guidBytes)
  if (!found.ok) return found
  return ok(
    new Map(
      ids.flatMap((id) => {
        const entry = found.value.get(foldKey(id))?.[0]
        return entry === undefined ? [] : [[id, entry] as const]
      }),
    ),
  )
}

/** `entry` must have been read as above. */
export const accountOf = async (client: LdapClient, entry: Entry): Promise<Result<Account>> => {
  const name = parseExtendedDn(entry.dn)
  if (name === null) return failed(unreadable)
  const memberOf = await allValues(client, guidDn(name.guid), entry, 'memberOf')
  if (!memberOf.ok) return memberOf
  const groups = new Map<NativeId, ObservedEntitlement>()
  for (const value of memberOf.value) {
    const group = parseExtendedDn(value)
    if (group === null) return failed(unreadable)
    groups.set(group.guid, { nativeId: group.guid, name: group.dn })
  }
  const rid = firstValue(entry, 'primaryGroupID')
  const domain = name.sid?.slice(0, name.sid.lastIndexOf('-'))
  const primaryGroup = rid === undefined || domain === undefined ? undefined : `${domain}-${rid}`
  const bits = firstValue(entry, 'userAccountControl')
  // AD writes a signed number; as a bit field it has no sign.
  const control = bits === undefined || !/^-?\d+$/.test(bits) ? null : Number(bits) >>> 0
  return ok({ guid: name.guid, dn: name.dn, control, groups, primaryGroup, entry })
}

export const mappedOf = (settings: AdSettings, entry: Entry): MappedAttributes =>
  new Map(Object.keys(settings.account.attributes).map((name) => [name, valuesOf(entry, name)]))

/** null: it could not be read whether the account is enabled. */
export const observedAccount = (settings: AdSettings, { guid, control, entry }: Account): ObservedAccount | null =>
  control === null
    ? null
    : { nativeId: guid, enabled: isEnabled(control), attributesHash: attributesHash(mappedOf(settings, entry)) }

/** Outcome of an operation on the account itself where that is hidden from us. */
export const hiddenAccount = refused('not-allowed', 'user-account-control-hidden')

export const isBelow = (dn: string, base: string): boolean => dnKey(dn).endsWith(`,${dnKey(base)}`)
