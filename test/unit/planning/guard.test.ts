import { describe, expect, test } from 'vitest'
import { actionKinds } from '../../../src/domain/action.ts'
import type { Risk } from '../../../src/domain/risk.ts'
import {
  defaultGuardLimits,
  type GuardCount,
  type GuardLimits,
  holds,
  trippedLimits,
  urgentLeaversLeft,
} from '../../../src/planning/guard.ts'
import { e } from './situation.ts'

const limits: GuardLimits = {
  ...defaultGuardLimits,
  revokes: { absolute: 50, percent: null },
  disables: { absolute: null, percent: 10 },
  entitlementRevokes: { absolute: 30, percent: 50 },
}
const count = (
  limit: GuardCount['limit'],
  undispatched: number,
  dispatched: number,
  members: number,
  entitlement: number | null = null,
): GuardCount => ({
  limit,
  entitlement: entitlement === null ? null : e(entitlement),
  undispatched,
  dispatched,
  members,
})

describe('limits', () => {
  test('absolute: exactly the limit goes, one more trips; planned and dispatched count together', () => {
    expect(trippedLimits(limits, [count('revokes', 20, 30, 1_000)])).toEqual([])
    expect(trippedLimits(limits, [count('revokes', 21, 30, 1_000)])).toEqual([
      { limit: 'revokes', entitlement: null, count: 51, allowed: 50 },
    ])
    expect(trippedLimits(limits, [count('revokes', 0, 51, 1_000)])).toHaveLength(1)
  })

  test('percent: judged from 20 members up, rounded down', () => {
    expect(trippedLimits(limits, [count('disables', 19, 0, 19)])).toEqual([])
    expect(trippedLimits(limits, [count('disables', 2, 0, 20)])).toEqual([])
    expect(trippedLimits(limits, [count('disables', 3, 0, 20)])).toMatchObject([{ count: 3, allowed: 2 }])
    expect(trippedLimits(limits, [count('disables', 2, 1, 29)])).toMatchObject([{ count: 3, allowed: 2 }])
    expect(trippedLimits(limits, [count('disables', 2, 1, 30)])).toEqual([])
  })

  test('both: the tighter one counts', () => {
    expect(trippedLimits(limits, [count('entitlementRevokes', 31, 0, 1_000, 7)])).toMatchObject([{ allowed: 30 }])
    expect(trippedLimits(limits, [count('entitlementRevokes', 11, 0, 20, 7)])).toMatchObject([{ allowed: 10 }])
    expect(trippedLimits(limits, [count('entitlementRevokes', 19, 0, 19, 7)])).toEqual([])
  })

  test('no limit never trips', () => {
    expect(
      trippedLimits({ ...limits, revokes: { absolute: null, percent: null } }, [count('revokes', 1e6, 0, 10)]),
    ).toEqual([])
  })

  test('a limit of nothing trips at one', () => {
    expect(trippedLimits({ ...limits, revokes: { absolute: 0, percent: null } }, [count('revokes', 0, 0, 10)])).toEqual(
      [],
    )
    expect(
      trippedLimits({ ...limits, revokes: { absolute: 0, percent: null } }, [count('revokes', 1, 0, 10)]),
    ).toHaveLength(1)
  })

  test('answers in one order, however asked', () => {
    const counts = [
      count('entitlementRevokes', 99, 0, 100, 9),
      count('disables', 99, 0, 100),
      count('entitlementRevokes', 99, 0, 100, 3),
      count('revokes', 99, 0, 100),
    ]
    const tripped = trippedLimits(limits, counts)
    expect(tripped.map(({ limit, entitlement }) => `${limit} ${entitlement}`)).toEqual([
      'revokes null',
      'disables null',
      'entitlementRevokes 3',
      'entitlementRevokes 9',
    ])
    expect(trippedLimits(limits, counts.toReversed())).toEqual(tripped)
  })
})

test('a tripped limit holds its kinds on its target or entitlement, and of grants only the risky ones', () => {
  const heldBy = (limit: GuardCount['limit'], entitlement: number | null, risk: Risk | null = 'low') =>
    actionKinds.flatMap((kind) =>
      [3, 9]
        .filter((id) =>
          holds(
            { limit, entitlement: entitlement === null ? null : e(entitlement) },
            { kind, entitlement: e(id), risk },
          ),
        )
        .map((id) => `${kind} ${id}`),
    )
  expect(heldBy('revokes', null)).toEqual(['revoke 3', 'revoke 9'])
  expect(heldBy('disables', null)).toEqual(['disable 3', 'disable 9', 'endSessions 3', 'endSessions 9'])
  expect(heldBy('enables', null)).toEqual(['enable 3', 'enable 9'])
  expect(heldBy('deletes', null)).toEqual(['deleteAccount 3', 'deleteAccount 9'])
  for (const risk of ['low', 'medium', null] as const) expect(heldBy('riskyGrants', null, risk)).toEqual([])
  for (const risk of ['high', 'critical'] as const)
    expect(heldBy('riskyGrants', null, risk)).toEqual(['grant 3', 'grant 9'])
  expect(heldBy('entitlementRevokes', 3)).toEqual(['revoke 3'])
})

test('urgent leavers: ten an hour, or 0.2 % of the population if that is more', () => {
  expect(urgentLeaversLeft(limits, 100, 0)).toBe(10)
  expect(urgentLeaversLeft(limits, 100, 9)).toBe(1)
  expect(urgentLeaversLeft(limits, 100, 12)).toBe(0)
  expect(urgentLeaversLeft(limits, 5_499, 0)).toBe(10)
  expect(urgentLeaversLeft(limits, 5_500, 0)).toBe(11)
  expect(urgentLeaversLeft(limits, 100_000, 150)).toBe(50)
})
