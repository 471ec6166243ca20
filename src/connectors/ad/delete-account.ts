import type { Outcome } from '../../domain/outcome.ts'
import { refused } from '../ldap-wire/answers.ts'
import type { Gate, LdapClient } from '../ldap-wire/client.ts'
import { type Account, hiddenAccount } from './account.ts'
import { treeDelete } from './controls.ts'
import { outcomeOfChange } from './errors.ts'
import { guidDn } from './guid.ts'
import { isEnabled } from './user-account-control.ts'
import type { Written } from './written.ts'

const notOnNonLeaf = 66

/**
 * Deletes a disabled account. What hangs below it (a phone's registration, a certificate request) goes with it: that is its
 * own, and AD refuses to delete it without.
 */
export const deleteAccount = async (
  client: LdapClient,
  { guid, control }: Account,
  gate: Gate,
): Promise<Written | Outcome> => {
  if (control === null) return hiddenAccount
  if (isEnabled(control)) return refused('protected', 'account-enabled')
  let result = await client.remove(guidDn(guid), [], gate)
  if (!result.ok && result.failure.result === notOnNonLeaf)
    result = await client.remove(guidDn(guid), [treeDelete], gate)
  return result.ok ? { kind: 'written', changed: true, code: '0' } : outcomeOfChange(result.failure, 'account')
}
