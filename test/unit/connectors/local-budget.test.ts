import { describe, expect, test } from 'vitest'
import type { Bucket } from '../../../src/connectors/budget.ts'
import { createLocalBudget, createLocalStore } from '../../../src/connectors/local-budget.ts'

const bucket: Bucket = { name: 'writes', capacity: 100, perSecond: 10 }
const clock = () => {
  let at = 5_000
  return { now: () => at, pass: (ms: number) => void (at += ms) }
}

describe('a budget in memory', () => {
  test('is full at first, and refills with time up to its capacity', async () => {
    const { now, pass } = clock()
    const budget = createLocalBudget(createLocalStore(), 'leaver', now)
    expect(await budget.take([{ bucket, units: 100 }])).toEqual({ ok: true })
    expect(await budget.take([{ bucket, units: 1 }])).toEqual({ ok: false, waitMs: 100 })
    pass(100)
    expect(await budget.take([{ bucket, units: 1 }])).toEqual({ ok: true })
    pass(3_600_000)
    expect(await budget.take([{ bucket, units: 101 }])).toEqual({ ok: true })
    expect(await budget.take([{ bucket, units: 100 }])).toMatchObject({ ok: false })
  })

  test('bulk work leaves a tenth for the leavers, who share the same store', async () => {
    const { now } = clock()
    const store = createLocalStore()
    const [bulk, leaver] = [createLocalBudget(store, 'bulk', now), createLocalBudget(store, 'leaver', now)]
    expect(await bulk.take([{ bucket, units: 90 }])).toEqual({ ok: true })
    expect(await bulk.take([{ bucket, units: 1 }])).toMatchObject({ ok: false })
    expect(await leaver.take([{ bucket, units: 10 }])).toEqual({ ok: true })
    expect(await leaver.take([{ bucket, units: 1 }])).toMatchObject({ ok: false })
  })

  test('all draws or none', async () => {
    const { now } = clock()
    const budget = createLocalBudget(createLocalStore(), 'leaver', now)
    const small: Bucket = { name: 'small', capacity: 1, perSecond: 1 }
    await budget.take([{ bucket: small, units: 1 }])
    const both = [
      { bucket, units: 100 },
      { bucket: small, units: 1 },
    ]
    expect(await budget.take(both)).toEqual({ ok: false, waitMs: 1_000 })
    expect(await budget.take([{ bucket, units: 100 }])).toEqual({ ok: true })
  })

  test('closed, it gives nobody anything until the time is over, and a shorter closing does not open it', async () => {
    const { now, pass } = clock()
    const store = createLocalStore()
    const [bulk, leaver] = [createLocalBudget(store, 'bulk', now), createLocalBudget(store, 'leaver', now)]
    await bulk.close(bucket, 2_128)
    await bulk.close(bucket, 10)
    for (const budget of [bulk, leaver])
      expect(await budget.take([{ bucket, units: 1 }])).toEqual({ ok: false, waitMs: 2_128 })
    pass(2_128)
    expect(await leaver.take([{ bucket, units: 1 }])).toEqual({ ok: true })
  })

  test('places are counted by name over all callers, given back, and end by themselves', async () => {
    const { now, pass } = clock()
    const store = createLocalStore()
    const [one, other] = [createLocalBudget(store, 'bulk', now), createLocalBudget(store, 'leaver', now)]
    const places = [
      { name: 'role', max: 1 },
      { name: 'account', max: 2 },
    ]
    const first = await one.occupy(places, 1_000)
    expect(first.ok).toBe(true)
    expect(await other.occupy(places, 1_000)).toEqual({ ok: false, waitMs: 1_000 })
    expect((await other.occupy([{ name: 'account', max: 2 }], 1_000)).ok).toBe(true)
    if (first.ok) await one.vacate(first.id)
    expect((await other.occupy([{ name: 'role', max: 1 }], 500)).ok).toBe(true)
    pass(500)
    expect((await one.occupy([{ name: 'role', max: 1 }], 500)).ok).toBe(true)
  })

  test('a place is made to last by whoever has it, and is not had back when it has run out', async () => {
    const { now, pass } = clock()
    const budget = createLocalBudget(createLocalStore(), 'bulk', now)
    const places = [{ name: 'role', max: 1 }]
    const held = await budget.occupy(places, 1_000)
    if (!held.ok) throw new Error('nobody was there')
    pass(900)
    expect(await budget.renew(held.id, 1_000)).toBe(true)
    pass(999)
    expect(await budget.occupy(places, 1_000)).toEqual({ ok: false, waitMs: 1 })
    pass(1)
    expect(await budget.renew(held.id, 1_000)).toBe(false)
    expect((await budget.occupy(places, 1_000)).ok).toBe(true)
    expect(await budget.renew(held.id, 1_000)).toBe(false)
  })
})
