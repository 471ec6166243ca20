import type { ActionReason, KeptAction, NewAction, Plan } from '../domain/action.ts'
import type { EntitlementId } from '../domain/ids.ts'

/** Catalogue key of an entitlement, or whatever else a reader knows it by. */
export type NameOf = (entitlement: EntitlementId) => string

/** A plan for people: one line for each change, in order. No personal data: names of targets, entitlements and rules only. */
export const planLines = (plan: Plan, nameOf: NameOf): readonly string[] => [
  ...plan.create.map((action) => createLine(action, nameOf)),
  ...plan.held.map(
    ({ entitlement, policies, conflictsWith }) =>
      `hold ${nameOf(entitlement)}: ${policies.join(', ')}${conflictsWith.length === 0 ? '' : ` (against ${conflictsWith.map(nameOf).join(', ')})`}`,
  ),
  ...plan.keep.filter(({ changed }) => changed).map((kept) => `keep action ${kept.action}${waitsText(kept, nameOf)}`),
  ...plan.awaited.map(({ action }) => `await the outcome of action ${action}`),
  ...plan.supersede.map((action) => `supersede action ${action}`),
]

const createLine = (action: NewAction, nameOf: NameOf): string => {
  const { kind, target, entitlement, lane, reason } = action
  const what = entitlement === null ? `${kind} on ${target}` : `${kind} ${nameOf(entitlement)} on ${target}`
  return `${lane === 'leaver' ? 'at once: ' : ''}${what}${waitsText(action, nameOf)}: ${reasonText(reason)}`
}

const waitsText = ({ needsAccount, afterRevokeOf }: NewAction | KeptAction, nameOf: NameOf): string => {
  const waits = [
    ...(needsAccount ? ['the account is there'] : []),
    ...(afterRevokeOf.length === 0 ? [] : [`${afterRevokeOf.map(nameOf).join(', ')} is verified gone`]),
  ]
  return waits.length === 0 ? '' : ` (waits until ${waits.join(' and ')})`
}

export const reasonText = (reason: ActionReason): string => {
  switch (reason.kind) {
    case 'assigned':
      return `assigned by ${reason.rules.join(', ')}`
    case 'no-longer-assigned':
      return 'no longer assigned'
    case 'drift':
      return 'was let in behind Muster'
    case 'leaver':
      return reason.unmanaged ? 'a leaver keeps nothing, known to the catalogue or not' : 'a leaver keeps nothing'
    case 'lifecycle':
      return `lifecycle is ${reason.state}`
    case 'account-wanted':
      return 'something is assigned there'
    case 'leaver-without-link':
      return 'a leaver may have an account of which nothing is known'
    case 'no-longer-kept':
      return 'left long enough ago'
    case 'attributes-differ':
      return 'attributes differ'
    case 'indirect-unread':
      return 'what the account holds indirectly is not known'
    case 'inverse-of-claimed':
      return `action ${reason.action} was going out already`
  }
}

/** A plan for machines: plain JSON, stable order, ids and the names that go with them. No personal data. */
export const planJson = (plan: Plan, nameOf: NameOf): unknown => {
  const named = (entitlement: EntitlementId) => ({ entitlement, name: nameOf(entitlement) })
  const waits = ({ needsAccount, afterRevokeOf, validFrom, validTo }: NewAction | KeptAction) => ({
    needsAccount,
    afterRevokeOf: afterRevokeOf.map(named),
    validFrom,
    validTo,
  })
  return {
    create: plan.create.map((action) => ({
      kind: action.kind,
      target: action.target,
      ...(action.entitlement === null ? {} : named(action.entitlement)),
      lane: action.lane,
      reason: action.reason,
      ...waits(action),
    })),
    held: plan.held.map(({ entitlement, policies, conflictsWith }) => ({
      ...named(entitlement),
      policies,
      conflictsWith: conflictsWith.map(named),
    })),
    keep: plan.keep.map((kept) => ({ action: kept.action, changed: kept.changed, ...waits(kept) })),
    awaited: plan.awaited,
    supersede: plan.supersede,
  }
}
