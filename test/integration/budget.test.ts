import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { targetBudget } from '../../src/app/budgets.ts'
import { keepFromOthers, occupyPolicy } from '../../src/connectors/aws/policy-place.ts'
import type { Bucket } from '../../src/connectors/budget.ts'
import { forgetPlaces } from '../../src/store/budget.ts'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { freshDatabase } from '../support/stack.ts'

let db: Database
let admin: Database
beforeAll(async () => {
  const database = await freshDatabase()
  db = openDatabase({ url: database.engineUrl, max: 8, applicationName: 'test-budget' })
  admin = openDatabase({ url: database.adminUrl, max: 1, applicationName: 'test-admin' })
})
afterAll(() => Promise.all([db?.close(), admin?.close()]))

/** Moves the database's clock; nothing else passes time here. */
const later = (ms: number) =>
  admin.query({
    text: `update muster.clock set shift = shift + make_interval(secs => $1::float8 / 1000)`,
    values: [ms],
  })
/** Two wait for somebody's lock. */
const waiting = () =>
  expect
    .poll(() =>
      admin.query({
        text: `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        values: [],
      }),
    )
    .toHaveLength(2)
/** All but nothing comes back by itself while a test runs. */
const slow = (name: string, capacity: number): Bucket => ({ name, capacity, perSecond: 0.001 })
let targets = 0
const fresh = (lane: 'leaver' | 'bulk' = 'bulk', target = `t${++targets}`) => targetBudget(db, target, lane)

describe('the rate budget of a target', () => {
  test('many at once take no more than there is', async () => {
    const budget = fresh('leaver')
    const answers = await Promise.all(
      Array.from({ length: 60 }, () => budget.take([{ bucket: slow('writes', 40), units: 1 }])),
    )
    expect(answers.filter(({ ok }) => ok)).toHaveLength(40)
  })

  test('all of the buckets or none of them', async () => {
    const budget = fresh('leaver')
    const [plenty, few] = [slow('plenty', 10), slow('few', 1)]
    const both = [
      { bucket: plenty, units: 6 },
      { bucket: few, units: 1 },
    ]
    expect(await budget.take(both)).toEqual({ ok: true })
    expect(await budget.take(both)).toMatchObject({ ok: false })
    expect(await budget.take([{ bucket: plenty, units: 4 }])).toEqual({ ok: true })
  })

  test('bulk work leaves a share for leavers', async () => {
    const bulk = fresh('bulk', 'shared')
    const leaver = fresh('leaver', 'shared')
    const bucket = slow('writes', 100)
    expect(await bulk.take([{ bucket, units: 90 }])).toEqual({ ok: true })
    expect(await bulk.take([{ bucket, units: 1 }])).toMatchObject({ ok: false })
    expect(await leaver.take([{ bucket, units: 10 }])).toEqual({ ok: true })
    expect(await leaver.take([{ bucket, units: 1 }])).toMatchObject({ ok: false })
  })

  test('it fills with time, up to its capacity, and says how long that takes', async () => {
    const budget = fresh('leaver')
    const bucket: Bucket = { name: 'calls', capacity: 10, perSecond: 0.01 }
    expect(await budget.take([{ bucket, units: 10 }])).toEqual({ ok: true })
    const refused = await budget.take([{ bucket, units: 5 }])
    if (refused.ok) throw new Error('there was none')
    expect(refused.waitMs).toBeGreaterThan(490_000)
    expect(refused.waitMs).toBeLessThanOrEqual(500_000)
    await later(500_000)
    expect(await budget.take([{ bucket, units: 5 }])).toEqual({ ok: true })
    await later(86_400_000)
    expect(await budget.take([{ bucket, units: 11 }])).toEqual({ ok: true }) // a wish beyond the capacity waits for a full one
    expect(await budget.take([{ bucket, units: 1 }])).toMatchObject({ ok: false })
  })

  test('closed by the target, it is closed to leavers too, and a shorter word opens it no sooner', async () => {
    const [bulk, leaver] = [fresh('bulk', 'throttled'), fresh('leaver', 'throttled')]
    const bucket = slow('writes', 10)
    await bulk.close(bucket, 60_000)
    await bulk.close(bucket, 1_000)
    await later(2_000)
    const refused = await leaver.take([{ bucket, units: 0 }])
    if (refused.ok) throw new Error('it was open')
    expect(refused.waitMs).toBeGreaterThan(50_000)
    await later(60_000)
    expect(await leaver.take([{ bucket, units: 0 }])).toEqual({ ok: true })
  })

  test('one target takes nothing from another', async () => {
    const bucket = slow('writes', 1)
    expect(await fresh('leaver').take([{ bucket, units: 1 }])).toEqual({ ok: true })
    expect(await fresh('leaver').take([{ bucket, units: 1 }])).toEqual({ ok: true })
  })
})

describe('places', () => {
  const account = (id: string) => ({ name: `account:${id}`, max: 1 })
  const all = { name: 'assignments', max: 15 }

  test('who had a place is forgotten, under whatever name, a day after it is over; not what is drawn from, closed or occupied', async () => {
    const budget = fresh('leaver')
    const target = `t${targets}`
    const names = async () =>
      (
        await db.query<{ name: string }>({
          text: `select 'bucket ' || name as name from muster.bucket where target = $1
            union all select 'place ' || name from muster.place where target = $1 order by 1`,
          values: [target],
        })
      ).map(({ name }) => name)
    await keepFromOthers(budget, { arn: 'arn', userIds: ['one'] })
    await occupyPolicy(budget, { arn: 'arn', userIds: ['other'] }, 60_000)
    await budget.take([{ bucket: slow('calls', 10), units: 1 }])
    await budget.close(slow('closed', 10), 60_000)
    await budget.occupy([account('1')], 200_000_000)
    expect((await names()).filter((name) => name.includes('policy-late'))).not.toEqual([])
    await later(80_000_000)
    const before = await names()
    await forgetPlaces(db)
    expect(await names()).toEqual(before)
    await later(10_000_000)
    await budget.occupy([{ name: 'late', max: 1 }], 60_000)
    await forgetPlaces(db)
    expect(await names()).toEqual(
      ['account:1', 'calls', 'closed', 'late'].map((name) => `bucket ${name}`).concat('place account:1', 'place late'),
    )
  })

  test('a place that is forgotten in the moment in which it is taken is had by one alone', async () => {
    const budget = fresh()
    await budget.occupy([account('1')], 1)
    await later(90_000_000)
    const held = Promise.withResolvers<void>()
    const commit = Promise.withResolvers<void>()
    const forgetting = db.transaction(async (tx) => {
      await forgetPlaces(tx)
      held.resolve()
      await commit.promise
    })
    await held.promise
    const both = [1, 2].map(() => budget.occupy([account('1')], 60_000))
    await waiting()
    commit.resolve()
    await forgetting
    expect((await Promise.all(both)).filter(({ ok }) => ok)).toHaveLength(1)
  })

  test('no more at once than there are, all names or none; who leaves makes room', async () => {
    const budget = fresh()
    const got = await Promise.all(
      Array.from({ length: 20 }, (_, n) => budget.occupy([account(String(n)), all], 60_000)),
    )
    const held = got.flatMap((one) => (one.ok ? [one.id] : []))
    expect(held).toHaveLength(15)
    const refused = got.find((one) => !one.ok)
    expect(refused).toMatchObject({ ok: false })
    await budget.vacate(held[0] ?? '')
    // The refused ones hold no account either.
    const again = await Promise.all(
      got.flatMap((one, n) => (one.ok ? [] : [budget.occupy([account(String(n))], 60_000)])),
    )
    expect(again.every(({ ok }) => ok)).toBe(true)
    expect(await budget.occupy([all], 60_000)).toMatchObject({ ok: true })
    expect(await budget.occupy([all], 60_000)).toMatchObject({ ok: false })
  })

  test('whoever forgot one loses it in time', async () => {
    const budget = fresh()
    expect(await budget.occupy([account('1')], 60_000)).toMatchObject({ ok: true })
    const refused = await budget.occupy([account('1')], 60_000)
    if (refused.ok) throw new Error('two on one account')
    expect(refused.waitMs).toBeLessThanOrEqual(60_000)
    await later(60_001)
    expect(await budget.occupy([account('1')], 60_000)).toMatchObject({ ok: true })
  })

  test('whoever has one makes it last; what has run out or was given back is not had back', async () => {
    const budget = fresh()
    const held = await budget.occupy([account('1'), all], 30_000)
    if (!held.ok) throw new Error('nobody was there')
    expect(await budget.renew(held.id, 90_000)).toBe(true)
    await later(60_000)
    expect(await budget.occupy([account('1')], 60_000)).toMatchObject({ ok: false })
    expect(await budget.renew(held.id, 30_000)).toBe(true)
    await later(30_001)
    expect(await budget.renew(held.id, 30_000)).toBe(false)
    const next = await budget.occupy([account('1')], 30_000)
    expect(next).toMatchObject({ ok: true })
    expect(await budget.renew(held.id, 30_000)).toBe(false)
    if (next.ok) await budget.vacate(next.id)
    expect(await budget.renew(next.ok ? next.id : '', 30_000)).toBe(false)
  })
})
