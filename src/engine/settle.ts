import type { Lane } from '../domain/action.ts'
import type { Outcome } from '../domain/outcome.ts'
import { isDataFault } from '../store/database.ts'
import type { Carried } from './apply-or-observe.ts'
import type { Claim, ClaimedAction } from './claim.ts'
import type { Engine } from './engine.ts'
import { judgeOutcome } from './judge-outcome.ts'
import { makesDue } from './makes-due.ts'
import { revokedBesideSessions } from './revoked-beside-sessions.ts'
import { Relock, saveSettled } from './save-settled.ts'
import { settleApart } from './settle-apart.ts'
import { signedOutBy } from './sign-outs.ts'
import type { Settled, Verdict } from './verdict.ts'

/**
 * Writes all outcomes of a dispatch with their audit entries in one transaction, guarded by the lease. `rejected`: the
 * lease was lost meanwhile; nothing is written, and whatever the call did must be observed and repaired.
 */
export const settle = async (engine: Engine, claim: Claim, { outcomes, sent }: Carried): Promise<Settled> => {
  const gone = new Set(claim.actions.filter((_, index) => sent.has(index)))
  const verdictOf = (action: ClaimedAction, outcome: Outcome) =>
    judgeOutcome(engine, claim, action, outcome, gone.has(action))
  const together = (some: readonly Verdict[], over: boolean) => settleTogether(engine, claim, some, over)
  const verdicts = claim.actions.map((action, index) => verdictOf(action, outcomes[index] as Outcome))
  try {
    return await together(verdicts, true)
  } catch (error) {
    if (!isDataFault(error)) throw error
    return await settleApart(engine, claim, verdicts, { together, verdictOf })
  }
}

const settleTogether = async (
  engine: Engine,
  claim: Claim,
  verdicts: readonly Verdict[],
  over: boolean,
): Promise<Settled> => {
  // Identities are locked before their dispatch; whom an outcome makes due may show only under its lock: then again.
  const signedOut = signedOutBy(engine, claim, verdicts)
  let due = new Set(
    [
      ...verdicts.filter((one) => makesDue(engine, claim, one, signedOut)),
      ...revokedBesideSessions(engine, claim, verdicts),
    ].map(({ action }) => action.identity_id),
  )
  for (;;)
    try {
      const result = await engine.db.transaction((tx) => saveSettled(engine, tx, claim, verdicts, due, over))
      if (result.kind === 'settled') nudge(engine, claim, verdicts, due.size > 0, result.released)
      return result.kind
    } catch (error) {
      if (!(error instanceof Relock)) throw error
      due = new Set([...due, ...error.identities])
    }
}

const nudge = (
  engine: Engine,
  claim: Claim,
  verdicts: readonly Verdict[],
  due: boolean,
  released: readonly Lane[],
): void => {
  if (due) for (const lane of ['leaver', 'bulk'] as const) engine.nudge('evaluate', lane)
  for (const lane of new Set<Lane>([claim.lane, ...released]))
    if (released.includes(lane) || verdicts.some(({ next }) => next.kind !== 'done' && next.kind !== 'park'))
      engine.nudge('dispatch', lane)
  if (verdicts.some(({ action }) => action.kind === 'ensureAccount')) engine.nudge('dispatch', 'bulk')
  // What gathered while this one was queued (store/create-dispatches: busy); leavers' goes since the claim.
  if (claim.lane === 'bulk') engine.nudge('dispatch', 'bulk')
}
