import type { Connector } from '../connectors/connector.ts'
import type { Lane } from '../domain/action.ts'
import type { TargetId } from '../domain/ids.ts'
import type { TargetRules } from '../domain/target.ts'
import type { Log } from '../log.ts'
import type { GuardLimits } from '../planning/guard.ts'
import type { Database } from '../store/database.ts'
import type { IdBlocks } from '../store/id-block.ts'
import type { GuardMembers } from './guard-members.ts'
import type { PolicyBook } from './policy-book.ts'

export const stages = ['evaluate', 'dispatch', 'provision'] as const
export type Stage = (typeof stages)[number]

/** A target as muster.yaml describes it. Its mode is a row (muster.target), read where it decides. */
export type TargetSettings = Omit<TargetRules, 'mode'> & {
  readonly guard: GuardLimits
  /** Operations that one call of the target carries. */
  readonly batchSize: number
  /** How long `accounts: expect` waits before it is a finding, ms. */
  readonly expectWithinMs: number
  /** How often its members are listed and compared, ms. */
  readonly reconcileEveryMs: number
  /** Of all that plans here depend on; whoever else evaluates should have the same. undefined: never compared. */
  readonly planningHash?: string
}

/** What every verb of the engine is given. Wired in app.ts, nowhere else. */
export type Engine = {
  readonly db: Database
  readonly log: Log
  readonly targets: readonly TargetSettings[]
  readonly connectors: ReadonlyMap<TargetId, Connector>
  readonly policies: PolicyBook
  readonly guardMembers: GuardMembers
  readonly ids: IdBlocks
  /** Says that a stage has work in a lane: a hint that saves a poll, never the only way to find it. */
  readonly nudge: (stage: Stage, lane: Lane) => void
  /** 0 ≤ x < 1: jitter only. */
  readonly random: () => number
  readonly settings: EngineSettings
}

export type EngineSettings = {
  /** Identities a bulk evaluation takes in one transaction; one of leavers takes two and a half times as many. */
  readonly evaluateBatch: number
  /** Actions of one bulk dispatch: what one call of a target carries. */
  readonly dispatchBatch: number
  /** How long a claimed dispatch belongs to its worker, ms. */
  readonly leaseMs: number
  /** DESIGN §4: disabled, revoked and read back within this of the effective moment, ms. */
  readonly leaverSloMs: number
  /** After this an open bulk action is a finding, ms. */
  readonly bulkDeadlineMs: number
  /** Waits so long, ms, before outcomes are written again during an outage; undefined: they are not written again. */
  readonly waitOut?: (ms: number) => Promise<void>
  /** Resolves when no leaver is in hand on this machine, or soon anyway; undefined: nobody waits. */
  readonly giveWay?: () => Promise<boolean>
  /** Pauses in tests, by label: resolves when the test lets it go on. undefined in production. */
  readonly pause?: (label: string) => Promise<void>
}
