import type { OpenAction } from '../domain/action.ts'
import type { Decision } from '../domain/decision.ts'
import type { IdentityAt } from '../domain/identity.ts'
import type { AccountId, ActionId, EntitlementId, TargetId } from '../domain/ids.ts'
import type { Instant } from '../domain/instant.ts'
import type { TargetRules } from '../domain/target.ts'

/** An account that is linked to the identity now. */
export type LinkedAccount = {
  readonly id: AccountId
  readonly target: TargetId
  /** As last read; null = never read. */
  readonly enabled: boolean | null
  /** Of the mapped attributes, as last read. */
  readonly attributesHash: string | null
  /** What it holds indirectly is to be read before anything is granted to it. */
  readonly indirectUnread?: boolean
  /** Since the person left; only of leavers. */
  readonly sessionsEnded?: boolean
  /** It was seen not to be there any more. It may be restored, and another one may stand in its place. */
  readonly gone?: boolean
}

/** A grant that was verified as present and not since verified as gone. */
export type PresentGrant = {
  readonly entitlement: EntitlementId
  readonly target: TargetId
  /** In the catalogue of the active policy. */
  readonly managed: boolean
  /**
   * Found on the target: Muster never gave it, and no rule has wanted it since. Reported, never revoked from somebody who
   * is no leaver; what conflicts with it is held.
   */
  readonly found?: boolean
  /** Appeared behind our back, and the entitlement says that this is made right again: goes like what no rule wants. */
  readonly reverted?: boolean
  /** Break-glass and the like: never touched. */
  readonly protected: boolean
  /**
   * By a nested group, the primary group or the like, beside what is granted or instead of it: no action of ours ends it,
   * so it is never revoked, frees no conflict, and a wish for the same thing is granted all the same.
   */
  readonly indirect: boolean
  /** Of indirect access: a rule or another directory keeps the account itself in it, and nobody can be granted it. */
  readonly kept?: boolean
}

export type PlanInput = {
  readonly now: Instant
  readonly at: IdentityAt
  /** Of a leaver: since when; else null. */
  readonly endedAt: Instant | null
  readonly decision: Decision
  readonly targets: readonly TargetRules[]
  readonly accounts: readonly LinkedAccount[]
  /** Per target: hash of the attributes that the primary employment maps to; absent = account attributes are not ours. */
  readonly wantedAttributes: ReadonlyMap<TargetId, string>
  readonly grants: readonly PresentGrant[]
  /** Taken away behind our back, and only to be reported: not given again for as long as it is wanted without a break. */
  readonly missing: ReadonlyMap<EntitlementId, Instant>
  /** Wanted for the sake of an adoption alone of what is not there any more (policies/lost-adoptions): never given. */
  readonly lost: ReadonlySet<EntitlementId>
  readonly open: readonly OpenAction[]
  /** Of a leaver: targets on which an account was looked for since the leave (and since theirs was gone), and there was none. */
  readonly absent: ReadonlySet<TargetId>
  /** Claimed grants whose inverse revoke was already sent: action id of the grant. */
  readonly inverseSent: ReadonlySet<ActionId>
}
