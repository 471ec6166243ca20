import type { Outcome } from '../../domain/outcome.ts'
import { missingAccount, retry } from '../ldap-wire/answers.ts'
import type { Gate, LdapClient } from '../ldap-wire/client.ts'
import { outcomeOfRead } from '../ldap-wire/errors.ts'
import { type Account, hiddenAccount, readAccounts } from './account.ts'
import type { AdSettings } from './config.ts'
import { outcomeOfChange } from './errors.ts'
import { guidDn } from './guid.ts'
import { isEnabled, withEnabled } from './user-account-control.ts'
import type { Written } from './written.ts'

/** Somebody else changes the same bits at the same time: more often than this, and the call gives up for now. */
const maxTries = 4

/**
 * Sets or clears one bit of userAccountControl. AD knows no assertion control (RFC 4528), but it refuses to delete a value
 * that is not there (16): old value out and new value in, in one modify, changes nothing that somebody else set meanwhile.
 */
export const setEnabled = async (
  client: LdapClient,
  settings: AdSettings,
  account: Account,
  enabled: boolean,
  gate: Gate,
  writer = 0,
  /** Written even where it reads so: the read may be behind. */
  always = false,
): Promise<Written | Outcome> => {
  let { control } = account
  for (let tries = 1; ; tries += 1) {
    if (control === null) return hiddenAccount
    const wasEnabled = isEnabled(control)
    if (wasEnabled === enabled && !always) return { kind: 'written', changed: false, code: '', wasEnabled }
    const result = await client.modify(
      guidDn(account.guid),
      [],
      [
        { operation: 'delete', attribute: 'userAccountControl', values: [String(control | 0)] },
        { operation: 'add', attribute: 'userAccountControl', values: [String(withEnabled(control, enabled) | 0)] },
      ],
      gate,
      writer,
    )
    if (result.ok) return { kind: 'written', changed: true, code: '0', wasEnabled }
    if (result.failure.result !== 16) return outcomeOfChange(result.failure, 'account')
    if (tries === maxTries) return retry('user-account-control-contended')
    const read = await readAccounts(client, settings, [account.guid], 'asShown')
    if (!read.ok) return outcomeOfRead(read.failure, 'account')
    const now = read.value.get(account.guid)
    if (now === undefined) return missingAccount
    control = now.control
  }
}
