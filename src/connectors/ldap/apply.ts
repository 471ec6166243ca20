import type { Outcome } from '../../domain/outcome.ts'
import type { ApplyContext, Operation } from '../connector.ts'
import { inOrder } from '../ldap-wire/answers.ts'
import type { LdapClient } from '../ldap-wire/client.ts'
import type { Pace } from '../ldap-wire/pace.ts'
import { changeAccess } from './access.ts'
import type { LdapSettings } from './config.ts'
import { type DeleteOperation, deleteAccount, deletionsLast } from './delete-account.ts'
import { ensureAccounts } from './ensure-accounts.ts'
import type { AccessOperation } from './items.ts'

/** What the manifest says is not offered here is planned by nobody. */
export const isOnAccount = (operation: Operation): operation is AccessOperation | DeleteOperation =>
  operation.op !== 'ensureAccount' && operation.op !== 'endSessions'

export const apply = (
  client: LdapClient,
  settings: LdapSettings,
  pace: Pace,
  operations: readonly Operation[],
  context: ApplyContext,
): Promise<readonly Outcome[]> => {
  const gate = () => !context.signal.aborted && context.mayWrite()
  return inOrder(
    operations,
    isOnAccount,
    (ensures) => ensureAccounts(client, settings, ensures, gate, context),
    (others) =>
      deletionsLast(
        others,
        (some) => changeAccess(client, settings, pace, some, gate),
        (account) => deleteAccount(client, settings, account, gate),
      ),
  )
}
