import type { Outcome } from '../domain/outcome.ts'
import { notSettled, notSo, type Observing, type Operation } from './connector.ts'

/**
 * `observe` of a target whose reads may be behind: of what may have been sent within the settling time, a read proves
 * nothing, and two that agree prove no more, since both may come from replicas that have not heard of it. It is not asked
 * for. Only an account that is found is there: nobody can be shown an entry that was never made. Of one that is linked that is
 * known already, and of any other nothing else is told by it.
 */
export const observeSettled = async (
  settleMs: number,
  operations: readonly Operation[],
  { sentMsAgo }: Observing,
  read: (operations: readonly Operation[]) => Promise<readonly Outcome[]>,
): Promise<readonly Outcome[]> => {
  const isFresh = operations.map((_, index) => (sentMsAgo?.[index] ?? Number.POSITIVE_INFINITY) < settleMs)
  const asked = operations.flatMap((operation, index) =>
    isFresh[index] === true && !looksForOne(operation) ? [] : [index],
  )
  const told = asked.length === 0 ? [] : await read(asked.map((index) => operations[index] as Operation))
  const outcomes: Outcome[] = operations.map(() => unsettled)
  asked.forEach((index, at) => {
    const outcome = told[at] ?? unsettled
    outcomes[index] = isFresh[index] === true ? onlyThere(outcome) : outcome
  })
  return outcomes
}

const unsettled: Outcome = { kind: 'unknown', cause: { code: '', word: notSettled } }

const looksForOne = (operation: Operation): boolean => operation.op === 'ensureAccount' && operation.account === null

const onlyThere = (outcome: Outcome): Outcome => {
  if (saysAbsent(outcome)) return unsettled
  return outcome.kind === 'done' && outcome.account !== undefined
    ? { ...outcome, account: { ...outcome.account, settled: false } }
    : outcome
}

const saysAbsent = (outcome: Outcome): boolean =>
  (outcome.kind === 'retry' && outcome.cause.word === notSo) ||
  (outcome.kind === 'refused' && outcome.reason === 'account-missing')
