import { notSettled, notSo } from '../connectors/connector.ts'
import { accountOutOfSight, isElsewhere, type Outcome, type RefusalReason } from '../domain/outcome.ts'
import type { ClaimedAction } from './claim.ts'

const nothingThere = new Set<RefusalReason>(['entitlement-missing', 'account-missing'])

/** The read said how it is: as the action wants, not so, or that there is nothing to be so. */
export const isTold = (outcome: Outcome): boolean =>
  outcome.kind === 'done' ||
  (outcome.kind === 'retry' && outcome.cause.word === notSo) ||
  (outcome.kind === 'refused' && nothingThere.has(outcome.reason))

export const isSettling = (outcome: Outcome): boolean => outcome.kind === 'unknown' && outcome.cause.word === notSettled

/** The trouble is the target's: it told nothing of anybody, and would tell nothing of the next. */
export const isSilence = (outcome: Outcome): boolean =>
  outcome.kind === 'throttled' ||
  (outcome.kind === 'refused' && outcome.reason === 'credential') ||
  ('cause' in outcome && isElsewhere(outcome.cause))

export const isOutOfSight = (outcome: Outcome): boolean =>
  outcome.kind === 'refused' && outcome.cause.word === accountOutOfSight

/** Whether the grant is there now; null = not told. `done` says it is as the action wants, `retry` that it is not. */
export const presence = (action: Pick<ClaimedAction, 'kind'>, outcome: Outcome): boolean | null => {
  if (action.kind !== 'grant' && action.kind !== 'revoke') return null
  if (outcome.kind === 'done') return action.kind === 'grant'
  if (outcome.kind === 'retry' && outcome.cause.word === notSo) return action.kind === 'revoke'
  return null
}
