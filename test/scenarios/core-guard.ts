import type { EntitlementId, TargetId } from '../../src/domain/ids.ts'
import type { Instant } from '../../src/domain/instant.ts'
import { type GuardCount, type GuardLimits, holds, trippedLimits, urgentLeaversLeft } from '../../src/planning/guard.ts'
import type { CoreWorld } from './core-house.ts'
import type { CoreAction, CorePerson } from './core-person.ts'

/** What the guard remembers: what left within the window, what it holds, what a human let go. */
export type CoreGuard = {
  readonly limits: ReadonlyMap<TargetId, GuardLimits>
  readonly sent: Map<number, Sent>
  readonly held: Map<string, Held>
  readonly released: Set<number>
}

type Guarded = Pick<CoreAction, 'id' | 'target' | 'kind' | 'entitlement'>
type Sent = Guarded & { readonly at: Instant; readonly urgentOf: string | null }
type Held = {
  readonly target: TargetId
  readonly limit: GuardCount['limit']
  readonly entitlement: EntitlementId | null
}

const takesAway = ({ kind }: Guarded): boolean => kind === 'revoke' || kind === 'disable'

/** Whether an action may leave, counted over everybody before the first of a batch does. */
export const guardOf = (world: CoreWorld): ((person: CorePerson, action: CoreAction) => boolean) => {
  const { guard, now } = world
  const people = [...world.people.values()]
  const passing = new Map<TargetId, ReadonlySet<string>>()
  for (const [target, limits] of guard.limits) {
    const recent = [...guard.sent.values()].filter((one) => one.target === target && one.at > now - limits.windowMs)
    const isOfTarget = (action: Guarded) =>
      action.target === target && takesAway(action) && !guard.released.has(action.id)
    const planned = people.flatMap(({ actions }) =>
      actions.filter((action) => isOfTarget(action) && !action.claimed && action.state !== 'parked'),
    )
    const dispatched = recent.filter((one) => isOfTarget(one) && !planned.some(({ id }) => id === one.id))
    for (const { limit, entitlement } of trippedLimits(limits, countsOf(planned, dispatched)))
      guard.held.set(`${target} ${limit} ${entitlement}`, { target, limit, entitlement })
    const urgent = people
      .filter(
        ({ at, urgent: so, actions }) => so && at?.leaver === true && actions.some((one) => planned.includes(one)),
      )
      .map(({ key }) => key)
    const passed = new Set(recent.flatMap(({ urgentOf }) => (urgentOf === null ? [] : [urgentOf])))
    const left = urgentLeaversLeft(limits, people.length, passed.size)
    const waiting = urgent.filter((key) => !passed.has(key))
    passing.set(target, new Set([...passed, ...waiting.slice(0, left)]))
  }
  return (person, action) =>
    !takesAway(action) ||
    guard.released.has(action.id) ||
    passing.get(action.target)?.has(person.key) === true ||
    ![...guard.held.values()].some((held) => held.target === action.target && holds(held, { ...action, risk: null }))
}

const countsOf = (planned: readonly Guarded[], sent: readonly Guarded[]): readonly GuardCount[] => {
  const count = (limit: GuardCount['limit'], entitlement: EntitlementId | null): GuardCount => {
    const counts = (action: Guarded) => holds({ limit, entitlement }, { ...action, risk: null })
    return {
      limit,
      entitlement,
      undispatched: planned.filter(counts).length,
      dispatched: sent.filter(counts).length,
      members: 0,
    }
  }
  const revoked = new Set([...planned, ...sent].flatMap(({ entitlement }) => entitlement ?? []))
  return [
    count('revokes', null),
    count('disables', null),
    ...[...revoked].map((entitlement) => count('entitlementRevokes', entitlement)),
  ]
}

export const noteSent = ({ guard, now }: CoreWorld, person: CorePerson, action: CoreAction): void => {
  const { id, target, kind, entitlement } = action
  const isHeld = [...guard.held.values()].some(
    (held) => held.target === target && holds(held, { ...action, risk: null }),
  )
  const urgentOf = isHeld && !guard.released.has(id) ? person.key : null
  if (takesAway(action)) guard.sent.set(id, { id, target, kind, entitlement, at: now, urgentOf })
}

/** A human lets go what is held of this kind on the target now. */
export const release = ({ guard, people }: CoreWorld, target: TargetId, kind: 'revoke' | 'disable'): void => {
  const mine = [...guard.held].filter(
    ([, held]) => held.target === target && (held.limit === 'disables') === (kind === 'disable'),
  )
  if (mine.length === 0) throw new Error(`the guard holds no ${kind} on ${target}`)
  for (const [key, held] of mine) {
    for (const action of [...people.values()].flatMap(({ actions }) => actions))
      if (action.target === target && !action.claimed && holds(held, { ...action, risk: null }))
        guard.released.add(action.id)
    guard.held.delete(key)
  }
}
