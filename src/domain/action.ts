import type { AccountId, ActionId, DispatchId, EntitlementId, IdentityId, TargetId } from './ids.ts'
import type { Instant } from './instant.ts'

export const lanes = ['leaver', 'bulk'] as const
/** Which queue, process and budget share work uses. */
export type Lane = (typeof lanes)[number]

/**
 * ensureAccount: resolve, then link, create or (attributes differ) update. disable and endSessions also read the account's
 * direct grants back, so that a leaver's unknown grants are found. deleteAccount: days after the leave.
 */
export const actionKinds = [
  'ensureAccount',
  'enable',
  'disable',
  'endSessions',
  'deleteAccount',
  'grant',
  'revoke',
] as const
export type ActionKind = (typeof actionKinds)[number]

/** `claimed` stands on the dispatch (its lease), not on the action: see store/dispatches. */
export const actionStates = ['waiting', 'ready', 'dispatched', 'done', 'parked', 'superseded'] as const
export type ActionState = (typeof actionStates)[number]

/** Whoever takes a right away, or ends one, is never stopped by what may only stop a grant. */
export const givesAccess: Record<ActionKind, boolean> = {
  ensureAccount: true,
  enable: true,
  disable: false,
  endSessions: false,
  deleteAccount: false,
  grant: true,
  revoke: false,
}

/**
 * For a leaver an account is only looked for: read, linked when it is there, never made and never written to. Takes away,
 * therefore, as far as claims are concerned.
 */
export const seeksOnly = ({ kind, lane }: { readonly kind: ActionKind; readonly lane: Lane }): boolean =>
  kind === 'ensureAccount' && lane === 'leaver'

/** An action that is not finished, as evaluation and planning see it under the lock. */
export type OpenAction = {
  readonly id: ActionId
  readonly identity: IdentityId
  readonly target: TargetId
  readonly kind: ActionKind
  /** null for account actions. */
  readonly entitlement: EntitlementId | null
  readonly lane: Lane
  readonly state: 'waiting' | 'ready' | 'dispatched' | 'parked'
  /** dispatched, and a worker has claimed the dispatch: its call may be going out now. Never superseded. */
  readonly claimed: boolean
  readonly dispatch: DispatchId | null
  /** The last attempt's result is not known: it may have been applied. */
  readonly unknown: boolean
  /** Attributes hash of an ensureAccount. */
  readonly attributesHash: string | null
  /** Carries the identity's plan version. Not so when a later plan left it to its outcome (`Plan.awaited`). */
  readonly current: boolean
} & Waits

/**
 * What an action waits for, and when it may be claimed. One that waits for a revoke is `waiting`; one that only needs
 * its account may be `ready`, because no claim can name an account that is not linked.
 */
export type Waits = {
  /** Waits for this target's account to be linked. */
  readonly needsAccount: boolean
  /** Entitlements (of any target of this identity) whose revoke must be verified first. Empty = none. Ascending. */
  readonly afterRevokeOf: readonly EntitlementId[]
  /** The assignment's interval: a grant is claimed only inside it. null for the others; validTo null = never ends. */
  readonly validFrom: Instant | null
  readonly validTo: Instant | null
}

/** An action that a plan creates. */
export type NewAction = {
  readonly target: TargetId
  readonly kind: ActionKind
  readonly entitlement: EntitlementId | null
  readonly account: AccountId | null
  readonly lane: Lane
  /** Human-readable, without personal data: rule names, policy names, lifecycle words. */
  readonly reason: ActionReason
  readonly attributesHash: string | null
} & Waits

export type ActionReason =
  | { readonly kind: 'assigned'; readonly rules: readonly string[] }
  | { readonly kind: 'no-longer-assigned' }
  /** Somebody was let in behind our back. */
  | { readonly kind: 'drift' }
  | { readonly kind: 'leaver'; readonly unmanaged: boolean }
  | { readonly kind: 'lifecycle'; readonly state: string }
  | { readonly kind: 'account-wanted' }
  | { readonly kind: 'leaver-without-link' }
  /** A leaver's account, when the time has passed for which it is kept. */
  | { readonly kind: 'no-longer-kept' }
  | { readonly kind: 'attributes-differ' }
  /** What the account holds indirectly is to be read before anything is granted to it. */
  | { readonly kind: 'indirect-unread' }
  | { readonly kind: 'inverse-of-claimed'; readonly action: ActionId }

/** An open action that the plan wants too: keeps age, attempts and deadline, gets the new version and these waits. */
export type KeptAction = {
  readonly action: ActionId
  /** Its waits, interval, lane or version differ from what stands on the action: write them. */
  readonly changed: boolean
  /** Another than before: it leaves its old queue, and is ready at once. */
  readonly lane: Lane
} & Waits

/**
 * In flight or unknown, and not what is wanted now: ends by its outcome, then evaluation looks again. It does not get
 * the new version, so that a `retry` outcome does not run it once more.
 */
export type AwaitedAction = {
  readonly action: ActionId
  /** It still carries the current version: the version must rise to leave it behind. */
  readonly changed: boolean
}

/** Wanted, but stopped for a human. */
export type HeldGrant = {
  readonly entitlement: EntitlementId
  readonly policies: readonly string[]
  readonly conflictsWith: readonly EntitlementId[]
}

/**
 * The change one cause needs. A value that can be printed, replayed and refused. Every open action of the identity is
 * in exactly one of supersede, keep and awaited.
 */
export type Plan = {
  /** In the order in which they should go: what takes away first. */
  readonly create: readonly NewAction[]
  /** Open, unclaimed actions that nobody wants any more, or that a new one replaces: write before `create`. */
  readonly supersede: readonly ActionId[]
  readonly keep: readonly KeptAction[]
  readonly awaited: readonly AwaitedAction[]
  readonly held: readonly HeldGrant[]
}

/** What brings a change (DESIGN §2): an event of HR, a policy version, a moment that was known for long; what another hand did there, … */
export type CauseKind = 'event' | 'policy' | 'timer' | 'drift' | 'adoption-ended' | 'target' | 'observed'

/**
 * What brought an action that the guard looks at, for whoever must say whether so many may go. It stands on the action, because
 * the engine's role cannot read the audit. No personal data.
 */
export type ActionCause = {
  readonly kind: CauseKind
  /** The version, if it judged this person for the first time. */
  readonly policy?: number
  /** Where HR's last word of this person stands; not of what has nothing to do with it. */
  readonly stream?: number
  readonly offset?: number
}
