/** L11: a mass change beyond the guard's limits is held at the door, whoever caused it and however many dispatch it. */
import { afterEach, expect, test } from 'vitest'
import { openOffice } from '../../src/app/office.ts'
import { heldSummary } from '../../src/cli/held-summary.ts'
import { applyPolicy } from '../../src/engine/apply-policy.ts'
import { releaseHold } from '../../src/engine/decide-hold.ts'
import { defaultGuardLimits, type GuardLimits } from '../../src/planning/guard.ts'
import { guardHoldsOf } from '../../src/store/person-at.ts'
import { createFaults, createGates } from '../support/faults.ts'
import { bankPolicies, type House, openHouse, target } from '../support/house.ts'

const none = { absolute: null, percent: null }
const limits = (some: Partial<GuardLimits>): GuardLimits => ({
  ...defaultGuardLimits,
  revokes: none,
  disables: none,
  entitlementRevokes: none,
  ...some,
})

let house: House
const gates = createGates()
const faults = createFaults()
afterEach(() => house.close())

/** So many people with an account and two groups, nothing left to do. */
const bankOf = async (people: number, guard: GuardLimits) => {
  house = await openHouse({ target: { guard }, settings: { pause: gates.pause }, connector: faults.wrap })
  const start = await house.now()
  for (let i = 0; i < people; i++)
    await house.tell({ person: `P-${i}`, effectiveAt: start - 1000, attributes: { jobCode: 'X' } })
  await house.quiesce()
}
const leave = async (from: number, to: number, more: { involuntary?: boolean } = {}) => {
  const at = await house.now()
  for (let i = from; i < to; i++) await house.tell({ person: `P-${i}`, effectiveAt: at, status: 'terminated', ...more })
  await house.shift(2_005) // nobody gathers behind what is queued for longer
  await house.evaluateAll()
}
const sent = async (kind: string) =>
  (
    await house.rows<{ n: number }>(
      `select count(*) as n from muster.action where kind = $1::muster.action_kind and state in ('dispatched', 'done')`,
      kind,
    )
  )[0]?.n
const openHolds = () =>
  house.rows<{ id: number; limit: string }>(
    `select id, policies[1] as "limit" from muster.hold where kind = 'guard' and closed_at is null order by 2`,
  )
const findings = () =>
  house.rows<{ key: string; times: number }>(
    `select key, times from muster.finding where kind = 'guard-tripped' order by 1`,
  )
const somebody = { type: 'os-user', name: 'somebody', authenticated: false } as const

test('a limit may be reached exactly; one more, and everything of that kind that has not gone is held', async () => {
  await bankOf(8, limits({ disables: { absolute: 3, percent: null } }))
  await leave(0, 3)
  await house.dispatchAll()
  expect(await sent('disable')).toBe(3)
  expect(await openHolds()).toEqual([])
  await leave(3, 5)
  await house.dispatchAll()
  expect(await sent('disable')).toBe(3)
  // Another limit has not tripped: what they hold is taken away.
  expect(await sent('revoke')).toBe(10)
  expect(await openHolds()).toMatchObject([{ limit: 'disables' }])
})

test('a batch beyond the limit is held before its first action leaves; one hold, one finding, one entry, however often it is looked at', async () => {
  await bankOf(8, limits({ disables: { absolute: 3, percent: null }, revokes: { absolute: 7, percent: null } }))
  await leave(0, 4)
  for (let i = 0; i < 3; i++) expect(await house.dispatchAll()).toEqual([])
  expect((await openHolds()).map(({ limit }) => limit)).toEqual(['disables', 'revokes'])
  expect((await findings()).map(({ times }) => times)).toEqual([1, 1])
  expect(await house.rows(`select 1 from audit.entry where kind = 'guard-tripped'`)).toHaveLength(2)
})

test('exact under many dispatchers at once', async () => {
  await bankOf(12, limits({ revokes: { absolute: 20, percent: null } }))
  await leave(0, 10)
  await Promise.all(Array.from({ length: 8 }, () => house.dispatchAll('leaver')))
  expect(await sent('revoke')).toBe(20)
  expect(await openHolds()).toEqual([])
  await leave(10, 12)
  await Promise.all(Array.from({ length: 8 }, () => house.dispatchAll('leaver')))
  expect(await sent('revoke')).toBe(20)
  expect(await openHolds()).toHaveLength(1)
  expect((await findings()).map(({ times }) => times)).toEqual([1])
})

