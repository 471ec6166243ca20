import type { Outcome } from '../../domain/outcome.ts'
import type { ApplyContext, Operation } from '../connector.ts'
import { inOrder } from '../ldap-wire/answers.ts'
import type { Pace } from '../ldap-wire/pace.ts'
import { changeAccess, isOnAccess } from './access.ts'
import type { AdSettings } from './config.ts'
import type { Pinned } from './domain-controllers.ts'
import { ensureAccounts } from './ensure-accounts.ts'
import { whileSettling } from './settling.ts'

export const apply = (
  { client, settling }: Pinned,
  settings: AdSettings,
  pace: Pace,
  operations: readonly Operation[],
  context: ApplyContext,
): Promise<readonly Outcome[]> => {
  const gate = () => !context.signal.aborted && context.mayWrite()
  return inOrder(
    operations,
    isOnAccess,
    async (ensures) => {
      const outcomes = await ensureAccounts(client, settings, ensures, gate, context)
      return settling ? outcomes.map((outcome) => whileSettling('ensureAccount', outcome)) : outcomes
    },
    (others) => changeAccess(client, settings, pace, others, gate, settling),
  )
}
