/** What a guard holds and a human releases, by which causes it is there, and what rests because its target refused it. */
import { afterEach, expect, test } from 'vitest'
import { openOffice } from '../../src/app/office.ts'
import { heldSummary } from '../../src/cli/held-summary.ts'
import { applyPolicy } from '../../src/engine/apply-policy.ts'
import { releaseHold } from '../../src/engine/decide-hold.ts'
import { defaultGuardLimits, type GuardLimits } from '../../src/planning/guard.ts'
import { guardHoldsOf } from '../../src/store/person-at.ts'
import { createFaults, createGates } from '../support/faults.ts'
import { guardedBank, limits, openBank, somebody } from '../support/guarded-bank.ts'
import { bankPolicies, type House, target } from '../support/house.ts'

let house: House
const gates = createGates()
const faults = createFaults()
const { leave, sent, openHolds } = guardedBank(() => house)
afterEach(() => house.close())
const bankOf = async (people: number, guard: GuardLimits) => {
  house = await openBank(people, guard, { gates, faults })
}

test.each([
  { reason: 'not-allowed' as const, laterMs: 3_600_001, holds: ['disables'] },
  { reason: 'not-allowed' as const, laterMs: 86_000_000, holds: ['disables'] },
  { reason: 'not-allowed' as const, laterMs: 86_460_000, holds: [] },
  // Nothing was there to take away; but many of them within a window are a mass change all the same.
  { reason: 'account-missing' as const, laterMs: 0, holds: ['disables'] },
  { reason: 'account-missing' as const, laterMs: 3_600_001, holds: [] },
])(
  'what the target refused rests, goes again and is counted, if it may yet be done: $reason, $laterMs ms later',
  async ({ reason, laterMs, holds }) => {
    await bankOf(6, limits({ disables: { absolute: 2, percent: null } }))
    for (let calls = 0; calls < 60; calls++)
      faults.next(async (operations) =>
        operations.map(() => ({ kind: 'refused', reason, cause: { code: '50', word: 'said-no' } })),
      )
    await leave(0, 2)
    await house.quiesce()
    faults.clear()
    expect(await house.rows(`select 1 from muster.action where kind = 'disable' and state = 'parked'`)).toHaveLength(2)
    await house.shift(laterMs)
    await house.sweep()
    await leave(2, 3)
    await house.dispatchAll()
    expect((await openHolds()).map(({ limit }) => limit)).toEqual(holds)
  },
)

test.each([
  { of: 'was gone long ago', reason: 'account-missing' as const, released: false },
  { of: 'a human released', reason: 'not-allowed' as const, released: true },
])('what $of and is refused anew holds up nobody', async ({ reason, released }) => {
  await bankOf(6, limits({ disables: { absolute: 2, percent: null } }))
  for (let calls = 0; calls < 200; calls++)
    faults.next(async (operations) =>
      operations.map(() => ({ kind: 'refused', reason, cause: { code: '50', word: 'said-no' } })),
    )
  await leave(0, released ? 3 : 2)
  await house.dispatchAll()
  const [hold] = await openHolds()
  if (released) await releaseHold(house.engine, hold?.id ?? 0, 'the branch was closed', somebody)
  await house.quiesce()
  const rests = () =>
    house.rows<{ rests: number }>(`select rests from muster.action where kind = 'disable' and state = 'parked'`)
  const before = await rests()
  expect(before).toHaveLength(released ? 3 : 2)
  await house.shift(released ? 1_000_000 : 86_460_000)
  await house.sweep()
  for (const { id } of await house.dispatchAll('leaver')) await house.provision(id)
  const after = await rests()
  expect(after.every((one, at) => one.rests > (before[at]?.rests ?? 0))).toBe(true)
  faults.clear()
  await leave(4, 5)
  await house.dispatchAll()
  expect(await openHolds()).toEqual([])
})

test('what a human releases goes out, is not held again and is not counted; what comes later is', async () => {
  await bankOf(12, limits({ disables: { absolute: 3, percent: null } }))
  await leave(0, 5)
  await house.dispatchAll()
  expect(await sent('disable')).toBe(0)
  const [hold] = await openHolds()
  expect(await releaseHold(house.engine, hold?.id ?? 0, 'the branch was closed', somebody)).toEqual({
    kind: 'released',
    actions: 5,
  })
  await house.quiesce()
  expect(await sent('disable')).toBe(5)
  expect(await openHolds()).toEqual([])
  await leave(5, 8)
  await house.quiesce()
  expect(await sent('disable')).toBe(8)
  await leave(8, 9)
  await house.quiesce()
  expect(await sent('disable')).toBe(8)
  expect(await openHolds()).toHaveLength(1)
})

