import type { ActionKind } from '../domain/action.ts'
import type { EntitlementId } from '../domain/ids.ts'
import type { Risk } from '../domain/risk.ts'

/** How much may happen in one window; null = no such limit. Exactly as much as the limit still goes. */
export type Limit = {
  readonly absolute: number | null
  /** Of the members (see `GuardCount.members`), 0…100; judged only from `percentFromMembers` members up. */
  readonly percent: number | null
}

/** Limits of one target (DESIGN §5). They count all causes together. */
export type GuardLimits = {
  readonly windowMs: number
  /** Revokes on the target. */
  readonly revokes: Limit
  /** Disabled accounts on the target. */
  readonly disables: Limit
  /** Revokes of one entitlement. */
  readonly entitlementRevokes: Limit
  /** Accounts opened again on the target. */
  readonly enables: Limit
  /** Accounts deleted on the target. */
  readonly deletes: Limit
  /** Grants of entitlements of high or critical risk on the target. */
  readonly riskyGrants: Limit
  /** Urgent leavers (people, not actions) that pass within an hour although a limit tripped: the larger of the two. */
  readonly urgentPerHour: { readonly atLeast: number; readonly percentOfPopulation: number }
}

export const defaultGuardLimits: GuardLimits = {
  windowMs: 3_600_000,
  revokes: { absolute: 500, percent: 20 },
  disables: { absolute: 100, percent: 10 },
  entitlementRevokes: { absolute: null, percent: 50 },
  enables: { absolute: 100, percent: 10 },
  deletes: { absolute: 50, percent: 5 },
  riskyGrants: { absolute: 200, percent: null },
  urgentPerHour: { atLeast: 10, percentOfPopulation: 0.2 },
}

/** Below this a percentage says nothing: one of three is a third. */
export const percentFromMembers = 20

export const guardLimitNames = [
  'revokes',
  'disables',
  'entitlementRevokes',
  'enables',
  'deletes',
  'riskyGrants',
] as const
export type GuardLimitName = (typeof guardLimitNames)[number]

/** What one limit looks at. What a human released is in neither count. */
export type GuardCount = {
  readonly limit: GuardLimitName
  /** Only for `entitlementRevokes`. */
  readonly entitlement: EntitlementId | null
  /** Planned and not yet dispatched. */
  readonly undispatched: number
  /** Dispatched within the window, whatever became of it. */
  readonly dispatched: number
  /**
   * What the percentage is of, as it was before the window: those there now and those gone within it. Linked accounts
   * (disables, enables, deletes), direct grants on the target (revokes, riskyGrants), holders of the entitlement
   * (entitlementRevokes).
   */
  readonly members: number
}

export type Tripped = {
  readonly limit: GuardLimitName
  readonly entitlement: EntitlementId | null
  readonly count: number
  readonly allowed: number
}

/** The limits that are exceeded, in a stable order. */
export const trippedLimits = (limits: GuardLimits, counts: readonly GuardCount[]): readonly Tripped[] =>
  counts
    .map((of) => ({
      limit: of.limit,
      entitlement: of.entitlement,
      count: of.undispatched + of.dispatched,
      allowed: allowedBy(limits[of.limit], of.members),
    }))
    .flatMap(({ allowed, ...rest }) => (allowed !== null && rest.count > allowed ? [{ ...rest, allowed }] : []))
    .sort(
      (a, b) =>
        guardLimitNames.indexOf(a.limit) - guardLimitNames.indexOf(b.limit) ||
        (a.entitlement ?? 0) - (b.entitlement ?? 0),
    )

const allowedBy = ({ absolute, percent }: Limit, members: number): number | null => {
  const share = percent === null || members < percentFromMembers ? null : Math.floor((members * percent) / 100)
  return absolute === null ? share : share === null ? absolute : Math.min(absolute, share)
}

/** What each limit counts and, tripped, holds. Whoever is not shut is not signed out either. */
export const kindsOf: Readonly<Record<GuardLimitName, readonly ActionKind[]>> = {
  revokes: ['revoke'],
  disables: ['disable', 'endSessions'],
  entitlementRevokes: ['revoke'],
  enables: ['enable'],
  deletes: ['deleteAccount'],
  riskyGrants: ['grant'],
}

/** Whether the guard looks at an action at all. Of what gives access: accounts opened again, and what is of high risk. */
export const isGuarded = (kind: ActionKind, risk: Risk | null): boolean =>
  kind === 'grant' ? risk === 'high' || risk === 'critical' : kind !== 'ensureAccount'

/** Whether a tripped limit holds an undispatched action of its target. */
export const holds = (
  tripped: Pick<Tripped, 'limit' | 'entitlement'>,
  action: { readonly kind: ActionKind; readonly entitlement: EntitlementId | null; readonly risk: Risk | null },
): boolean =>
  isGuarded(action.kind, action.risk) &&
  kindsOf[tripped.limit].includes(action.kind) &&
  (tripped.limit !== 'entitlementRevokes' || action.entitlement === tripped.entitlement)

/** How many more urgent leavers may pass now, given how many passed within the last hour. */
export const urgentLeaversLeft = (limits: GuardLimits, population: number, passedInLastHour: number): number => {
  const { atLeast, percentOfPopulation } = limits.urgentPerHour
  return Math.max(0, Math.max(atLeast, Math.floor((population * percentOfPopulation) / 100)) - passedInLastHour)
}
