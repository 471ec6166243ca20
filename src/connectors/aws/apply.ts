import type { Outcome } from '../../domain/outcome.ts'
import type { ApplyContext, Operation } from '../connector.ts'
import { type AccessOperation, changeAccess } from './access.ts'
import type { Aws } from './aws.ts'
import { deleteAccount } from './delete-account.ts'
import { endSessions } from './end-sessions.ts'
import { ensureAccounts } from './ensure-accounts.ts'
import { refusal, retry } from './errors.ts'
import type { EnsureOperation } from './find-accounts.ts'
import { sideBySide } from './side-by-side.ts'

export type LeaverOperation = Extract<Operation, { op: 'endSessions' | 'deleteAccount' }>

type Kinds = {
  readonly access: (operations: readonly AccessOperation[]) => Promise<readonly Outcome[]>
  readonly ensure: (operations: readonly EnsureOperation[]) => Promise<readonly Outcome[]>
  readonly leaver: (operation: LeaverOperation) => Promise<Outcome>
}

/** Each operation to those of its kind, and their outcomes back into order. */
export const inOrder = async (operations: readonly Operation[], kinds: Kinds): Promise<readonly Outcome[]> => {
  const outcomes: (Outcome | undefined)[] = new Array(operations.length)
  const at = { access: [] as number[], ensure: [] as number[], leaver: [] as number[] }
  const access: AccessOperation[] = []
  const ensure: EnsureOperation[] = []
  const leaver: LeaverOperation[] = []
  for (const [index, operation] of operations.entries()) {
    switch (operation.op) {
      case 'ensureAccount':
        at.ensure.push(index)
        ensure.push(operation)
        break
      case 'grant':
      case 'revoke':
        at.access.push(index)
        access.push(operation)
        break
      case 'endSessions':
      case 'deleteAccount':
        at.leaver.push(index)
        leaver.push(operation)
        break
      case 'enable':
      case 'disable':
        // The manifest says so; nobody plans it.
        outcomes[index] = refusal('not-allowed', 'not-offered')
        break
      default:
        operation satisfies never
    }
  }
  // Access ends first: then accounts.
  const ofAccess = access.length === 0 ? [] : await kinds.access(access)
  const ofLeavers = await sideBySide(leaver, kinds.leaver)
  const ofEnsures = ensure.length === 0 ? [] : await kinds.ensure(ensure)
  for (const [n, index] of at.access.entries()) outcomes[index] = ofAccess[n]
  for (const [n, index] of at.leaver.entries()) outcomes[index] = ofLeavers[n]
  for (const [n, index] of at.ensure.entries()) outcomes[index] = ofEnsures[n]
  return operations.map((_, index) => outcomes[index] ?? retry('not-begun'))
}

export const apply = (aws: Aws, operations: readonly Operation[], context: ApplyContext): Promise<readonly Outcome[]> =>
  inOrder(operations, {
    access: (some) => changeAccess(aws, some, context),
    ensure: (some) => ensureAccounts(aws, some, context),
    leaver: ({ op, account }) =>
      op === 'endSessions' ? endSessions(aws, account, context) : deleteAccount(aws, account, context),
  })
