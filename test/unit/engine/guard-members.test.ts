import { expect, test } from 'vitest'
import { type Count, guardCounts, guardMembers } from '../../../src/engine/guard-members.ts'
import { defaultGuardLimits, trippedLimits } from '../../../src/planning/guard.ts'
import type { GuardTally, Members } from '../../../src/store/guard.ts'

const members = (accounts: number, grants: number, holders: readonly (readonly [number, number])[] = []): Members => ({
  accounts,
  grants,
  holders: new Map(holders),
})
const counting = (truth: Members): Count => ({
  all: async () => truth,
  beside: async () => truth,
  holders: async (entitlements) => new Map(entitlements.map((id) => [id, truth.holders.get(id) ?? 0])),
})
const row = (kind: GuardTally['kind'], entitlement: number | null, undispatched: number): GuardTally =>
  ({ kind, entitlement, undispatched, dispatched: 0 }) as GuardTally
const trips = (rows: readonly GuardTally[], of: Members) =>
  trippedLimits(defaultGuardLimits, guardCounts(rows, of)).map(({ limit, allowed }) => ({ limit, allowed }))

test('an entitlement that has filled since the last count is judged by those who hold it now', async () => {
  let now = 0
  const cache = guardMembers(() => now)
  await cache.of('t', [], defaultGuardLimits, counting(members(10_000, 50_000)))
  now = 59_000
  const rows = [row('revoke', 7, 120)]
  const of = await cache.of('t', rows, defaultGuardLimits, counting(members(10_000, 50_120, [[7, 120]])))
  expect(trips(rows, of)).toEqual([{ limit: 'entitlementRevokes', allowed: 60 }])
})

test('a target that has filled since the last count is counted anew', async () => {
  let now = 0
  const cache = guardMembers(() => now)
  await cache.of('t', [], defaultGuardLimits, counting(members(0, 0)))
  now = 59_000
  const rows = [row('disable', null, 25)]
  const of = await cache.of('t', rows, defaultGuardLimits, counting(members(200, 0)))
  expect(trips(rows, of)).toEqual([{ limit: 'disables', allowed: 20 }])
})

test('an old count is trusted for a quarter of what it allows, and not beyond its age', async () => {
  let now = 0
  const cache = guardMembers(() => now)
  const old = counting(members(1_000, 0))
  const fresh = counting(members(400, 0))
  const read = async (undispatched: number) =>
    (await cache.of('t', [row('disable', null, undispatched)], defaultGuardLimits, fresh)).accounts
  await cache.of('t', [], defaultGuardLimits, old)
  expect(await read(25)).toBe(1_000)
  expect(await read(26)).toBe(400)
  await cache.of('u', [], defaultGuardLimits, old)
  now = 60_000
  expect((await cache.of('u', [], defaultGuardLimits, fresh)).accounts).toBe(400)
})

test('a count that began earlier never replaces a later one', async () => {
  let now = 0
  const cache = guardMembers(() => now)
  const old = members(1_000, 0)
  const fresh = counting(members(100, 0))
  await cache.of('t', [], defaultGuardLimits, counting(old))
  now = 7_000
  let end = () => {}
  const slow = new Promise<Members>((resolve) => {
    end = () => resolve(old)
  })
  await cache.of('t', [], defaultGuardLimits, { ...counting(old), beside: () => slow })
  now = 30_000
  expect((await cache.of('t', [row('disable', null, 60)], defaultGuardLimits, fresh)).accounts).toBe(100)
  end()
  await slow
  await new Promise(setImmediate)
  now = 31_000
  expect((await cache.of('t', [row('disable', null, 2)], defaultGuardLimits, fresh)).accounts).toBe(100)
})
