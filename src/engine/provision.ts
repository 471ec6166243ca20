import { type ApplyContext, type Connector, notSo } from '../connectors/connector.ts'
import { type Lane, seeksOnly } from '../domain/action.ts'
import type { Outcome, RefusalReason } from '../domain/outcome.ts'
import { errorFields } from '../log.ts'
import { type Claim, type ClaimedAction, claim as claimDispatch } from './claim.ts'
import type { Engine } from './engine.ts'
import { giveWay } from './give-way.ts'
import { createsAccounts, toOperation } from './operation.ts'
import { isOutage } from './outage.ts'
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
  const deadline = begun + engine.settings.leaseMs * 0.8
  const outcomes = await call(engine, claim, deadline)
  await engine.settings.pause?.('provision:called')
  await giveWay(engine, claim.lane)
  if ((await settleWhileLeased(engine, claim, outcomes, begun + engine.settings.leaseMs)) === 'settled') return
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
  outcomes: readonly Outcome[],
  leaseEnds: number,
): Promise<Settled> => {
  const { waitOut } = engine.settings
  for (let waitMs = 100; ; waitMs = Math.min(1_000, waitMs * 2))
    try {
      return await settle(engine, claim, outcomes)
    } catch (error) {
      if (waitOut === undefined || !isOutage(error) || performance.now() + waitMs > leaseEnds) throw error
      await waitOut(waitMs)
    }
}

const call = async (engine: Engine, claim: Claim, deadline: number): Promise<readonly Outcome[]> => {
  const connector = engine.connectors.get(claim.target)
  if (connector === undefined)
    return claim.actions.map(({ unknown }) => (unknown ? onlyWhatIsKnown(noConnector) : noConnector))
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(), Math.max(0, deadline - performance.now()))
  const context: ApplyContext = {
    signal: abort.signal,
    mayWrite: () => !abort.signal.aborted && performance.now() < deadline,
  }
  try {
    return await applyOrObserve(connector, claim.actions, context, claim.lane, createsAccounts(engine, claim.target))
  } catch (error) {
    // The contract forbids it: a bug of the connector. What it did is not known.
    engine.log.error({ target: claim.target, dispatch: claim.dispatch, ...errorFields(error) }, 'a connector threw')
    return claim.actions.map(() => ({ kind: 'unknown', cause: { code: '', word: 'connector-threw' } }))
  } finally {
    clearTimeout(timer)
  }
}

const noConnector: Outcome = {
  kind: 'refused',
  reason: 'configuration',
  cause: { code: '', word: 'no-connector-for-target' },
}

/** What is unknown is read back first; only what is then not so, and may still be done, is done. Leavers' accounts are only read. */
const applyOrObserve = async (
  connector: Connector,
  actions: readonly ClaimedAction[],
  context: ApplyContext,
  lane: Lane,
  create: boolean,
): Promise<readonly Outcome[]> => {
  const outcomes: (Outcome | undefined)[] = actions.map(() => undefined)
  const fill = (indexes: readonly number[], results: readonly Outcome[]) => {
    indexes.forEach((index, position) => {
      outcomes[index] = results[position]
    })
  }
  const at = (index: number) => {
    const action = actions[index] as ClaimedAction
    return toOperation(action, create && !seeksOnly({ kind: action.kind, lane }))
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
  if (asked.length > 0) fill(asked, (await connector.observe(asked.map(at), context.signal)).map(onlyWhatIsKnown))
  // What the target took on and then did not do is tried anew with the patience of a failure, not at once.
  const mayFollow = new Set(asked)
  const toApply = indexesWhere(
    actions,
    (action, index) =>
      others.has(index) &&
      action.mode === 'apply' &&
      (!action.unknown || (mayFollow.has(index) && isNotSo(outcomes[index]))),
  )
  if (toApply.length > 0) fill(toApply, await connector.apply(toApply.map(at), context))
  return outcomes.map((outcome) => outcome ?? { kind: 'unknown', cause: { code: '', word: 'no-outcome' } })
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
const onlyWhatIsKnown = (outcome: Outcome): Outcome => {
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
const tellsNothing: ReadonlySet<RefusalReason> = new Set(['not-allowed', 'invalid', 'configuration'])

const isNotSo = (outcome: Outcome | undefined): boolean => outcome?.kind === 'retry' && outcome.cause.word === notSo

const indexesWhere = <T>(items: readonly T[], test: (item: T, index: number) => boolean): readonly number[] =>
  items.flatMap((item, index) => (test(item, index) ? [index] : []))
