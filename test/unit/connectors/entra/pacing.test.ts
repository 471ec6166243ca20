import { describe, expect, test } from 'vitest'
import { bucketsOf, createPacing, pauseFor } from '../../../../src/connectors/entra/pacing.ts'
import { createLocalBudget, createLocalStore } from '../../../../src/connectors/local-budget.ts'
import type { Lane } from '../../../../src/domain/action.ts'

const settings = { tenantSize: 'small', limits: { requestsAtOnce: 8 } } as const
const none = () => null
const heading = (some: Readonly<Record<string, string>>) => (name: string) => some[name] ?? null

const house = (changes: Partial<Parameters<typeof bucketsOf>[0]['limits']> = {}) => {
  let at = 1_000_000
  const waits: number[] = []
  const store = createLocalStore()
  const limits = { ...settings.limits, ...changes }
  const pacingOf = (lane: Lane) =>
    createPacing(
      createLocalBudget(store, lane, () => at),
      { ...settings, limits },
      async (ms) => {
        waits.push(ms)
        at += ms
      },
    )
  return { pacingOf, waits, pass: (ms: number) => void (at += ms), now: () => at }
}
const failureOf = async (turn: ReturnType<ReturnType<typeof createPacing>['turn']>) => {
  const result = await turn
  return result.ok ? null : result.failure
}

describe('the documented limits', () => {
  test('by size of the tenant, a little less than allowed, and overridden', () => {
    expect(bucketsOf({ ...settings, tenantSize: 'large' }).units).toMatchObject({ capacity: 7_920, perSecond: 792 })
    expect(bucketsOf(settings).units.capacity).toBe(3_465)
    expect(bucketsOf(settings).writes.perSecond).toBeCloseTo(19.9)
    const limits = { ...settings.limits, writesPer150s: 300, resourceUnitsPer10s: 100 }
    expect(bucketsOf({ ...settings, limits })).toMatchObject({ units: { capacity: 99 }, writes: { capacity: 297 } })
  })
})

describe('whose turn it is', () => {
  test('a short wait is waited out, a long one is told with the limit that is used up', async () => {
    const { pacingOf, waits } = house({ writesPer150s: 150 })
    const pacing = pacingOf('leaver')
    expect((await pacing.turn({ units: 1, writes: 148 })).ok).toBe(true)
    expect((await pacing.turn({ units: 1, writes: 2 })).ok).toBe(true)
    expect(waits).toHaveLength(1)
    expect(waits[0]).toBeLessThanOrEqual(2_000)
    const failure = await failureOf(pacing.turn({ units: 1, writes: 10 }))
    expect(failure).toMatchObject({ word: 'throttled', scope: 'writes', sent: false, status: null })
    expect(failure?.retryAfterMs).toBeGreaterThan(2_000)
  })

  test('reads that may wait leave a quarter to the others', async () => {
    const { pacingOf } = house({ resourceUnitsPer10s: 100 })
    const pacing = pacingOf('leaver')
    expect((await pacing.turn({ units: 70, writes: 0, isLow: true })).ok).toBe(true)
    expect(await failureOf(pacing.turn({ units: 24, writes: 0, isLow: true }))).not.toBeNull()
    expect((await pacing.turn({ units: 20, writes: 0 })).ok).toBe(true)
  })

  test('a wait that is stopped is a failure that sent nothing', async () => {
    const store = createLocalStore()
    const budget = createLocalBudget(store, 'leaver', () => 0)
    const pacing = createPacing(budget, settings, () => Promise.reject(new Error('aborted')))
    await budget.close(bucketsOf(settings).units, 500)
    expect(await failureOf(pacing.turn({ units: 1, writes: 0 }))).toMatchObject({ word: 'stopped', sent: false })
  })
})

describe('what Graph says', () => {
  test('near the limit requests are spread; beyond it everybody pauses', () => {
    expect([null, '0.5', '0.8', 'x'].map(pauseFor)).toEqual([0, 0, 0, 0])
    expect(pauseFor('0.9')).toBe(10)
    expect(pauseFor('1')).toBe(20)
    expect(pauseFor('1.2')).toBe(1_200)
  })

  test('a request that cost more than was drawn is paid for afterwards', async () => {
    const { pacingOf } = house({ resourceUnitsPer10s: 100 })
    const pacing = pacingOf('leaver')
    await pacing.turn({ units: 1, writes: 0 })
    await pacing.heard(heading({ 'x-ms-resource-unit': '97' }), { units: 1, writes: 0 })
    expect(await failureOf(pacing.turn({ units: 30, writes: 0 }))).toMatchObject({ scope: 'resource-units' })
    await pacing.heard(none, { units: 1, writes: 0 })
  })

  const no = { status: 429, code: '', word: 'throttled', sent: true, retryAfterMs: 30_000 }

  test('a 429 stops both lanes', async () => {
    const { pacingOf, pass } = house()
    await pacingOf('bulk').stop({ ...no, scope: '' }, { units: 1, writes: 0 })
    expect(await failureOf(pacingOf('leaver').turn({ units: 1, writes: 0 }))).toMatchObject({ retryAfterMs: 30_000 })
    expect(await failureOf(pacingOf('leaver').turn({ units: 1, writes: 1 }))).toMatchObject({ scope: 'writes' })
    pass(30_000)
    expect((await pacingOf('leaver').turn({ units: 1, writes: 1 })).ok).toBe(true)
  })

  test('of writes alone lets reads go on; of reads that may wait lets everybody else go on', async () => {
    const writes = house()
    await writes.pacingOf('bulk').stop({ ...no, scope: 'Tenant WriteLimitExceeded' }, { units: 1, writes: 1 })
    expect((await writes.pacingOf('bulk').turn({ units: 1, writes: 0 })).ok).toBe(true)
    expect(await failureOf(writes.pacingOf('leaver').turn({ units: 1, writes: 1 }))).not.toBeNull()

    const low = house()
    await low.pacingOf('bulk').stop({ ...no, scope: '' }, { units: 1, writes: 0, isLow: true })
    expect((await low.pacingOf('leaver').turn({ units: 1, writes: 1 })).ok).toBe(true)
    expect(await failureOf(low.pacingOf('bulk').turn({ units: 1, writes: 0, isLow: true }))).not.toBeNull()
  })
})
