import { createHash } from 'node:crypto'
import type { Budget, Occupied } from '../budget.ts'

/**
 * A policy is read and written whole, by one at a time. Whose writing was given up may have it arrive later, and take away what
 * others wrote meanwhile: so they wait, and only the next try of the same leavers does not. The same, no more and no fewer: what a part of
 * them writes, and loses, would take the rest away.
 */
export type PolicyPlace = {
  readonly arn: string
  readonly userIds: readonly string[]
}

/** So long what was given up may arrive, ms. AWS names no time; the request itself had its own before that. */
const lateMs = 30_000
const askMs = 1_000
const everybody = 1_000_000

const written = ({ arn }: PolicyPlace) => `policy:${arn}`
const late = ({ arn }: PolicyPlace) => `policy-late:${arn}`
/** The budget need not know people. */
const lateOf = ({ arn, userIds }: PolicyPlace) =>
  `policy-late:${createHash('sha256')
    .update([arn, ...[...userIds].sort()].join(' '))
    .digest('base64url')
    .slice(0, 22)}`

/** Ended by `vacate`. */
export const occupyPolicy = async (budget: Budget, policy: PolicyPlace, forMs: number): Promise<Occupied> => {
  const names = [written(policy), late(policy)]
  const place = await budget.occupy(
    names.map((name) => ({ name, max: 1 })),
    forMs,
  )
  if (place.ok) return place
  return (await isTheirOwn(budget, policy)) ? budget.occupy([{ name: written(policy), max: 1 }], forMs) : place
}

/** Whether it is these leavers' own that may arrive. One asks at a time: two would take each other for it. */
const isTheirOwn = async (budget: Budget, policy: PolicyPlace): Promise<boolean> => {
  const name = lateOf(policy)
  const turn = await budget.occupy([{ name: `${name}:asked`, max: 1 }], askMs)
  if (!turn.ok) return false
  const none = await budget.occupy([{ name, max: 1 }], 1)
  if (none.ok) await budget.vacate(none.id)
  await budget.vacate(turn.id)
  return !none.ok
}

/** What was sent may still arrive. Asked while the place is occupied: nobody comes in between. */
export const keepFromOthers = async (budget: Budget, policy: PolicyPlace): Promise<void> => {
  await budget.occupy(
    [late(policy), lateOf(policy)].map((name) => ({ name, max: everybody })),
    lateMs,
  )
}