test.each([
  ['when something was counted before', 2],
  ['when nothing was', 0],
])('what is planned between the count and the dispatch does not leave uncounted: %s', async (_, first) => {
  await bankOf(8, limits({ disables: { absolute: 3, percent: null } }))
  if (first > 0) await leave(0, first)
  const guarded = gates.stopAt('dispatch:guarded')
  const dispatching = house.dispatchAll('leaver')
  await guarded.reached
  await leave(first, 6)
  guarded.open()
  await dispatching
  await house.dispatchAll('leaver')
  expect(await sent('disable')).toBeLessThanOrEqual(3)
  expect(await openHolds()).toMatchObject([{ limit: 'disables' }])
})

test('all causes count together: movers in the bulk lane and leavers share the limit on revokes', async () => {
  await bankOf(0, limits({ revokes: { absolute: 3, percent: null } }))
  const start = await house.now()
  for (const person of ['P-0', 'P-1', 'P-2'])
    await house.tell({ person, effectiveAt: start - 1000, attributes: { jobCode: 'TELLER' } })
  await house.quiesce()
  // Two revokes of one who moves (to a job without the counter), then two of one who leaves with four groups.
  await house.tell({ person: 'P-0', effectiveAt: start, attributes: { jobCode: 'X' } })
  await house.evaluateAll()
  await house.shift(600)
  await house.dispatchAll('bulk')
  expect(await sent('revoke')).toBe(2)
  await leave(1, 2)
  await house.dispatchAll()
  expect(await sent('revoke')).toBe(2)
  expect(await openHolds()).toMatchObject([{ limit: 'revokes' }])
})

test('a percentage says nothing below 20 members, and is exact from there on', async () => {
  await bankOf(19, limits({ disables: { absolute: null, percent: 10 } }))
  await leave(0, 5)
  await house.dispatchAll()
  expect(await sent('disable')).toBe(5)
  await house.close()
  await bankOf(30, limits({ disables: { absolute: null, percent: 10 } }))
  await leave(0, 3)
  await house.quiesce()
  expect(await sent('disable')).toBe(3)
  await leave(3, 4)
  await house.dispatchAll()
  expect(await sent('disable')).toBe(3)
  expect(await openHolds()).toMatchObject([{ limit: 'disables' }])
})

test('a percentage of one entitlement holds its revokes and no others', async () => {
  await bankOf(0, limits({ entitlementRevokes: { absolute: null, percent: 50 } }))
  const start = await house.now()
  const jobs = (i: number) => (i < 20 ? 'TELLER' : 'X')
  for (let i = 0; i < 60; i++)
    await house.tell({ person: `P-${i}`, effectiveAt: start - 1000, attributes: { jobCode: jobs(i) } })
  await house.quiesce()
  await leave(0, 11)
  await house.dispatchAll()
  const held = await house.rows<{ key: string }>(
    `select distinct e.key from muster.action a join muster.entitlement e on e.id = a.entitlement_id where a.state = 'ready' and a.kind = 'revoke' order by 1`,
  )
  expect(held.map(({ key }) => key)).toEqual(['CBS_TellerCash', 'CBS_ViewOnly'])
  expect(await sent('disable')).toBe(11)
})

test('single urgent leavers pass a tripped guard, so many an hour; then they hold too, and page', async () => {
  await bankOf(
    12,
    limits({ disables: { absolute: 1, percent: null }, urgentPerHour: { atLeast: 2, percentOfPopulation: 0 } }),
  )
  await leave(0, 3)
  await house.dispatchAll()
  expect(await sent('disable')).toBe(0)
  await leave(3, 4, { involuntary: true })
  await house.quiesce()
  expect(await house.account('P-3')).toMatchObject({ locked: true })
  await leave(4, 8, { involuntary: true })
  await house.quiesce()
  expect(await sent('disable')).toBe(2)
  expect(await house.rows(`select urgent from muster.finding where kind = 'urgent-leavers-held'`)).toEqual([
    { urgent: true },
  ])
  await house.shift(3_600_001)
  await house.quiesce()
  expect(await sent('disable')).toBe(4)
})

