import type { NativeId } from '../../domain/ids.ts'
import type { ListedAccount, Snapshot } from '../connector.ts'
import { failureText } from '../ldap-wire/answers.ts'
import type { LdapClient } from '../ldap-wire/client.ts'
import { firstValue } from '../ldap-wire/entry.ts'
import type { AdSettings } from './config.ts'
import { parseExtendedDn } from './extended-dn.ts'
import { anyPerson } from './filters.ts'
import { isCritical } from './protected.ts'
import { isEnabled } from './user-account-control.ts'

const pageSize = 500

/** People below `searchBase`. One whose state is hidden from us makes the whole list incomplete: it might be open. */
export const listAccounts = async (client: LdapClient, settings: AdSettings): Promise<Snapshot<ListedAccount>> => {
  const { correlation, searchBase } = settings
  const items: ListedAccount[] = []
  let hidden = 0
  const read = await client.searchPages(
    {
      base: searchBase,
      scope: 'sub',
      filter: anyPerson,
      attributes: ['objectGUID', 'userAccountControl', 'isCriticalSystemObject', correlation],
    },
    pageSize,
    (entries) => {
      for (const entry of entries) {
        const control = Number(firstValue(entry, 'userAccountControl') ?? Number.NaN)
        if (Number.isNaN(control)) hidden += 1
        items.push({
          nativeId: (firstValue(entry, 'objectGUID') ?? '') as NativeId,
          name: parseExtendedDn(entry.dn)?.dn ?? entry.dn,
          key: firstValue(entry, correlation) ?? null,
          enabled: isEnabled(control),
          ...(isCritical(entry) ? { builtIn: true } : {}),
        })
      }
    },
  )
  if (!read.ok) return { kind: 'partial', items: [], cause: failureText(read.failure) }
  return hidden === 0 ? { kind: 'complete', items } : { kind: 'partial', items, cause: 'unreadable-account' }
}
