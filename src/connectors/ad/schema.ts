import { AndFilter, EqualityFilter, OrFilter } from 'ldapts'
import { propertiesOf } from '../alternatives.ts'
import { splitRdn } from '../ldap-wire/attributes.ts'
import type { LdapClient } from '../ldap-wire/client.ts'
import { type Entry, firstValue } from '../ldap-wire/entry.ts'
import { type NamedAt, strangers } from '../ldap-wire/schema.ts'
import type { AdSettings } from './config.ts'
import { parseExtendedDn } from './extended-dn.ts'

/** Every forest has it: where it is not shown, nothing is. */
const witness = 'cn'

/**
 * Attributes that the configuration names and the forest's schema does not have (MS-ADTS §3.1.1.2.3); null: the schema is not
 * shown to us. Asked by name: the whole list is longer than what AD gives of one attribute at once.
 */
export const schemaProblems = async (
  client: LdapClient,
  settings: AdSettings,
  root: Entry,
): Promise<readonly string[] | null> => {
  const shown = firstValue(root, 'schemaNamingContext')
  if (shown === undefined) return null
  // Samba extends even this name, and takes no extended one as a base.
  const base = parseExtendedDn(shown)?.dn ?? shown
  const { account, alternatives, correlation } = settings
  const named: NamedAt = [
    ['correlation', correlation],
    ...alternatives.flatMap((one) => propertiesOf(one).map((name) => ['alternatives', name] as const)),
    ['account.rdn', splitRdn(account.rdn)[0]],
    ...Object.keys(account.attributes).map((name) => ['account.attributes', name] as const),
  ]
  const isOneOf = [witness, ...named.map(([, name]) => name)].map(
    (value) => new EqualityFilter({ attribute: 'lDAPDisplayName', value }),
  )
  const isAttribute = new EqualityFilter({ attribute: 'objectClass', value: 'attributeSchema' })
  const filter = new AndFilter({ filters: [isAttribute, new OrFilter({ filters: isOneOf })] })
  const read = await client.search({ base, scope: 'one', filter, attributes: ['lDAPDisplayName'] })
  const known = new Set(
    read.ok ? read.value.map((one) => (firstValue(one, 'lDAPDisplayName') ?? '').toLowerCase()) : [],
  )
  return known.has(witness) ? strangers(named, known, 'attribute') : null
}
