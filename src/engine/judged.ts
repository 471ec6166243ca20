import type { Lane, Plan } from '../domain/action.ts'
import type { Decision } from '../domain/decision.ts'
import type { IdentityAt } from '../domain/identity.ts'
import type { EntitlementId, TargetId } from '../domain/ids.ts'
import type { Instant } from '../domain/instant.ts'
import type { AttributeValue } from '../domain/worker-event.ts'
import type { HoldFact, IndirectFact } from '../store/evaluation-facts.ts'
import type { DueIdentity } from '../store/work-queue.ts'

/** What one evaluation of one identity answers: everything that is then written, nothing of it read again. */
export type Judged = {
  readonly identity: DueIdentity
  readonly at: IdentityAt
  readonly decision: Decision
  readonly plan: Plan
  readonly planChanged: boolean
  readonly planVersion: number
  readonly workDueAt: Instant | null
  readonly lane: Lane
  readonly endedAt: Instant | null
  /** Of a leaver: HR's newest word when they were first judged one. */
  readonly leaveHeardAt: number | null
  readonly urgent: boolean
  readonly profile: Readonly<Record<string, AttributeValue>> | null
  /** null: as it was. */
  readonly desired: { readonly assignments: string; readonly entitlements: readonly number[] } | null
  readonly hadDesired: boolean
  /** Since when what was believed until now had been believed, ms. */
  readonly desiredSince: number | null
  readonly holdsToOpen: readonly HoldFact[]
  readonly holdsToClose: readonly number[]
  readonly heldBefore: readonly number[]
  /** Found on the target and wanted by a rule now: they stand under the rule from here on. */
  readonly adopt: readonly EntitlementId[]
  /** Appeared behind our back, and the entitlement says that it is adopted then: wanted from here on. */
  readonly takeOver: readonly EntitlementId[]
  /** Found on the target, managed, and explained by nothing: for a human. */
  readonly unexplained: readonly EntitlementId[]
  /** Wanted, taken away behind our back, and only reported: for a human. */
  readonly missing: readonly EntitlementId[]
  /** Changed behind our back again and again: for a human, at once. */
  readonly fought: readonly EntitlementId[]
  /** Of the catalogue, held indirectly, and nobody wants it: for a human. */
  readonly indirect: readonly IndirectFact[]
  /** Adoptions that a human has ended since the last evaluation. */
  readonly adoptionsEnded: readonly number[]
  /** Targets on which they may not sign in now and no call can shut them out: for a human. */
  readonly staysOpen: readonly TargetId[]
}
