import { type ApplyContext, type Connector, notSettled, notSo } from '../connectors/connector.ts'
import { givesAccess, type Lane, seeksOnly } from '../domain/action.ts'
import { type Cause, isElsewhere, type Outcome, type RefusalReason, sentUnproved } from '../domain/outcome.ts'
import type { ClaimedAction } from './claim.ts'
import { toOperation } from './operation.ts'

export type Carried = {
  readonly outcomes: readonly Outcome[]
  /** Indexes of what may have been written just now. */
  readonly sent: ReadonlySet<number>
}

/**
 * What is unknown is read back first; only what is then not so, and may still be done, is done. What takes away does not wait
 * for reads that may be behind: it is sent once more, which harms nobody. Leavers' accounts are only read.
 */
export const applyOrObserve = async (
  connector: Connector,
  actions: readonly ClaimedAction[],
  context: ApplyContext,
  lane: Lane,
  create: boolean,
  /** By the database's clock, ms. */
  claimedAt: number,
): Promise<Carried> => {
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
  const observe = (indexes: readonly number[], linkRefusals?: ApplyContext['linkRefusals']) =>
    connector.observe(indexes.map(at), {
      signal: context.signal,
      linkRefusals,
      sentMsAgo: indexes.map((index) => sentMsAgo(actions[index], claimedAt)),
    })
  const sought = indexesWhere(actions, ({ kind }) => seeksOnly({ kind, lane }))
  if (sought.length > 0) fill(sought, (await observe(sought, context.linkRefusals)).map(asSought))
  const others = new Set(indexesWhere(actions, ({ kind }) => !seeksOnly({ kind, lane })))
  const unknown = indexesWhere(actions, (action, index) => action.unknown && others.has(index))
  const { poll } = connector
  const polled = poll === undefined ? [] : unknown.filter((index) => actions[index]?.handle !== null)
  const asked = unknown.filter((index) => !polled.includes(index))
  if (poll !== undefined && polled.length > 0) {
    const pending = polled.map((index) => ({ operation: at(index), handle: actions[index]?.handle ?? '' }))
    fill(polled, (await poll(pending, context.signal)).map(onlyWhatIsKnown))
  }
  if (asked.length > 0) fill(asked, (await observe(asked)).map(onlyWhatIsKnown))
  // What the target took on and then did not do is tried anew with the patience of a failure, not at once.
  const mayFollow = new Set(asked)
  // What would be found is looked at before anything is written to it.
  const wary = indexesWhere(
    actions,
    ({ not_theirs, mode }, index) =>
      not_theirs !== null && mode === 'apply' && others.has(index) && outcomes[index] === undefined,
  )
  if (wary.length > 0) {
    const found = await observe(wary)
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
      (action.unknown
        ? mayFollow.has(index) && (isNotSo(outcomes[index]) || goesAgain(action, outcomes[index]))
        : outcomes[index] === undefined),
  )
  const again = new Set(toApply.filter((index) => goesAgain(actions[index] as ClaimedAction, outcomes[index])))
  const applied = toApply.length === 0 ? [] : await connector.apply(toApply.map(at), context)
  fill(
    toApply,
    applied.map((outcome, position) => (again.has(toApply[position] ?? -1) ? onlyWhatEndsBoth(outcome) : outcome)),
  )
  return {
    outcomes: outcomes.map((outcome) => outcome ?? { kind: 'unknown', cause: { code: '', word: 'no-outcome' } }),
    sent: new Set(toApply.filter((_, position) => mayHaveWritten(applied[position]))),
  }
}

/** null: nothing of it was sent before, or it is known what became of it. */
const sentMsAgo = (action: ClaimedAction | undefined, claimedAt: number): number | null =>
  action?.unknown === true ? Math.max(0, claimedAt - (action.unknown_since ?? claimedAt)) : null

const goesAgain = ({ kind }: ClaimedAction, outcome: Outcome | undefined): boolean =>
  !givesAccess[kind] &&
  outcome?.kind === 'unknown' &&
  (outcome.cause.word === notSettled || outcome.cause.word === sentUnproved)

/** However often it is sent, nobody learns more of it: this answer stands for the earlier ones, too. */
const isSentUnproved = (outcome: Outcome | undefined): boolean =>
  outcome?.kind === 'refused' && outcome.cause.word === sentUnproved

/**
 * Of what was sent before and went out again: an attempt that wrote nothing says nothing of the earlier one, whatever it
 * says of itself. (What was throttled stays as unknown as it was: settle.)
 */
const onlyWhatEndsBoth = (outcome: Outcome): Outcome =>
  outcome.kind === 'retry' || (outcome.kind === 'refused' && !isSentUnproved(outcome))
    ? { kind: 'unknown', cause: causeOf(outcome) }
    : outcome

/** Who is not let in is told nothing, of nobody in particular. */
const causeOf = (outcome: Extract<Outcome, { kind: 'retry' | 'refused' }>): Cause =>
  outcome.kind === 'refused' && outcome.reason === 'credential' ? { ...outcome.cause, elsewhere: true } : outcome.cause

const mayHaveWritten = (outcome: Outcome | undefined): boolean =>
  outcome === undefined ||
  outcome.kind === 'done' ||
  outcome.kind === 'pending' ||
  outcome.kind === 'unknown' ||
  isSentUnproved(outcome)

/** Cause word: a human said that this account is not this person's. */
export const notTheirs = 'not-theirs'
const notReadBefore = { code: '', word: 'not-read-before', elsewhere: true } as const

/** null: nobody, or nobody of whom a human said that it is not theirs, would be linked. */
const unlessTheirs = ({ not_theirs }: ClaimedAction, found: Outcome | undefined): Outcome | null => {
  if (found?.kind === 'done' && found.account !== undefined)
    return not_theirs?.includes(found.account.nativeId) === true
      ? {
          kind: 'refused',
          reason: 'account-ambiguous',
          cause: { code: '', word: notTheirs },
          doubt: { by: null, accounts: [found.account.nativeId] },
        }
      : null
  if (found === undefined || found.kind === 'throttled') return { kind: 'retry', cause: notReadBefore }
  if (found.kind === 'unknown')
    return { kind: 'retry', cause: isElsewhere(found.cause) ? notReadBefore : { code: '', word: 'not-read-before' } }
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
      return { kind: 'unknown', cause: { code: '', word: 'throttled', elsewhere: true } }
    case 'refused':
      return tellsNothing.has(outcome.reason) ? { kind: 'unknown', cause: causeOf(outcome) } : outcome
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