test('urgent leavers pass so many in all, not so many for each dispatcher', async () => {
  await bankOf(
    12,
    limits({ disables: { absolute: 1, percent: null }, urgentPerHour: { atLeast: 2, percentOfPopulation: 0 } }),
  )
  await leave(0, 3)
  await house.dispatchAll()
  const earlier = await house.now()
  await leave(3, 6, { involuntary: true })
  const guarded = gates.stopAt('dispatch:guarded')
  const first = house.dispatchAll('leaver')
  await guarded.reached
  // Somebody whose access ended before theirs: another dispatcher would let him pass in the place of one of them.
  await house.tell({ person: 'P-6', effectiveAt: earlier - 500, status: 'terminated', involuntary: true })
  await house.evaluateAll()
  const other = house.dispatchAll('leaver')
  await Promise.race([house.waitingForALock(), other])
  guarded.open()
  await Promise.all([first, other])
  expect(await sent('disable')).toBe(2)
})

const round = async () => {
  await house.evaluateAll()
  await house.shift(2_005)
  for (const { id } of await house.dispatchAll()) await house.provision(id)
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

test('an urgent leaver who has passed and is to be tried again takes nobody’s place: not while that waits, and not when it goes', async () => {
  await bankOf(
    8,
    limits({ disables: { absolute: 1, percent: null }, urgentPerHour: { atLeast: 1, percentOfPopulation: 0 } }),
  )
  await leave(0, 2)
  await house.dispatchAll()
  await leave(3, 4, { involuntary: true })
  faults.next(async (operations) =>
    operations.map(() => ({ kind: 'retry', retryAfterMs: 7_300_000, cause: { code: '52', word: 'unavailable' } })),
  )
  await round()
  await house.shift(3_660_000)
  await leave(4, 5, { involuntary: true })
  await round()
  expect(await house.account('P-4')).toMatchObject({ locked: true })
  expect(await house.account('P-3')).toMatchObject({ locked: false })
  await house.shift(3_660_000)
  await leave(5, 7, { involuntary: true })
  await round()
  expect(await house.account('P-3')).toMatchObject({ locked: true })
  expect(await sent('disable')).toBe(3)
  expect(await house.rows(`select kind from muster.finding where kind = 'urgent-leavers-held'`)).toHaveLength(1)
})

test('whom a hold does not concern passes no guard: the place is left to whom it holds', async () => {
  await bankOf(
    0,
    limits({
      entitlementRevokes: { absolute: 1, percent: null },
      urgentPerHour: { atLeast: 1, percentOfPopulation: 0 },
    }),
  )
  const start = await house.now()
  const works = (person: string, jobCode: string, effectiveAt: number) =>
    house.tell({ person, effectiveAt, attributes: { jobCode } })
  for (const person of ['P-0', 'P-1', 'P-2']) await works(person, 'TELLER', start - 1000)
  await works('P-5', 'X', start - 1000)
  await house.quiesce()
  for (const person of ['P-0', 'P-1']) await works(person, 'X', start)
  await round()
  expect(await openHolds()).toHaveLength(2)
  await leave(5, 6, { involuntary: true })
  await round()
  expect(await house.groupsOf('P-5')).toEqual([])
  expect(await house.rows('select id from muster.action where guard_passed_at is not null')).toEqual([])
  await leave(2, 3, { involuntary: true })
  await round()
  expect(await house.groupsOf('P-2')).toEqual([])
  expect(await house.groupsOf('P-0')).toContain('CBS_TellerCash')
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

test('what was sent, came back and is to be sent again counts as planned, however long ago it first went out', async () => {
  await bankOf(6, limits({ disables: { absolute: 3, percent: null } }))
  await leave(0, 3)
  faults.next(async (operations) =>
    operations.map(() => ({
      kind: 'retry',
      retryAfterMs: 2 * defaultGuardLimits.windowMs,
      cause: { code: '52', word: 'unavailable' },
    })),
  )
  for (const { id } of await house.dispatchAll()) await house.provision(id)
  await house.shift(2 * defaultGuardLimits.windowMs + 1)
  await leave(3, 4)
  await house.dispatchAll()
  expect(await openHolds()).toMatchObject([{ limit: 'disables' }])
  expect(await house.rows(`select 1 from muster.action where kind = 'disable' and state = 'dispatched'`)).toEqual([])
})

test('grants of little risk are never the business of the guard', async () => {
  await bankOf(3, limits({ disables: { absolute: 0, percent: null }, revokes: { absolute: 0, percent: null } }))
  expect(await house.groupsOf('P-0')).toEqual(['Staff_Intranet', 'Staff_Timesheets'])
  expect(await openHolds()).toEqual([])
  expect(house.engine.targets[0]?.id).toBe(target)
})
