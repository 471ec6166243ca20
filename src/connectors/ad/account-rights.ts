import { AndFilter, EqualityFilter, NotFilter, PresenceFilter } from 'ldapts'
import type { CheckReport, Uses } from '../connector.ts'
import type { LdapClient } from '../ldap-wire/client.ts'
import { type Entry, valuesOf } from '../ldap-wire/entry.ts'
import { missedByChanges } from '../missed-by-changes.ts'
import type { AdSettings } from './config.ts'
import { anyPerson } from './filters.ts'

/**
 * One account of the base stands for all: whether its attributes may be written that Muster writes. Not one that is or was
 * an administrator's: those have rights of their own.
 */
export const accountRights = async (
  client: LdapClient,
  settings: AdSettings,
  uses: Uses,
): Promise<Omit<CheckReport, 'ok'>> => {
  const { peopleBase: base, correlation, account, leaver } = settings
  const filter = new AndFilter({
    filters: [
      anyPerson,
      new PresenceFilter({ attribute: correlation }),
      new NotFilter({ filter: new EqualityFilter({ attribute: 'adminCount', value: '1' }) }),
    ],
  })
  let one: Entry | undefined
  await client.searchPages({ base, scope: 'sub', filter, attributes: ['allowedAttributesEffective'] }, 1, ([entry]) => {
    one = entry
    return 'enough'
  })
  const untold = [
    ...(uses.createAccounts || leaver.resetPassword ? ['set passwords'] : []),
    ...(uses.deleteAccounts ? ['delete accounts'] : []),
    ...(leaver.moveTo === undefined ? [] : ['move accounts']),
  ]
  const later = untold.length === 0 ? [] : [`whether it may ${untold.join(' and ')} (AD shows it at the first time)`]
  if (one === undefined)
    return {
      problems: [],
      unknown: [`whether accounts may be written (nobody below ${base} has ${correlation})`, ...later],
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
