import type { Outcome } from '../domain/outcome.ts'
import { whatNext } from '../planning/retry.ts'
import type { Claim, ClaimedAction } from './claim.ts'
import type { Engine } from './engine.ts'
import { createsAccounts } from './operation.ts'
import { leavesUnread } from './read-indirect.ts'
import { rulesOf } from './rules-of.ts'
import type { Verdict } from './verdict.ts'

/** What becomes of an action after this outcome; `given` counts only as far as it proves what it says. */
export const judgeOutcome = (
  engine: Engine,
  claim: Claim,
  action: ClaimedAction,
  given: Outcome,
  sent: boolean,
): Verdict => {
  const outcome = provedOf(engine, claim, action, given)
  const deadline = deadlineOf(engine, claim, action, outcome)
  const next = whatNext(outcome, {
    lane: claim.lane,
    kind: action.kind,
    attempts: action.attempts + 1,
    rests: action.rests,
    accounts: createsAccounts(engine, claim.target) ? 'create' : 'expect',
    deadlineInMs: deadline === null ? null : deadline - claim.claimedAt,
    random: engine.random(),
  })
  return { action, outcome, next, sent, deadline }
}

/** What another hand brings has the time that an account has which another hand makes; a leaver has no more than ever. */
const deadlineOf = (
  engine: Engine,
  { target, lane }: Claim,
  { deadline, runs_since }: ClaimedAction,
  outcome: Outcome,
): number | null => {
  const isAwaited = outcome.kind === 'retry' && outcome.cause.awaited !== undefined
  if (deadline === null || lane === 'leaver' || !isAwaited) return deadline
  const within = rulesOf(engine, target)?.expectWithinMs
  return within === undefined ? deadline : runs_since + within
}

const provedOf = (engine: Engine, { target, lane }: Claim, action: ClaimedAction, given: Outcome): Outcome => {
  if (!readIsComplete(action, given)) {
    // Shut by us, and nothing of it is stored: whoever is back before the read is complete must be let in again.
    const mayBeOurs = action.kind === 'disable' && given.kind === 'done' && (given.changed || action.unknown)
    return { kind: mayBeOurs ? 'unknown' : 'retry', cause: grantsUnread }
  }
  // That it is linked, or what was changed, is known all the same; who is linked already has nothing else to wait for.
  const saysNothing = action.account_id !== null && given.kind === 'done' && !given.changed && lane !== 'leaver'
  return saysNothing && leavesUnread(engine.connectors.get(target), action, given) ? indirectUnread : given
}

/** What proves a leaver's end does so only with a complete read of what the account still holds. */
const readIsComplete = (action: ClaimedAction, outcome: Outcome): boolean =>
  (action.kind !== 'disable' && action.kind !== 'endSessions') ||
  outcome.kind !== 'done' ||
  outcome.grants !== undefined

const grantsUnread = { code: '', word: 'grants-not-read' } as const

const indirectUnread: Outcome = { kind: 'retry', cause: { code: '', word: 'indirect-not-read' } }
