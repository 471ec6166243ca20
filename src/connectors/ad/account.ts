import { dnKey } from '../../domain/dn.ts'
import type { NativeId } from '../../domain/ids.ts'
import type { ObservedAccount } from '../../domain/outcome.ts'
import { attributesHash, type MappedAttributes } from '../attribute-mapping.ts'
import { refused } from '../ldap-wire/answers.ts'
import type { LdapClient } from '../ldap-wire/client.ts'
import { type Entry, firstValue, valuesOf } from '../ldap-wire/entry.ts'
import { type Failure, failed, ok, type Result } from '../ldap-wire/errors.ts'
import { findByKeys, foldKey, type KeySearch } from '../ldap-wire/resolve.ts'
import type { AdSettings } from './config.ts'
import { parseExtendedDn } from './extended-dn.ts'
import { anyPerson } from './filters.ts'
import { guidBytes, isGuid } from './guid.ts'
import { type HeldGroups, hiddenGroups, shownGroups, unreadable } from './held-groups.ts'
import { isEnabled } from './user-account-control.ts'

/** An account as read, with its direct groups. */
export type Account = {
  readonly guid: NativeId
  readonly dn: string
  /** userAccountControl; null: we may not read it, so nothing is known of whether the account is enabled. */
  readonly control: number | null
  /** Groups that cannot be read keep nobody from shutting the account. */
  readonly groups: HeldGroups
  /** SID of the primary group, which stands in no `member`; undefined where it could not be told. */
  readonly primaryGroup: string | undefined
  readonly entry: Entry
}
export type Accounts = ReadonlyMap<NativeId, Account>

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
  { also = [], ...how }: Pick<KeySearch, 'encode' | 'only'> & { readonly also?: readonly string[] } = {},
) =>
  findByKeys(client, {
    base: settings.searchBase,
    attribute,
    keys,
    attributes: [attribute, ...accountAttributes(settings), ...also],
    only: anyPerson,
    ...how,
  })

/**
 * Accounts by native id, wherever they were moved; one that is not in the map does not exist (any more). `asShown`: their
 * groups decide nothing, and whoever shows none is not asked about.
 */
export const readAccounts = async (
  client: LdapClient,
  settings: AdSettings,
  ids: readonly NativeId[],
  groups: 'proven' | 'asShown' = 'proven',
): Promise<Result<Accounts>> => {
  const entries = await readEntries(client, settings, ids)
  if (!entries.ok) return entries
  const read = await accountsOf(client, settings, [...entries.value.values()], groups)
  const accounts = new Map<NativeId, Account>()
  for (const [at, id] of [...entries.value.keys()].entries()) {
    const account = read[at] ?? failed(unreadable)
    if (!account.ok) return account
    accounts.set(id, account.value)
  }
  return ok(accounts)
}

/** Of a read that needs all of them: the first account whose groups could not be read. */
export const unreadGroups = (accounts: Accounts): Failure | undefined => {
  for (const { groups } of accounts.values()) if (!groups.ok) return groups.failure
  return undefined
}

export const readEntries = async (
  client: LdapClient,
  settings: AdSettings,
  ids: readonly NativeId[],
): Promise<Result<ReadonlyMap<NativeId, Entry>>> => {
  const found = await findPeople(client, settings, 'objectGUID', ids.filter(isGuid), { encode: guidBytes })
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

/** In the order of `entries`, which must have been read as above. Whoever shows no group is asked about, many in one search. */
export const accountsOf = async (
  client: LdapClient,
  settings: AdSettings,
  entries: readonly Entry[],
  groups: 'proven' | 'asShown' = 'proven',
): Promise<readonly Result<Account>[]> => {
  const accounts = await Promise.all(entries.map((entry) => shownAccount(client, entry)))
  if (groups === 'asShown') return accounts
  const shown = accounts.flatMap((account) => (account.ok ? [account.value] : []))
  const hidden = await hiddenGroups(client, settings, shown)
  return accounts.map((account) => {
    const failure = account.ok ? hidden.get(account.value.guid) : undefined
    return account.ok && failure !== undefined ? ok({ ...account.value, groups: failed(failure) }) : account
  })
}

/** With the groups that memberOf shows. */
export const shownAccount = async (client: LdapClient, entry: Entry): Promise<Result<Account>> => {
  const name = parseExtendedDn(entry.dn)
  if (name === null) return failed(unreadable)
  const groups = await shownGroups(client, name.guid, entry)
  const rid = firstValue(entry, 'primaryGroupID')
  const domain = name.sid?.slice(0, name.sid.lastIndexOf('-'))
  const primaryGroup = rid === undefined || domain === undefined ? undefined : `${domain}-${rid}`
  return ok({ guid: name.guid, dn: name.dn, control: controlOf(entry), groups, primaryGroup, entry })
}

/** null: not readable. */
export const controlOf = (entry: Entry): number | null => {
  const bits = firstValue(entry, 'userAccountControl')
  // AD writes a signed number; as a bit field it has no sign.
  return bits === undefined || !/^-?\d+$/.test(bits) ? null : Number(bits) >>> 0
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
