import type { OpenAction, Plan } from '../../src/domain/action.ts'
import type { Decision } from '../../src/domain/decision.ts'
import type { IdentityAt } from '../../src/domain/identity.ts'
import type { ActionId, EntitlementId, TargetId } from '../../src/domain/ids.ts'
import type { Instant } from '../../src/domain/instant.ts'
import type { WorkerEvent } from '../../src/domain/worker-event.ts'
import type { LinkedAccount } from '../../src/planning/plan-input.ts'
import type { Observation } from './run-scenario.ts'

export type CoreAction = OpenAction & {
  readonly inverseOf: ActionId | null
  /** As scenarios name it: `grant Entry`, `disable bank-ldap`. */
  readonly change: string
  readonly attempts: number
  /** It changed the target, as far as it was heard; a read-back then counts as its verification. */
  readonly effective: boolean
  readonly startedAt: number
  readonly createdAt: Instant
  /** null: none that these scenarios could reach. */
  readonly deadline: Instant | null
}

/** What Muster stores about one person. */
export type CorePerson = {
  readonly key: string
  readonly events: WorkerEvent[]
  readonly accounts: Map<TargetId, LinkedAccount>
  /** Verified as there; false = found there: Muster never gave it, and no rule has wanted it since. */
  readonly grants: Map<EntitlementId, boolean>
  actions: CoreAction[]
  due: boolean
  /** Evaluation throws. */
  fails: boolean
  /** It threw: nothing more until another event comes. */
  parked: boolean
  urgent: boolean
  nextChangeAt: Instant | null
  /** Targets whose grants were read since this person left. */
  readonly readSinceLeaving: Set<TargetId>
  /** Targets on which an account was looked for since this person left, and there was none. */
  readonly absent: Set<TargetId>
  readonly inverseSent: Set<ActionId>
  readonly rejected: Set<string>
  readonly hanging: Set<string>
  readonly changes: Observation['changes'][number][]
  /** Found, in the catalogue, and wanted by no rule. */
  reported: readonly EntitlementId[]
  at: IdentityAt | null
  decision: Decision | null
  plan: Plan | null
}

export const newPerson = (key: string): CorePerson => ({
  key,
  events: [],
  accounts: new Map(),
  grants: new Map(),
  actions: [],
  due: true,
  fails: false,
  parked: false,
  urgent: false,
  nextChangeAt: null,
  readSinceLeaving: new Set(),
  absent: new Set(),
  inverseSent: new Set(),
  rejected: new Set(),
  hanging: new Set(),
  changes: [],
  reported: [],
  at: null,
  decision: null,
  plan: null,
})
