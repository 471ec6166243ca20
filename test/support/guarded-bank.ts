import { defaultGuardLimits, type GuardLimits } from '../../src/planning/guard.ts'
import type { createFaults, createGates } from './faults.ts'
import { type House, openHouse } from './house.ts'

const none = { absolute: null, percent: null }

/** No limit but these. */
export const limits = (some: Partial<GuardLimits>): GuardLimits => ({
  ...defaultGuardLimits,
  revokes: none,
  disables: none,
  entitlementRevokes: none,
  ...some,
})

/** So many people, `P-0` and so on, with an account and two groups, and nothing left to do. */
export const openBank = async (
  people: number,
  guard: GuardLimits,
  {
    gates,
    faults,
  }: { readonly gates: ReturnType<typeof createGates>; readonly faults: ReturnType<typeof createFaults> },
): Promise<House> => {
  const house = await openHouse({ target: { guard }, settings: { pause: gates.pause }, connector: faults.wrap })
  const start = await house.now()
  for (let i = 0; i < people; i++)
    await house.tell({ person: `P-${i}`, effectiveAt: start - 1000, attributes: { jobCode: 'X' } })
  await house.quiesce()
  return house
}

/** What is done to such a bank, and what is to be seen there. */
export const guardedBank = (house: () => House) => ({
  leave: async (from: number, to: number, more: { involuntary?: boolean } = {}) => {
    const at = await house().now()
    for (let i = from; i < to; i++)
      await house().tell({ person: `P-${i}`, effectiveAt: at, status: 'terminated', ...more })
    await house().shift(2_005) // nobody gathers behind what is queued for longer
    await house().evaluateAll()
  },
  sent: async (kind: string) =>
    (
      await house().rows<{ n: number }>(
        `select count(*) as n from muster.action where kind = $1::muster.action_kind and state in ('dispatched', 'done')`,
        kind,
      )
    )[0]?.n,
  openHolds: () =>
    house().rows<{ id: number; limit: string }>(
      `select id, policies[1] as "limit" from muster.hold where kind = 'guard' and closed_at is null order by 2`,
    ),
  findings: () =>
    house().rows<{ key: string; times: number }>(
      `select key, times from muster.finding where kind = 'guard-tripped' order by 1`,
    ),
})

export const somebody = { type: 'os-user', name: 'somebody', authenticated: false } as const
