import { type ApplyContext, type Connector, notSo } from '../connectors/connector.ts'
import { givesAccess, type Lane, seeksOnly } from '../domain/action.ts'
import type { Outcome, RefusalReason } from '../domain/outcome.ts'
import type { ClaimedAction } from './claim.ts'
import { toOperation } from './operation.ts'

/** What is unknown is read back first; only what is then not so, and may still be done, is done. Leavers' accounts are only read. */
export const applyOrObserve = async (
  connector: Connector,
  actions: readonly ClaimedAction[],
  context: ApplyContext,
  lane: Lane,
  create: boolean,
  /** By the database's clock, ms. */
  claimedAt: number,
): Promise<readonly Outcome[]> => {
  const outcomes: (Outcome | undefined)[] = actions.map(() => undefined)
  const fill = (indexes: readonly number[], results: readonly Outcome[]) => {
    indexes.forEach((index, position) => {
      outcomes[index] = results[position]
    })
  }
  const at = (index: number) => {
    const action = actions[index] as ClaimedAction
    return toOperation(action, create && !seeksOnly({ kind: action.kind, lane }), lane)
  }
  const sought = indexesWhere(actions, ({ kind }) => seeksOnly({ kind, lane }))
  if (sought.length > 0) fill(sought, (await connector.observe(sought.map(at), context.signal)).map(asSought))
  const others = new Set(indexesWhere(actions, ({ kind }) => !seeksOnly({ kind, lane })))
  const unknown = indexesWhere(actions, (action, index) => action.unknown && others.has(index))
  const { poll } = connector
  const polled = poll === undefined ? [] : unknown.filter((index) => actions[index]?.handle !== null)
  const asked = unknown.filter((index) => !polled.includes(index))
  if (poll !== undefined && polled.length > 0) {
    const pending = polled.map((index) => ({ operation: at(index), handle: actions[index]?.handle ?? '' }))
    fill(polled, (await poll(pending, context.signal)).map(onlyWhatIsKnown))
  }
  if (asked.length > 0) {
    const read = (await connector.observe(asked.map(at), context.signal)).map(onlyWhatIsKnown)
    // What takes away is sent once more instead: that harms nobody, and waits for nothing.
    const isSettling = (index: number) =>
      givesAccess[actions[index]?.kind ?? 'grant'] &&
      claimedAt - (actions[index]?.unknown_since ?? 0) < connector.manifest.settleMs &&
      isNotSo(read[asked.indexOf(index)])
    fill(
      asked,
      asked.map((index, position) => (isSettling(index) ? notSettled : (read[position] as Outcome))),
    )
  }
  // What the target took on and then did not do is tried anew with the patience of a failure, not at once.
  const mayFollow = new Set(asked)
  // What would be found is looked at before anything is written to it.
  const wary = indexesWhere(
    actions,
    ({ not_theirs, mode }, index) =>
      not_theirs !== null && mode === 'apply' && others.has(index) && outcomes[index] === undefined,
  )
  if (wary.length > 0) {
    const found = await connector.observe(wary.map(at), context.signal)
    wary.forEach((index, position) => {
      const refusal = unlessTheirs(actions[index] as ClaimedAction, found[position])
      if (refusal !== null) outcomes[index] = refusal
    })
  }
  const toApply = indexesWhere(
    actions,
    (action, index) =>
      others.has(index) &&
      action.mode === 'apply' &&
      (!action.unknown || (mayFollow.has(index) && isNotSo(outcomes[index]))) &&
      (outcomes[index] === undefined || isNotSo(outcomes[index])),
  )
  if (toApply.length > 0) fill(toApply, await connector.apply(toApply.map(at), context))
  return outcomes.map((outcome) => outcome ?? { kind: 'unknown', cause: { code: '', word: 'no-outcome' } })
}

/** What a read does not show yet may still be on its way through the target. */
const notSettled: Outcome = { kind: 'unknown', cause: { code: '', word: 'not-settled' } }

/** null: nobody, or nobody of whom a human said that it is not theirs, would be linked. */
const unlessTheirs = ({ not_theirs }: ClaimedAction, found: Outcome | undefined): Outcome | null => {
  if (found?.kind === 'done' && found.account !== undefined)
    return not_theirs?.includes(found.account.nativeId) === true
      ? { kind: 'refused', reason: 'account-ambiguous', cause: { code: '', word: 'not-theirs' } }
      : null
  if (found === undefined || found.kind === 'unknown' || found.kind === 'throttled')
    return { kind: 'retry', cause: { code: '', word: 'not-read-before' } }
  return null
}

/** A complete read found no account of a leaver. Nothing is made of it, and nothing was written: nothing is ever unknown. */
const asSought = (outcome: Outcome): Outcome =>
  isNotSo(outcome)
    ? { kind: 'refused', reason: 'account-missing', cause: { code: '', word: 'no-account-to-shut' } }
    : outcome

/**
 * A read that failed, was throttled or was not allowed leaves unknown what was unknown: a grant that may stand on the
 * target must not be forgotten for it. Only what tells that there is nothing left to hold may end it.
 */
export const onlyWhatIsKnown = (outcome: Outcome): Outcome => {
  switch (outcome.kind) {
    case 'retry':
      return isNotSo(outcome) ? outcome : { kind: 'unknown', cause: outcome.cause }
    case 'throttled':
      return { kind: 'unknown', cause: { code: '', word: 'throttled' } }
    case 'refused':
      return tellsNothing.has(outcome.reason) ? { kind: 'unknown', cause: outcome.cause } : outcome
    case 'done':
    case 'pending':
    case 'unknown':
      return outcome
  }
}

/** Refusals of the reader, not statements about what it reads. */
const tellsNothing: ReadonlySet<RefusalReason> = new Set(['not-allowed', 'invalid', 'configuration', 'credential'])

const isNotSo = (outcome: Outcome | undefined): boolean => outcome?.kind === 'retry' && outcome.cause.word === notSo

const indexesWhere = <T>(items: readonly T[], test: (item: T, index: number) => boolean): readonly number[] =>
  items.flatMap((item, index) => (test(item, index) ? [index] : []))
