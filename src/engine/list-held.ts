import { type GuardLimitName, kindsOf } from '../planning/guard.ts'
import { type HeldGroup, heldGroups, heldPeople } from '../store/held-actions.ts'
import type { Engine } from './engine.ts'

export type { HeldGroup } from '../store/held-actions.ts'

/** A tripped guard, as its row tells. */
export type GuardHold = {
  readonly target: string | null
  readonly entitlementId: number | null
  readonly policies: readonly string[]
}

const kindsHeld = ({ policies }: GuardHold) => kindsOf[policies[0] as GuardLimitName] ?? []

/** What each of these tripped guards holds now; all are answered by one look at what is open. */
export const listHeld = async <T extends GuardHold>(
  db: Engine['db'],
  holds: readonly T[],
): Promise<ReadonlyMap<T, readonly HeldGroup[]>> => {
  if (holds.length === 0) return new Map()
  const groups = await heldGroups(
    db,
    [...new Set(holds.flatMap(({ target }) => target ?? []))],
    [...new Set(holds.flatMap(kindsHeld))],
  )
  const isHeldBy = (hold: T) => (one: HeldGroup) =>
    one.target === hold.target &&
    kindsHeld(hold).includes(one.kind) &&
    (hold.entitlementId === null || one.entitlement === hold.entitlementId)
  return new Map(holds.map((hold) => [hold, groups.filter(isHeldBy(hold))]))
}

/** Of how many people that is, and the first of them by person key. */
export const peopleHeld = (
  db: Engine['db'],
  hold: GuardHold,
  named: number,
): Promise<{ readonly people: number; readonly named: readonly string[] }> =>
  heldPeople(db, hold.target ?? '', kindsHeld(hold), hold.entitlementId, named)
