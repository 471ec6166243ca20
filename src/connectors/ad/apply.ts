import type { Outcome } from '../../domain/outcome.ts'
import type { ApplyContext, Operation } from '../connector.ts'
import { inOrder } from '../ldap-wire/answers.ts'
import type { LdapClient } from '../ldap-wire/client.ts'
import type { Pace } from '../ldap-wire/pace.ts'
import { changeAccess, isOnAccess } from './access.ts'
import type { AdSettings } from './config.ts'
import { ensureAccounts } from './ensure-accounts.ts'

export const apply = (
  client: LdapClient,
  settings: AdSettings,
  pace: Pace,
  operations: readonly Operation[],
  context: ApplyContext,
): Promise<readonly Outcome[]> => {
  const gate = () => !context.signal.aborted && context.mayWrite()
  return inOrder(
    operations,
    isOnAccess,
    (ensures) => ensureAccounts(client, settings, ensures, gate),
    (others) => changeAccess(client, settings, pace, others, gate),
  )
}
