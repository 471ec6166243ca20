/** L11: a mass change beyond the guard's limits is held at the door, whoever caused it and however many dispatch it. */
import { afterEach, expect, test } from 'vitest'
import { defaultGuardLimits, type GuardLimits } from '../../src/planning/guard.ts'
import { createFaults, createGates } from '../support/faults.ts'
import { guardedBank, limits, openBank } from '../support/guarded-bank.ts'
import { type House, target } from '../support/house.ts'

let house: House
const gates = createGates()
const faults = createFaults()
const { leave, sent, openHolds, findings } = guardedBank(() => house)
afterEach(() => house.close())
const bankOf = async (people: number, guard: GuardLimits) => {
  house = await openBank(people, guard, { gates, faults })
}

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
