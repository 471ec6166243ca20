import { AndFilter, EqualityFilter, NotFilter, OrFilter, PresenceFilter } from 'ldapts'
import type { CheckReport, Uses } from '../connector.ts'
import { failureText } from '../ldap-wire/answers.ts'
import type { LdapClient } from '../ldap-wire/client.ts'
import { valuesOf } from '../ldap-wire/entry.ts'
import { missedByChanges } from '../missed-by-changes.ts'
import type { AdSettings } from './config.ts'
import { anyPerson } from './filters.ts'
import { firstEntry } from './first-entry.ts'

/**
 * One account of the base stands for all: whether its attributes may be written that Muster writes. Not one that is or was
 * an administrator's: those have rights of their own.
 */
export const accountRights = async (
  client: LdapClient,
  settings: AdSettings,
  uses: Uses,
): Promise<Omit<CheckReport, 'ok'>> => {
  const { peopleBase: base, correlation, alternatives, account, leaver } = settings
  // Where nobody has the key yet, whoever can be found without it is the one that will be written.
  const foundBy = [...new Set([correlation, ...alternatives.map(({ property }) => property)])]
  const filter = new AndFilter({
    filters: [
      anyPerson,
      new OrFilter({ filters: foundBy.map((attribute) => new PresenceFilter({ attribute })) }),
      new NotFilter({ filter: new EqualityFilter({ attribute: 'adminCount', value: '1' }) }),
    ],
  })
  const found = await firstEntry(client, base, filter, 'allowedAttributesEffective')
  const untold = [
    ...(uses.createAccounts || leaver.resetPassword ? ['set passwords'] : []),
    ...(uses.deleteAccounts ? ['delete accounts'] : []),
    ...(leaver.moveTo === undefined ? [] : ['move accounts']),
  ]
  const later = untold.length === 0 ? [] : [`whether it may ${untold.join(' and ')} (AD shows it at the first time)`]
  if (!found.ok)
    return { problems: [`accounts below ${base} cannot be read: ${failureText(found.failure)}`], unknown: later }
  const one = found.value
  if (one === null)
    return {
      problems: [],
      unknown: [`whether accounts may be written (nobody below ${base} has ${foundBy.join(' or ')})`, ...later],
    }
  const allowed = new Set(valuesOf(one, 'allowedAttributesEffective').map((name) => name.toLowerCase()))
  const written = [
    'userAccountControl',
    ...Object.keys(account.attributes),
    ...(leaver.clearManager ? ['manager'] : []),
    ...(leaver.resetPassword ? ['pwdLastSet'] : []),
  ]
  const refused = written.filter((name) => !allowed.has(name.toLowerCase()))
  return {
    ...missedByChanges(
      uses,
      refused.length === 0 ? [] : [`${base}: ${refused.join(', ')} of an account there cannot be written`],
    ),
    unknown: later,
  }
}
