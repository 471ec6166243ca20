import type { DriftPolicy } from '../domain/drift.ts'
import type { Instant } from '../domain/instant.ts'
import type { Risk } from '../domain/risk.ts'
import type { AttributeValue } from '../domain/worker-event.ts'

/** Everything the policy files say, checked and free of files: references resolve, every list is sorted by key. */
export type PolicySet = {
  readonly entitlements: readonly EntitlementDef[]
  readonly roles: readonly RoleDef[]
  readonly rules: readonly RuleDef[]
  readonly implications: readonly ImplicationDef[]
  readonly sod: readonly SodDef[]
  readonly exceptions: readonly ExceptionDef[]
}

/** One grantable thing of the catalogue: it makes the thing managed. */
export type EntitlementDef = {
  readonly key: string
  readonly target: string
  /** How the target names it, e.g. an LDAP DN. */
  readonly lookup: string
  readonly risk: Risk
  readonly owner: string
  readonly description: string
  readonly drift: DriftPolicy
  /** Never taken away by a leaver's clean-up; see DESIGN §4. */
  readonly protected: boolean
}

export type RoleDef = {
  readonly key: string
  readonly description: string
  readonly roles: readonly string[]
  readonly entitlements: readonly string[]
}

/** What one attribute must be. Absent (null) attributes satisfy `exists: false` and nothing else. */
export type Condition =
  | { readonly kind: 'in'; readonly values: readonly Exclude<AttributeValue, null>[] }
  | { readonly kind: 'not-in'; readonly values: readonly Exclude<AttributeValue, null>[] }
  | { readonly kind: 'prefix'; readonly prefix: string }
  | { readonly kind: 'not-prefix'; readonly prefix: string }
  | { readonly kind: 'exists'; readonly exists: boolean }

export type RuleDef = {
  readonly key: string
  readonly description: string
  /** All must hold, of one employment; empty = every worker. Sorted by attribute. */
  readonly when: readonly { readonly attribute: string; readonly is: Condition }[]
  /** Must be true as well; null = nothing more. */
  readonly cel: string | null
  readonly roles: readonly string[]
  readonly entitlements: readonly string[]
}

/** Whoever should hold one thing of a pair should hold the other: names were compared and roles expanded already. */
export type ImplicationDef = {
  readonly key: string
  readonly description: string
  /** Sorted. The pairs of all implications together never lead from an entitlement back to itself. */
  readonly pairs: readonly ImpliedPair[]
}

export type ImpliedPair = {
  readonly holds: string
  readonly gives: string
  /** Roles from the implication down to `gives`; empty when it names the entitlement itself. */
  readonly path: readonly string[]
}

/** A conflict of duties: nobody holds something of `atLeast` sides at once. */
export type SodDef = {
  readonly key: string
  readonly description: string
  readonly severity: Risk
  readonly atLeast: number
  /** Entitlements after roles were expanded. Sides keep the order in which they were written. */
  readonly sides: readonly { readonly name: string; readonly entitlements: readonly string[] }[]
}

/** An approved acceptance of one person's breach of one policy: from ≤ t < expires. */
export type ExceptionDef = {
  readonly key: string
  readonly person: string
  readonly policy: string
  readonly approver: string
  readonly reason: string
  readonly control: string
  readonly from: Instant
  readonly expires: Instant
}
