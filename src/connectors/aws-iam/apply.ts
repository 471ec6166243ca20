import type { Outcome } from '../../domain/outcome.ts'
import { refusal, retry } from '../aws-wire/errors.ts'
import type { ApplyContext, EnsureOperation, Operation } from '../connector.ts'
import { type AccessOperation, changeAccess } from './access.ts'
import { endSessions } from './end-sessions.ts'
import { ensureAccounts } from './ensure-accounts.ts'
import type { Iam } from './iam.ts'
import type { EndOperation } from './reached.ts'

type Kinds = {
  readonly sessions: (operations: readonly EndOperation[]) => Promise<readonly Outcome[]>
  readonly access: (operations: readonly AccessOperation[]) => Promise<readonly Outcome[]>
  readonly ensure: (operations: readonly EnsureOperation[]) => Promise<readonly Outcome[]>
}

/** Each operation to those of its kind, and their outcomes back into order. */
export const inOrder = async (operations: readonly Operation[], kinds: Kinds): Promise<readonly Outcome[]> => {
  const outcomes: (Outcome | undefined)[] = new Array(operations.length)
  const run = async <T>(
    pick: (operation: Operation) => T | null,
    work: (some: readonly T[]) => Promise<readonly Outcome[]>,
  ): Promise<void> => {
    const lot = operations.flatMap((operation, index) => {
      const one = pick(operation)
      return one === null ? [] : [{ index, one }]
    })
    if (lot.length === 0) return
    const done = await work(lot.map(({ one }) => one))
    for (const [n, { index }] of lot.entries()) outcomes[index] = done[n]
  }
  // Sessions first: what is revoked no longer tells what they reach.
  await run((one) => (one.op === 'endSessions' ? one : null), kinds.sessions)
  await run((one) => (one.op === 'grant' || one.op === 'revoke' ? one : null), kinds.access)
  await run((one) => (one.op === 'ensureAccount' ? one : null), kinds.ensure)
  return operations.map(({ op }, index) => {
    if (op === 'enable' || op === 'disable' || op === 'deleteAccount') return refusal('not-allowed', 'not-offered')
    return outcomes[index] ?? retry('not-begun')
  })
}

export const apply = (iam: Iam, operations: readonly Operation[], context: ApplyContext): Promise<readonly Outcome[]> =>
  inOrder(operations, {
    sessions: (some) => endSessions(iam, some, context),
    access: (some) => changeAccess(iam, some, context),
    ensure: (some) => ensureAccounts(iam, some, context),
  })
