import type { Outcome } from '../../domain/outcome.ts'
import type { ApplyContext, Operation } from '../connector.ts'
import { changeAccess } from './access.ts'
import type { Directory } from './directory.ts'
import { ensureAccounts } from './ensure-accounts.ts'
import { inOrder } from './operations.ts'

export const apply = (
  directory: Directory,
  operations: readonly Operation[],
  context: ApplyContext,
): Promise<readonly Outcome[]> => {
  const gate = () => !context.signal.aborted && context.mayWrite()
  return inOrder(
    operations,
    (ensures) => ensureAccounts(directory, ensures, gate, context),
    (others) => changeAccess(directory, others, gate),
  )
}
