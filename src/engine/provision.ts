import type { ApplyContext } from '../connectors/connector.ts'
import type { Cause, Outcome } from '../domain/outcome.ts'
import { errorFields } from '../log.ts'
import { saveReobservation } from '../store/reobservations.ts'
import { applyOrObserve, type Carried, onlyWhatIsKnown } from './apply-or-observe.ts'
import { type Claim, claim as claimDispatch } from './claim.ts'
import type { Engine } from './engine.ts'
import { giveWay } from './give-way.ts'
import { linkRefusals } from './link-refusals.ts'
import { createsAccounts } from './operation.ts'
import { isOutage } from './outage.ts'
import { withIndirect } from './read-indirect.ts'
import { reobserve } from './reobserve.ts'
import { settle } from './settle.ts'
import type { Settled } from './verdict.ts'

/**
 * Claims one dispatch, makes its target agree, and records what is then known. The only way to change a target. Any
 * number of calls for one dispatch, from any number of processes, make one attempt.
 */
export const provision = async (engine: Engine, dispatch: number): Promise<void> => {
  // Taken before the claim: the lease we believe in ends no later than the one in the database.
  const begun = performance.now()
  const claim = await claimDispatch(engine, dispatch)
  if (claim !== null) await carryOut(engine, claim, begun)
}

/** Calls the target for a claim that is ours, and records what is then known. `begun`: before the claim, performance.now(). */
export const carryOut = async (engine: Engine, claim: Claim, begun: number): Promise<void> => {
  await engine.settings.pause?.('provision:claimed')
  const { leaseMs } = engine.settings
  const carried = await call(engine, claim, { writes: begun + leaseMs * 0.8, answers: begun + leaseMs * 0.9 })
  await engine.settings.pause?.('provision:called')
  await giveWay(engine, claim.lane)
  if ((await settleWhileLeased(engine, claim, carried, begun + leaseMs)) === 'settled') return
  engine.log.warn(
    { dispatch: claim.dispatch, target: claim.target },
    'a late outcome was rejected: its members are read again',
  )
  await reobserve(engine, claim)
}

/**
 * What the call did is known here and nowhere else: an outage of the database that is shorter than the lease must not make
 * it unknown, for its people would wait for the rest of the lease and be read back.
 */
const settleWhileLeased = async (
  engine: Engine,
  claim: Claim,
  carried: Carried,
  leaseEnds: number,
): Promise<Settled> => {
  const { waitOut } = engine.settings
  for (let waitMs = 100; ; waitMs = Math.min(1_000, waitMs * 2))
    try {
      return await settle(engine, claim, carried)
    } catch (error) {
      if (waitOut === undefined || !isOutage(error) || performance.now() + waitMs > leaseEnds) throw error
      await waitOut(waitMs)
    }
}

/** Until when a call may begin to write, and until when it is waited for: `performance.now()`. */
type Limits = { readonly writes: number; readonly answers: number }

const call = async (engine: Engine, claim: Claim, limits: Limits): Promise<Carried> => {
  const connector = engine.connectors.get(claim.target)
  if (connector === undefined)
    return {
      outcomes: claim.actions.map(({ unknown }) => (unknown ? onlyWhatIsKnown(noConnector) : noConnector)),
      sent: new Set(),
    }
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(), Math.max(0, limits.writes - performance.now()))
  const context: ApplyContext = {
    signal: abort.signal,
    mayWrite: () => !abort.signal.aborted && performance.now() < limits.writes,
    linkRefusals: linkRefusals(engine, claim),
  }
  const answer = applyOrObserve(
    connector,
    claim.actions,
    context,
    claim.lane,
    createsAccounts(engine, claim.target),
    claim.claimedAt,
  )
    .then(async ({ outcomes, sent }) => ({
      outcomes: await withIndirect(connector, claim.actions, outcomes, claim.lane, abort.signal),
      sent,
    }))
    .catch((error: unknown) => {
      // The contract forbids it: a bug of the connector. What it did is not known.
      engine.log.error({ target: claim.target, dispatch: claim.dispatch, ...errorFields(error) }, 'a connector threw')
      return allUnknown(claim, 'connector-threw')
    })
    .finally(() => clearTimeout(timer))
  return (await within(limits.answers, answer)) ?? givenUp(engine, claim, answer)
}

/** null: not by then. */
const within = async <T>(until: number, answer: Promise<T>): Promise<T | null> => {
  const over = Promise.withResolvers<null>()
  const timer = setTimeout(() => over.resolve(null), Math.max(0, until - performance.now()))
  try {
    return await Promise.race([answer, over.promise])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * It ignores its signal, which the contract forbids: whoever waited for it would never do anything else again. What it did is
 * not known; should it end one day, it is a zombie, and its members are read again.
 */
const givenUp = (engine: Engine, claim: Claim, answer: Promise<unknown>): Carried => {
  const { dispatch, target } = claim
  engine.log.error({ dispatch, target }, 'a connector does not answer: its call is given up, its members are read back')
  answer
    // Written down first: if this process or this read does not get to it, the sweep does.
    .then(() => engine.db.transaction((tx) => saveReobservation(tx, claim)))
    .then(() => reobserve(engine, claim))
    .catch((error: unknown) =>
      engine.log.error({ dispatch, target, ...errorFields(error) }, 'what a late call did could not be read'),
    )
  return allUnknown(claim, 'connector-hangs', { elsewhere: true })
}

const allUnknown = (claim: Claim, word: string, where: Pick<Cause, 'elsewhere'> = {}): Carried => ({
  outcomes: claim.actions.map(() => ({ kind: 'unknown', cause: { code: '', word, ...where } })),
  sent: new Set(claim.actions.keys()),
})

const noConnector: Outcome = {
  kind: 'refused',
  reason: 'configuration',
  cause: { code: '', word: 'no-connector-for-target' },
}