test('its findings close when a human has released the hold, not before', async () => {
  await bankOf(12, limits({ disables: { absolute: 3, percent: null } }))
  await leave(0, 5)
  await house.dispatchAll()
  const open = () =>
    house.rows(
      `select 1 from muster.finding where kind in ('guard-tripped', 'urgent-leavers-held') and closed_at is null`,
    )
  await house.sweep()
  expect(await open()).toHaveLength(1)
  const [hold] = await openHolds()
  const [action] = await house.rows<{ id: number }>(`select min(id) as id from muster.action where kind = 'disable'`)
  expect(await guardHoldsOf(house.admin, [action?.id ?? 0])).toEqual(new Map([[action?.id, hold?.id]]))
  await releaseHold(house.engine, hold?.id ?? 0, 'the branch was closed', somebody)
  expect(await guardHoldsOf(house.admin, [action?.id ?? 0])).toEqual(new Map())
  await house.sweep()
  expect(await open()).toEqual([])
})

test('what is held is told by its causes, the most frequent first: HR’s events with their place, a policy version, a moment that was known', async () => {
  await bankOf(6, limits({ revokes: { absolute: 1, percent: null } }))
  const start = await house.now()
  const lastDayEndsAt = start + 172_800_000
  await house.tell({
    person: 'P-5',
    effectiveAt: start,
    attributes: { jobCode: 'X' },
    lastDayEndsAt,
  })
  await house.evaluateAll()
  await house.shift(172_800_000)
  // He leaves by a moment of today that HR names a little before it comes.
  await house.tell({
    person: 'P-1',
    effectiveAt: start,
    attributes: { jobCode: 'X' },
    lastDayEndsAt: (await house.now()) + 1_000,
  })
  await house.evaluateAll()
  await leave(0, 1)
  await house.evaluateAll()
  const files = bankPolicies(house.tree.groups).map(({ path, text }) => ({
    path,
    text: text.replace('[Staff_Intranet, Staff_Timesheets]', '[Staff_Intranet]'),
  }))
  expect(await applyPolicy(house.engine, files, somebody)).toMatchObject({ kind: 'applied', version: 2 })
  await house.evaluateAll()
  await house.shift(600)
  await house.dispatchAll()
  expect(await sent('revoke')).toBe(0)
  const office = openOffice(house.database.engineUrl, 'test-office')
  const hold = { target, entitlementId: null, policies: ['revokes'] }
  const held = await heldSummary(office, hold).finally(office.close)
  expect(held).toMatchObject({ actions: 9, people: 6, named: expect.arrayContaining(['P-0', 'P-5']) })
  expect(held.causes).toEqual([
    { cause: 'event', policy: null, actions: 4, hr: [expect.objectContaining({ firstOffset: 7, lastOffset: 8 })] },
    { cause: 'policy', policy: 2, actions: 3, hr: [] },
    {
      cause: 'timer',
      policy: null,
      actions: 2,
      hr: [expect.objectContaining({ topic: 'test', firstOffset: 6, lastOffset: 6 })],
    },
  ])
  expect(held.causes[0]?.hr[0]?.firstAt).toBeInstanceOf(Date)
})

test('what a human released goes also past a hold that opens before it has gone', async () => {
  await bankOf(12, limits({ disables: { absolute: 3, percent: null } }))
  await leave(0, 5)
  await house.dispatchAll()
  const [hold] = await openHolds()
  await releaseHold(house.engine, hold?.id ?? 0, 'the branch was closed', somebody)
  await leave(5, 9)
  await house.dispatchAll()
  expect(await openHolds()).toHaveLength(1)
  expect(await sent('disable')).toBe(5)
})

test('a hold stays after its window has passed: only a human ends it', async () => {
  await bankOf(6, limits({ disables: { absolute: 1, percent: null } }))
  await leave(0, 2)
  await house.dispatchAll()
  await house.shift(2 * defaultGuardLimits.windowMs)
  await house.quiesce()
  expect(await sent('disable')).toBe(0)
  expect(await openHolds()).toHaveLength(1)
})
