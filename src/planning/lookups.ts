import type { ActionKind, OpenAction } from '../domain/action.ts'
import type { Assignment } from '../domain/decision.ts'
import type { EntitlementId, TargetId } from '../domain/ids.ts'
import type { TargetRules } from '../domain/target.ts'
import type { LinkedAccount, PlanInput, PresentGrant } from './plan-input.ts'

/** What one action is about; of one person at most one open action has the same. */
export type Subject = {
  readonly target: TargetId
  readonly kind: ActionKind
  readonly entitlement: EntitlementId | null
}

export const keyOf = ({ target, kind, entitlement }: Subject): string => `${kind} ${entitlement ?? ''} ${target}`

export const opposite = {
  grant: 'revoke',
  revoke: 'grant',
  enable: 'disable',
  disable: 'enable',
  endSessions: null,
  deleteAccount: null,
  ensureAccount: null,
} as const satisfies Record<ActionKind, ActionKind | null>

/** Its call may be going out, or may have been applied: counts as either result. */
export const inFlight = ({ claimed, unknown }: OpenAction): boolean => claimed || unknown

/** The input of planning, indexed once; independent of the order in which its lists came. */
export type Lookups = {
  /** Targets on which actions may be made. */
  readonly targets: ReadonlyMap<TargetId, TargetRules>
  readonly accounts: ReadonlyMap<TargetId, LinkedAccount>
  /** Direct ones. */
  readonly grants: ReadonlyMap<EntitlementId, PresentGrant>
  readonly indirect: ReadonlySet<EntitlementId>
  /** Of those, what needs no grant, and could not be granted. */
  readonly kept: ReadonlySet<EntitlementId>
  /** Wanted now, on targets on which actions may be made; empty when the person has no access. */
  readonly wanted: ReadonlyMap<EntitlementId, Assignment>
  readonly hasAccess: boolean
  /** By `keyOf`; what is in flight first, then by id. */
  readonly open: ReadonlyMap<string, readonly OpenAction[]>
  readonly inFlight: (subject: Subject) => OpenAction | undefined
}

export const lookupsOf = ({ at, decision, targets, accounts, grants, open }: PlanInput): Lookups => {
  const active = new Map(targets.filter(({ mode }) => mode !== 'observe').map((target) => [target.id, target]))
  // Priority 1: whatever the decision says, a person without access is given nothing.
  const hasAccess = at.employments.some(({ givesAccess }) => givesAccess)
  const wanted = hasAccess ? decision.wanted.filter(({ target }) => active.has(target)) : []
  const byKey = new Map<string, OpenAction[]>()
  for (const action of [...open].sort((a, b) => Number(inFlight(b)) - Number(inFlight(a)) || a.id - b.id)) {
    const same = byKey.get(keyOf(action))
    if (same === undefined) byKey.set(keyOf(action), [action])
    else same.push(action)
  }
  return {
    targets: active,
    accounts: new Map(accounts.map((account) => [account.target, account])),
    grants: new Map(grants.flatMap((grant) => (grant.indirect ? [] : [[grant.entitlement, grant] as const]))),
    indirect: new Set(grants.flatMap(({ entitlement, indirect }) => (indirect ? [entitlement] : []))),
    kept: new Set(grants.flatMap(({ entitlement, kept }) => (kept === true ? [entitlement] : []))),
    wanted: new Map(wanted.map((assignment) => [assignment.entitlement, assignment])),
    hasAccess,
    open: byKey,
    inFlight: (subject) => byKey.get(keyOf(subject))?.find(inFlight),
  }
}
