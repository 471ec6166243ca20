import type { Outcome } from '../../domain/outcome.ts'
import { refusal, retry } from '../aws-wire/errors.ts'
import { sideBySide } from '../aws-wire/side-by-side.ts'
import type { ApplyContext, EnsureOperation, Operation } from '../connector.ts'
import { type AccessOperation, changeAccess } from './access.ts'
import type { Aws } from './aws.ts'
import { nothingRead } from './before.ts'
import { deleteAccount } from './delete-account.ts'
import { type EndOperation, endSessions } from './end-sessions.ts'
import { ensureAccounts } from './ensure-accounts.ts'

export type DeleteOperation = Extract<Operation, { op: 'deleteAccount' }>

type Kinds = {
  /** Reads at once, and writes when the sessions of this call have been ended. */
  readonly access: (
    operations: readonly AccessOperation[],
    sessionsEnded: Promise<unknown>,
  ) => Promise<readonly Outcome[]>
  readonly ensure: (operations: readonly EnsureOperation[]) => Promise<readonly Outcome[]>
  readonly sessions: (operations: readonly EndOperation[]) => Promise<readonly Outcome[]>
  readonly deletion: (operation: DeleteOperation) => Promise<Outcome>
}

/** Operations of one kind, and where each stands in the batch. */
type Lot<T> = { readonly at: number[]; readonly operations: T[] }
const lot = <T>(): Lot<T> => ({ at: [], operations: [] })

/** Each operation to those of its kind, and their outcomes back into order. */
export const inOrder = async (operations: readonly Operation[], kinds: Kinds): Promise<readonly Outcome[]> => {
  const outcomes: (Outcome | undefined)[] = new Array(operations.length)
  const sessions = lot<EndOperation>()
  const access = lot<AccessOperation>()
  const deletions = lot<DeleteOperation>()
  const ensures = lot<EnsureOperation>()
  for (const [index, operation] of operations.entries()) {
    const put = <T>(into: Lot<T>, one: T) => {
      into.at.push(index)
      into.operations.push(one)
    }
    switch (operation.op) {
      case 'endSessions':
        put(sessions, operation)
        break
      case 'grant':
      case 'revoke':
        put(access, operation)
        break
      case 'deleteAccount':
        put(deletions, operation)
        break
      case 'ensureAccount':
        put(ensures, operation)
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
  const run = async <T>(
    { at, operations: some }: Lot<T>,
    work: (some: readonly T[]) => Promise<readonly Outcome[]>,
  ) => {
    if (some.length === 0) return
    const done = await work(some)
    for (const [n, index] of at.entries()) outcomes[index] = done[n]
  }
  // Sessions first: what is revoked no longer tells what they reach. Then access ends, then accounts.
  const ending = run(sessions, kinds.sessions)
  await Promise.all([ending, run(access, (some) => kinds.access(some, ending))])
  await run(deletions, (some) => sideBySide(some, kinds.deletion))
  await run(ensures, kinds.ensure)
  return operations.map((_, index) => outcomes[index] ?? retry('not-begun'))
}

export const apply = (
  aws: Aws,
  operations: readonly Operation[],
  context: ApplyContext,
): Promise<readonly Outcome[]> => {
  const reading: Aws = { ...aws, before: nothingRead() }
  return inOrder(operations, {
    access: (some, sessionsEnded) => changeAccess(reading, some, context, sessionsEnded),
    ensure: (some) => ensureAccounts(aws, some, context),
    sessions: (some) => endSessions(reading, some, context),
    deletion: ({ account }) => deleteAccount(aws, account, context),
  })
}
