import type { Outcome, RefusalReason } from '../../domain/outcome.ts'
import type { Operation } from '../connector.ts'
import { causeOf, type Failure } from './errors.ts'

export const refused = (reason: RefusalReason, word: string): Outcome => ({
  kind: 'refused',
  reason,
  cause: { code: '', word },
})
export const missingAccount = refused('account-missing', 'account-missing')
export const retry = (word: string): Outcome => ({ kind: 'retry', cause: { code: '', word } })

/** Something was written and no read shows it: that is not "surely not applied". */
export const unproved = (outcome: Outcome, written: boolean): Outcome => {
  if (!written || (outcome.kind !== 'retry' && outcome.kind !== 'throttled')) return outcome
  const cause = outcome.kind === 'retry' ? outcome.cause : ({ code: '', word: 'throttled', elsewhere: true } as const)
  return { kind: 'unknown', cause }
}

/** Text of what could not be read: code and word, never the server's message. */
export const failureText = (failure: Failure): string =>
  failure.code === '' ? causeOf(failure).word : `${causeOf(failure).word} (${failure.code})`

/**
 * Splits operations into those that ensure accounts and those that `others` takes, and puts their outcomes back into order.
 * What neither takes is refused: the manifest says that it is not offered, so nobody plans it.
 */
export const inOrder = async <O extends Exclude<Operation, { op: 'ensureAccount' }>>(
  operations: readonly Operation[],
  isOther: (operation: Operation) => operation is O,
  accounts: (operations: readonly Extract<Operation, { op: 'ensureAccount' }>[]) => Promise<readonly Outcome[]>,
  others: (operations: readonly O[]) => Promise<readonly Outcome[]>,
): Promise<readonly Outcome[]> => {
  const ensures = operations.filter((operation) => operation.op === 'ensureAccount')
  const rest = operations.filter(isOther)
  const ofEnsures = (ensures.length === 0 ? [] : await accounts(ensures)).values()
  const ofOthers = (rest.length === 0 ? [] : await others(rest)).values()
  return operations.map((operation) => {
    if (operation.op === 'ensureAccount') return ofEnsures.next().value ?? retry('not-begun')
    return isOther(operation) ? (ofOthers.next().value ?? retry('not-begun')) : refused('not-allowed', 'not-offered')
  })
}
