import type { Outcome } from '../../domain/outcome.ts'
import type { ApplyContext, Operation } from '../connector.ts'
import type { LdapClient } from '../ldap-wire/client.ts'
import type { Pace } from '../ldap-wire/pace.ts'
import { changeAccess } from './access.ts'
import type { LdapSettings } from './config.ts'
import { ensureAccounts } from './ensure-accounts.ts'
import type { EnsureOperation } from './find-accounts.ts'
import { type AccessOperation, refused, retry } from './items.ts'

/** Splits operations into those on accounts and those on access, and puts their outcomes back into order. */
export const inOrder = async (
  operations: readonly Operation[],
  accounts: (operations: readonly EnsureOperation[]) => Promise<readonly Outcome[]>,
  access: (operations: readonly AccessOperation[]) => Promise<readonly Outcome[]>,
): Promise<readonly Outcome[]> => {
  const ensures: EnsureOperation[] = []
  const others: AccessOperation[] = []
  for (const operation of operations) {
    if (operation.op === 'ensureAccount') ensures.push(operation)
    else if (isOnAccess(operation)) others.push(operation)
  }
  const ofEnsures = (ensures.length === 0 ? [] : await accounts(ensures)).values()
  const ofOthers = (others.length === 0 ? [] : await access(others)).values()
  return operations.map((operation) => {
    if (operation.op === 'ensureAccount') return ofEnsures.next().value ?? retry('not-begun')
    return isOnAccess(operation) ? (ofOthers.next().value ?? retry('not-begun')) : refused('not-allowed', 'not-offered')
  })
}

/** What the manifest says is not offered here is planned by nobody. */
const isOnAccess = (operation: Operation): operation is AccessOperation =>
  operation.op !== 'ensureAccount' && operation.op !== 'endSessions' && operation.op !== 'deleteAccount'

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
    (ensures) => ensureAccounts(client, settings, ensures, gate),
    (others) => changeAccess(client, settings, pace, others, gate),
  )
}
