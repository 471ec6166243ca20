import type { Control } from 'ldapts'
import type { Outcome } from '../../domain/outcome.ts'
import { refused } from '../ldap-wire/answers.ts'
import type { Gate, LdapClient } from '../ldap-wire/client.ts'
import type { Entry } from '../ldap-wire/entry.ts'
import { outcomeOfRead } from '../ldap-wire/errors.ts'
import { type Account, controlOf, hiddenAccount, readEntries } from './account.ts'
import type { AdSettings } from './config.ts'
import { treeDelete } from './controls.ts'
import { outcomeOfChange } from './errors.ts'
import { guidDn } from './guid.ts'
import { protectionOf } from './protected.ts'
import { isEnabled } from './user-account-control.ts'
import type { Written } from './written.ts'

const notOnNonLeaf = 66

/**
 * Deletes a disabled account, read again right before: what cannot be taken back is not done on what was true a batch ago.
 * What hangs below it (a phone's registration, a certificate request) goes with it: that is its own, and AD refuses to
 * delete it without.
 */
export const deleteAccount = async (
  client: LdapClient,
  settings: AdSettings,
  { guid }: Account,
  gate: Gate,
): Promise<Written | Outcome> => {
  let controls: readonly Control[] = []
  for (;;) {
    const read = await readEntries(client, settings, [guid])
    if (!read.ok) return outcomeOfRead(read.failure, 'account')
    const entry = read.value.get(guid)
    if (entry === undefined) return { kind: 'written', changed: false, code: '' }
    const refusal = refusalOf(settings, entry)
    if (refusal !== undefined) return refusal
    const result = await client.remove(guidDn(guid), controls, gate)
    if (result.ok) return { kind: 'written', changed: true, code: '0' }
    if (result.failure.result !== notOnNonLeaf || controls.length > 0) return outcomeOfChange(result.failure, 'account')
    controls = [treeDelete]
  }
}

const refusalOf = (settings: AdSettings, entry: Entry): Outcome | undefined => {
  const control = controlOf(entry)
  if (control === null) return hiddenAccount
  return protectionOf(settings, entry, 'deleteAccount') ?? (isEnabled(control) ? enabled : undefined)
}
const enabled = refused('protected', 'account-enabled')
