import type { Outcome } from '../../domain/outcome.ts'
import type { Operation } from '../connector.ts'
import { refused } from '../ldap-wire/answers.ts'
import { type Entry, firstValue } from '../ldap-wire/entry.ts'
import type { AdSettings } from './config.ts'

/** AD's own: Administrator, krbtgt, Domain Admins … Whoever breaks one of these breaks the domain. */
export const isCritical = (entry: Entry): boolean => firstValue(entry, 'isCriticalSystemObject') === 'TRUE'

/**
 * Whoever was an administrator once keeps adminCount 1 for ever (MS-ADTS §3.1.1.6.1 sets it, nothing takes it back), and
 * leaves like everybody else: shutting is never kept from them.
 */
export const protectionOf = (settings: AdSettings, entry: Entry, op: Operation['op']): Outcome | undefined => {
  if (isCritical(entry)) return refused('protected', 'critical-system-object')
  if (op === 'disable' || op === 'revoke' || settings.writeAdminAccounts) return undefined
  return firstValue(entry, 'adminCount') === '1' ? refused('protected', 'admin-account') : undefined
}
