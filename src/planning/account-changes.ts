import { type ActionReason, type NewAction, seeksOnly } from '../domain/action.ts'
import type { TargetId } from '../domain/ids.ts'
import { inverseWanted } from './inverse.ts'
import { inFlight, keyOf, type Lookups } from './lookups.ts'
import type { LinkedAccount, PlanInput } from './plan-input.ts'

type AccountChange = Pick<NewAction, 'target' | 'kind' | 'account' | 'lane' | 'reason' | 'attributesHash'>

/** What the accounts need: made, kept right, opened or closed. For somebody who is only to come, none is made or opened. */
export const accountChanges = (input: PlanInput, lookups: Lookups): readonly NewAction[] => {
  const changes: AccountChange[] = []
  for (const target of lookups.targets.keys()) {
    if (lookups.hasAccess) changes.push(...ensured(target, input, lookups), ...openedOrClosed(target, input, lookups))
    else if (input.at.leaver)
      changes.push(
        ...closed(target, input, lookups),
        ...signedOut(target, lookups),
        ...deleted(target, input, lookups),
        ...sought(target, input, lookups),
      )
    else changes.push(...openedOrClosed(target, input, lookups))
  }
  return changes.map((change) => ({
    ...change,
    entitlement: null,
    needsAccount: false,
    afterRevokeOf: [],
    validFrom: null,
    validTo: null,
  }))
}

const ensured = (
  target: TargetId,
  { wantedAttributes }: PlanInput,
  { accounts, wanted, grants }: Lookups,
): readonly AccountChange[] => {
  const account = accounts.get(target)
  const attributesHash = wantedAttributes.get(target) ?? null
  const ensure = (reason: ActionReason): AccountChange => ({
    target,
    kind: 'ensureAccount',
    account: account?.id ?? null,
    lane: 'bulk',
    reason,
    attributesHash,
  })
  if (account === undefined) return somethingWantedOn(target, wanted) ? [ensure({ kind: 'account-wanted' })] : []
  if (attributesHash !== null && account.attributesHash !== attributesHash)
    return [ensure({ kind: 'attributes-differ' })]
  const isToBeGiven = [...wanted.values()].some((one) => one.target === target && !grants.has(one.entitlement))
  return account.indirectUnread === true && isToBeGiven ? [ensure({ kind: 'indirect-unread' })] : []
}

/**
 * For people with access, and those to come, who do not sign in yet: their start may have been put off. An account whose state was never read is closed when it should be, and not opened: what is
 * not known to be shut needs no opening. One on which nothing is wanted is never opened.
 */
const openedOrClosed = (
  target: TargetId,
  { at }: PlanInput,
  { accounts, wanted, targets }: Lookups,
): readonly AccountChange[] => {
  const account = accounts.get(target)
  if (account === undefined || targets.get(target)?.disable === 'none') return []
  const change = (kind: 'enable' | 'disable'): AccountChange => ({
    target,
    kind,
    account: account.id,
    lane: 'bulk',
    reason: { kind: 'lifecycle', state: at.lifecycle },
    attributesHash: null,
  })
  if (!at.accountsEnabled) return account.enabled === false ? [] : [change('disable')]
  return account.enabled === false && somethingWantedOn(target, wanted) ? [change('enable')] : []
}

/** For leavers: whatever is not known to be shut is shut, and what an enable in flight may open is shut at once. */
const closed = (target: TargetId, input: PlanInput, lookups: Lookups): readonly AccountChange[] => {
  const account = lookups.accounts.get(target)
  if (account === undefined || lookups.targets.get(target)?.disable === 'none') return []
  const inverse = inverseWanted({ target, kind: 'enable', entitlement: null }, input, lookups)
  if (account.enabled === false && inverse === null) return []
  const reason: ActionReason = inverse ?? { kind: 'leaver', unmanaged: false }
  return [{ target, kind: 'disable', account: account.id, lane: 'leaver', reason, attributesHash: null }]
}

const ofLeaver = (target: TargetId, account: LinkedAccount, kind: 'endSessions' | 'deleteAccount'): AccountChange => ({
  target,
  kind,
  account: account.id,
  // A deletion has time, and the guard's whole attention.
  lane: kind === 'endSessions' ? 'leaver' : 'bulk',
  reason: kind === 'endSessions' ? { kind: 'leaver', unmanaged: false } : { kind: 'no-longer-kept' },
  attributesHash: null,
})

/** Where accounts cannot be shut, this is also what reads the leaver's grants: wanted until they were read. */
const signedOut = (target: TargetId, { accounts, targets }: Lookups): readonly AccountChange[] => {
  const account = accounts.get(target)
  const rules = targets.get(target)
  if (account === undefined || rules?.endSessions !== 'native') return []
  const read = rules.disable === 'native' || account.enabled !== null
  return account.sessionsEnded === true && read ? [] : [ofLeaver(target, account, 'endSessions')]
}

/** Only of accounts that are known to be shut and empty, and never before the time has passed. */
const deleted = (
  target: TargetId,
  { now, endedAt, at }: PlanInput,
  { accounts, targets, grants, open }: Lookups,
): readonly AccountChange[] => {
  const account = accounts.get(target)
  const rules = targets.get(target)
  if (account === undefined || rules === undefined || rules.deleteAfterMs === null || endedAt === null) return []
  if (now < endedAt + rules.deleteAfterMs) return []
  // Whoever is to come again keeps what they had.
  if (at.employments.some(({ state }) => state === 'prehire')) return []
  const isShut = rules.disable === 'native' ? account.enabled === false : account.enabled !== null
  const isEmpty = ![...grants.values()].some((grant) => grant.target === target)
  const isCalled = [...open.values()].some((actions) =>
    actions.some((action) => action.target === target && action.kind !== 'deleteAccount' && inFlight(action)),
  )
  return isShut && isEmpty && !isCalled ? [ofLeaver(target, account, 'deleteAccount')] : []
}

/**
 * For leavers of whom no account is known, or one that is gone: they may have one that Muster never had to do with, or that another hand
 * has made anew. It is looked for once, never made, and what is found is linked, so that the next plan shuts and empties it.
 */
const sought = (target: TargetId, { absent }: PlanInput, { accounts, open }: Lookups): readonly AccountChange[] => {
  const account = accounts.get(target)
  if (account !== undefined && account.gone !== true) return []
  const seeking = open.get(keyOf({ target, kind: 'ensureAccount', entitlement: null }))?.some(seeksOnly) ?? false
  if (absent.has(target) && !seeking) return []
  const reason = { kind: 'leaver-without-link' } as const
  return [{ target, kind: 'ensureAccount', account: null, lane: 'leaver', reason, attributesHash: null }]
}

const somethingWantedOn = (target: TargetId, wanted: Lookups['wanted']): boolean =>
  [...wanted.values()].some((assignment) => assignment.target === target)
