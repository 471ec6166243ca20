import type { Transaction } from '../store/database.ts'
import type { DispatchRef } from '../store/dispatches.ts'
import { type Claim, claimIn } from './claim.ts'
import { dispatchIn } from './dispatch.ts'
import type { Engine } from './engine.ts'
import { evaluate } from './evaluate.ts'

export type SeenOff = {
  readonly evaluated: number
  readonly more: boolean
  /** Ours already, attempt audited: carry them out. */
  readonly claims: readonly Claim[]
  /** What was ready has gone into dispatches. */
  readonly dispatched: boolean
  /** Dispatched and for anybody: put them on the queue. */
  readonly queue: readonly DispatchRef[]
  /** Before the claims, performance.now(): for `carryOut`. */
  readonly begun: number
}

/** More leavers at once gather in larger dispatches, which the queue shares out. */
const few = 8

/**
 * A single leaver waits for no queue: evaluation, dispatch past the guard, and claim are one transaction (ADR 0008). When
 * many leave at once, evaluation alone.
 */
export const seeOff = async (engine: Engine): Promise<SeenOff> => {
  const begun = performance.now()
  let claims: Claim[] = []
  let queue: readonly DispatchRef[] = []
  let dispatched = false
  const forget = () => {
    claims = []
    queue = []
    dispatched = false
  }
  const work = async (tx: Transaction, count: number) => {
    if (count > few) return
    const dispatches = await dispatchIn(engine, tx, 'leaver')
    const ours = dispatches.filter(({ target }) => engine.connectors.has(target as never))
    queue = dispatches.filter((ref) => !ours.includes(ref))
    // Sent together, in the order of their numbers, as everybody locks them.
    const claimed = await Promise.all(ours.map(({ id }) => claimIn(engine, tx, id)))
    claims = claimed.filter((claim) => claim !== null)
    dispatched = true
  }
  // A claim counts only when its transaction has committed: without it there is no attempt in the audit.
  const { evaluated, more } = await evaluate(engine, 'leaver', { work, undone: forget })
  return { evaluated, more, claims, dispatched, queue, begun }
}
