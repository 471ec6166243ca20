import type { Outcome } from '../../domain/outcome.ts'
import { refused } from '../ldap-wire/answers.ts'
import { type Entry, firstValue } from '../ldap-wire/entry.ts'
import type { AdSettings } from './config.ts'

/** AD's own: Administrator, krbtgt, Domain Admins … Whoever breaks one of these breaks the domain. */
export const isCritical = (entry: Entry): boolean => firstValue(entry, 'isCriticalSystemObject') === 'TRUE'

/** Why this account is not to be written, if it is not. */
export const protectionOf = (settings: AdSettings, entry: Entry): Outcome | undefined => {
  if (isCritical(entry)) return refused('protected', 'critical-system-object')
  if (firstValue(entry, 'adminCount') === '1' && !settings.writeAdminAccounts)
    return refused('protected', 'admin-account')
  return undefined
}
