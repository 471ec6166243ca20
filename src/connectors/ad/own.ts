import { EqualityFilter, OrFilter } from 'ldapts'
import type { OwnThing, Snapshot } from '../connector.ts'
import { failureText } from '../ldap-wire/answers.ts'
import type { LdapClient } from '../ldap-wire/client.ts'
import { firstValue } from '../ldap-wire/entry.ts'
import { type AdSettings, domainOf } from './config.ts'
import { parseExtendedDn } from './extended-dn.ts'

/** The service account, by whichever of its names it signs in: UPN, DN or DOMAIN\name ([MS-ADTS] §5.1.1.1.1). */
export const own = async (client: LdapClient, settings: AdSettings): Promise<Snapshot<OwnThing>> => {
  const name = settings.bindName
  const sam = name.slice(name.indexOf('\\') + 1)
  const names = [
    ['userPrincipalName', name],
    // The part before the @ is a name of its own wherever no UPN is set.
    ['sAMAccountName', sam.split('@')[0] ?? sam],
    ...(name.includes('=') ? [['distinguishedName', name] as const] : []),
  ] as const
  const read = await client.search({
    base: domainOf(settings.searchBase) || settings.searchBase,
    scope: 'sub',
    filter: new OrFilter({ filters: names.map(([attribute, value]) => new EqualityFilter({ attribute, value })) }),
    attributes: [settings.correlation],
  })
  if (!read.ok) return { kind: 'partial', items: [], cause: failureText(read.failure) }
  const items = read.value.flatMap((entry): OwnThing[] => {
    const nativeId = parseExtendedDn(entry.dn)?.guid
    if (nativeId === undefined) return []
    return [{ kind: 'account', nativeId, findable: firstValue(entry, settings.correlation) !== undefined }]
  })
  return { kind: 'complete', items }
}
