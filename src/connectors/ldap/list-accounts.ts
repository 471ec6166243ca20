import type { ListedAccount, Snapshot } from '../connector.ts'
import { failureText } from '../ldap-wire/answers.ts'
import type { LdapClient } from '../ldap-wire/client.ts'
import { firstValue } from '../ldap-wire/entry.ts'
import { anyOf } from '../ldap-wire/resolve.ts'
import { entryUuid, isEnabled, lockAttribute, nativeIdOf } from './account.ts'
import type { LdapSettings } from './config.ts'

const pageSize = 1_000

/** Entries below `peopleBase` that have a class of those that accounts are made with. */
export const listAccounts = async (client: LdapClient, settings: LdapSettings): Promise<Snapshot<ListedAccount>> => {
  const { account, correlation, peopleBase } = settings
  const items: ListedAccount[] = []
  const read = await client.searchPages(
    {
      base: peopleBase,
      scope: 'sub',
      filter: anyOf('objectClass', account.objectClasses),
      attributes: [entryUuid, lockAttribute, correlation],
    },
    pageSize,
    (entries) => {
      for (const entry of entries)
        items.push({
          nativeId: nativeIdOf(entry),
          name: entry.dn,
          key: firstValue(entry, correlation) ?? null,
          enabled: isEnabled(entry),
        })
    },
  )
  return read.ok ? { kind: 'complete', items } : { kind: 'partial', items: [], cause: failureText(read.failure) }
}
