import type { EntitlementId, TargetId } from './ids.ts'
import type { Instant, Interval } from './instant.ts'

/** Why somebody should hold something. The derivation is part of the decision, not a comment on it. */
export type Reason =
  | {
      readonly kind: 'rule'
      readonly rule: string
      readonly employmentKey: string
      /** Roles from the rule down to the entitlement; empty when the rule names the entitlement itself. */
      readonly path: readonly string[]
    }
  /** It follows from something else that should be held, for whatever reason that is. */
  | {
      readonly kind: 'implied'
      readonly implication: string
      /** Catalogue key of what it follows from, in the version that judges this time. */
      readonly holds: string
      /** Roles from the implication down to the entitlement; empty when it names the entitlement itself. */
      readonly path: readonly string[]
    }
  | { readonly kind: 'exception'; readonly exception: string }
  /** Another hand gave it, before Muster or behind it, and it was taken over: no rule gives it, and it stands until a human ends it. */
  | { readonly kind: 'adopted' }

/** The DESIRED link identity → entitlement over one interval of valid time. */
export type Assignment = {
  readonly entitlement: EntitlementId
  readonly target: TargetId
  readonly interval: Interval
  readonly reasons: readonly Reason[]
}

/** Access that was there before and was taken over. Ends by a human alone. */
export type Adopted = {
  readonly entitlement: EntitlementId
  readonly target: TargetId
  readonly interval: Interval
}

/** One breach or would-be breach of one SoD policy. */
export type Violation = {
  readonly policy: string
  /** Entitlements of the resulting set that touch a side, by side, in catalogue order. */
  readonly sides: readonly { readonly side: string; readonly entitlements: readonly EntitlementId[] }[]
  /** A live exception that accepts it, else null. */
  readonly exception: string | null
}

/**
 * What separation of duties says of one wanted entitlement that is not there yet. What is wanted only because something else
 * is shares that one's verdict (`policies/follow`): it never goes alone.
 */
export type GrantVerdict =
  /** `exceptions`: keys of live exceptions without which it would not go; absent when none was needed. */
  | { readonly kind: 'go'; readonly exceptions?: readonly string[] }
  /** Conflicts only with what this plan revokes: goes when those revokes are verified. */
  | { readonly kind: 'wait'; readonly policies: readonly string[]; readonly after: readonly EntitlementId[] }
  /** Waits for a human: an exception, or a change of what is held or wanted. */
  | { readonly kind: 'held'; readonly policies: readonly string[]; readonly conflictsWith: readonly EntitlementId[] }

/** What policy evaluation answers for one identity at one moment. */
export type Decision = {
  /** The whole timeline of what policy wants, before SoD: intervals of valid time. */
  readonly timeline: readonly Assignment[]
  /** Entitlements wanted now (interval contains the moment of evaluation), before SoD. */
  readonly wanted: readonly Assignment[]
  /** One for each wanted entitlement that is not yet verified as held. */
  readonly verdicts: ReadonlyMap<EntitlementId, GrantVerdict>
  /** Breaches by what is there already: reported, never revoked by SoD alone. */
  readonly violations: readonly Violation[]
  /** When this answer may change by time alone (change points, exception expiry); null = never. */
  readonly nextChangeAt: Instant | null
}
