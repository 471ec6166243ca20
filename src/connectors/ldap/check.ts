import { AndFilter, EqualityFilter } from 'ldapts'
import { dnKey } from '../../domain/dn.ts'
import { accountOutOfSight } from '../../domain/outcome.ts'
import { propertiesOf } from '../alternatives.ts'
import { allUses, type CheckReport, type Uses } from '../connector.ts'
import { failureText } from '../ldap-wire/answers.ts'
import { splitRdn } from '../ldap-wire/attributes.ts'
import { caProblems } from '../ldap-wire/authorities.ts'
import type { LdapClient } from '../ldap-wire/client.ts'
import { firstValue, valuesOf } from '../ldap-wire/entry.ts'
import { type DirectorySchema, readSchema, schemaHidden, strangers } from '../ldap-wire/schema.ts'
import { missedByChanges } from '../missed-by-changes.ts'
import { entryUuid } from './account.ts'
import { seesChanges } from './changes.ts'
import type { LdapSettings } from './config.ts'
import { EntryAssertion } from './controls.ts'
import { anyObject } from './read-back.ts'
import { searchedBase } from './searched.ts'
import { isWithin } from './within.ts'

const ppolicyControl = '1.3.6.1.4.1.42.2.27.8.5.1'

/** Reads what can be known without a change: OpenLDAP tells nobody what they may write. */
export const check = async (client: LdapClient, settings: LdapSettings, uses: Uses = allUses): Promise<CheckReport> => {
  const problems: string[] = []
  const me = await client.whoAmI()
  if (!me.ok)
    return {
      ok: false,
      problems: [
        `cannot bind to ${settings.url} as ${settings.bindDn}: ${failureText(me.failure)}`,
        ...(await caProblems(settings)),
      ],
    }
  const name = me.value.replace(/^dn:/i, '')
  if (dnKey(name) !== dnKey(settings.bindDn)) problems.push(`bound as "${name}", not as ${settings.bindDn}`)

  const root = await client.search({ base: '', scope: 'base', filter: anyObject, attributes: ['supportedControl'] })
  const controls = root.ok && root.value[0] !== undefined ? valuesOf(root.value[0], 'supportedControl') : []

  const searched = await searchedBase(client, settings)
  if (!searched.ok)
    problems.push(
      `searchBase: the root DSE does not tell the naming context of ${settings.peopleBase} (${failureText(searched.failure)}); say it: ${elsewhere(settings)}`,
    )
  const { peopleBase, groupsBase } = settings
  const bases = [...(searched.ok ? [searched.value] : []), peopleBase, groupsBase]
  for (const base of new Map(bases.map((one) => [dnKey(one), one])).values()) {
    const read = await client.search({ base, scope: 'base', filter: anyObject, attributes: [entryUuid] })
    if (!read.ok) {
      const isBeyond = !isWithin(base, peopleBase) && isWithin(peopleBase, base)
      const meaning = isBeyond ? `; let Muster read there, or say searchBase: ${elsewhere(settings)}` : ''
      problems.push(`${base} cannot be read: ${failureText(read.failure)}${meaning}`)
    } else if (read.value[0] === undefined || firstValue(read.value[0], entryUuid) === undefined)
      problems.push(`${base}: entryUUID cannot be read`)
  }
  const changes = await seesChanges(client, settings)
  if (changes.ok && !changes.value)
    problems.push(`entryCSN of accounts cannot be read (${bases[0]}): changes are found by listing only`)
  const { passwordPolicyDn } = settings
  const { problems: missing, beforeEnforce = [] } = missedByChanges(uses, [
    ...(controls.includes(EntryAssertion.type) ? [] : ['the server does not offer the assertion control (RFC 4528)']),
    ...(controls.includes(ppolicyControl) ? [] : ['the ppolicy overlay is not active: accounts cannot be disabled']),
    ...(passwordPolicyDn === undefined ? [] : await policyProblems(client, passwordPolicyDn)),
  ])
  problems.push(...missing)
  const facts = [
    `as ${settings.bindDn}, by password`,
    `people below ${settings.peopleBase}, groups below ${settings.groupsBase}`,
  ]
  const schema = await readSchema(client)
  if (schema === null) facts.push(schemaHidden)
  else problems.push(...schemaProblems(settings, schema))
  return { ok: problems.length === 0, problems, facts, unknown: untold, beforeEnforce }
}

const untold = [
  'whether it may write (OpenLDAP shows it at the first change)',
  'when the password ends',
  'its clock (not told)',
]

const elsewhere = ({ peopleBase }: LdapSettings): string =>
  `a linked account that is not below ${peopleBase} may be gone or moved, and what is to be done there waits (${accountOutOfSight})`

const schemaProblems = (
  { correlation, alternatives, account, group }: LdapSettings,
  { attributes, classes }: DirectorySchema,
): readonly string[] => [
  ...strangers(
    [
      ['correlation', correlation],
      ...alternatives.flatMap((one) => propertiesOf(one).map((name) => ['alternatives', name] as const)),
      ...(account.rdn === undefined ? [] : [['account.rdn', splitRdn(account.rdn)[0]] as const]),
      ...Object.keys(account.attributes).map((name) => ['account.attributes', name] as const),
      ['group.memberAttribute', group.memberAttribute],
    ],
    attributes,
    'attribute',
  ),
  ...strangers(
    account.objectClasses.map((name) => ['account.objectClasses', name] as const),
    classes,
    'object class',
  ),
]

/** slapd looks at pwdAccountLockedTime only where the account's policy has pwdLockout TRUE; else a disabled account signs in. */
const policyProblems = async (client: LdapClient, policyDn: string): Promise<readonly string[]> => {
  const filter = new AndFilter({
    filters: [
      new EqualityFilter({ attribute: 'objectClass', value: 'pwdPolicy' }),
      new EqualityFilter({ attribute: 'pwdLockout', value: 'TRUE' }),
    ],
  })
  const read = await client.search({ base: policyDn, scope: 'base', filter, attributes: ['pwdLockout'] })
  if (!read.ok) return [`the password policy ${policyDn} cannot be read: ${failureText(read.failure)}`]
  return read.value.length === 1
    ? []
    : [`${policyDn} is no password policy with pwdLockout TRUE: disabled accounts could still sign in`]
}
