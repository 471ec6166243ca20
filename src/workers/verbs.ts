import type { Lane } from '../domain/action.ts'
import type { Claim } from '../engine/claim.ts'
import type { Engine } from '../engine/engine.ts'
import type { Reobserving } from '../engine/reobserve-due.ts'
import type { SeenOff } from '../engine/see-off.ts'

/** A dispatch to be put on the queue of its target and lane. `queueNo` rises with every re-queue. */
export type DispatchRef = {
  readonly id: number
  readonly target: string
  readonly lane: Lane
  readonly queueNo: number
}

/**
 * What the engine does, as the loops see it. Every verb may be called at any time, any number of times, by any number of
 * processes: Postgres decides who gets the work.
 */
export type EngineVerbs = {
  /** One batch of a lane. */
  readonly evaluate: (engine: Engine, lane: Lane) => Promise<{ readonly evaluated: number; readonly more: boolean }>
  /** One batch of leavers; when they are few, dispatched and claimed in the same transaction. */
  readonly seeOff: (engine: Engine) => Promise<SeenOff>
  /** Call and settle for a claim that is ours. */
  readonly carryOut: (engine: Engine, claim: Claim, begun: number) => Promise<void>
  /** Makes dispatches of what may go now; they go on the queue after this committed. */
  readonly dispatch: (engine: Engine, lane: Lane) => Promise<readonly DispatchRef[]>
  readonly markQueued: (engine: Engine, ids: readonly number[]) => Promise<void>
  /** Claim, call, settle. Does nothing for a dispatch that somebody else has or that is over. */
  readonly provision: (engine: Engine, dispatch: number) => Promise<void>
  /** Queued leaver dispatches that nobody claimed for so long, straight from Postgres. */
  readonly unclaimedLeavers: (engine: Engine, olderThanMs: number) => Promise<readonly DispatchRef[]>
  /** Lost jobs, expired leases, passed deadlines. Late outcomes are read beside it, in `reading`. */
  readonly sweep: (
    engine: Engine,
    reading: Reobserving,
  ) => Promise<{ readonly requeue: readonly DispatchRef[]; readonly expired: number }>
}
