/** The line before the places: who goes next, and that nobody holds a place in vain. */
import { expect, test, vi } from 'vitest'
import type { Aws } from '../../../../src/connectors/aws/aws.ts'
import { createInProgress } from '../../../../src/connectors/aws/requests.ts'
import { giveBack, waitForPlace } from '../../../../src/connectors/aws/wait-for-place.ts'
import type { Budget } from '../../../../src/connectors/budget.ts'
import { createLocalBudget, createLocalStore } from '../../../../src/connectors/local-budget.ts'

const places = [{ name: 'assignments', max: 1 }]
const full = { ok: false, waitMs: 60_000 } as const
const forever = new AbortController().signal
/** Nothing is looked for but by the test itself. */
const idle = { ms: 60_000, signal: forever, everyMs: 60_000, look: async () => {} }

const house = (change: (budget: Budget) => Partial<Budget> = () => ({})) => {
  const local = createLocalBudget(createLocalStore(), 'leaver', () => performance.now())
  const budget = { ...local, ...change(local) }
  // What the line works with, and no more.
  const aws = { tools: { budget }, inProgress: createInProgress() } as unknown as Aws
  return { aws, budget: local }
}
const held = async (budget: Budget): Promise<string> => {
  const place = await budget.occupy(places, 60_000)
  if (!place.ok) throw new Error('full')
  return place.id
}

test('a place that is given back goes to whoever has waited longest, at once', async () => {
  vi.useFakeTimers()
  const { aws, budget } = house()
  const first = await held(budget)
  const order: string[] = []
  const ids = ['a', 'b'].map(async (name) => {
    const place = await waitForPlace(aws, places, full, idle)
    order.push(name)
    return place.ok ? place.id : ''
  })
  await giveBack(aws, first)
  await giveBack(aws, (await ids[0]) ?? '')
  expect(await ids[1]).not.toBe('')
  expect(order).toEqual(['a', 'b'])
  vi.useRealTimers()
})

test('what others give back is noticed too: the line looks, and asks', async () => {
  const { aws, budget } = house()
  const first = await held(budget)
  const look = vi.fn(async () => budget.vacate(first))
  expect(await waitForPlace(aws, places, full, { ...idle, everyMs: 1, look })).toMatchObject({ ok: true })
  expect(look).toHaveBeenCalledOnce()
})

test('whoever waits for something else keeps nobody from a place', async () => {
  vi.useFakeTimers()
  const { aws, budget } = house()
  const other = [{ name: 'account:1', max: 1 }]
  await budget.occupy(other, 60_000)
  const first = await held(budget)
  void waitForPlace(aws, other, full, { ...idle, ms: 1_000 })
  const place = waitForPlace(aws, places, full, idle)
  await giveBack(aws, first)
  expect(await place).toMatchObject({ ok: true })
  vi.useRealTimers()
})

test('the time is over, or the lease: out of the line, and a place that comes too late is given back', async () => {
  const asked = Promise.withResolvers<void>()
  const late = Promise.withResolvers<void>()
  const { aws, budget } = house((local) => ({
    occupy: async (...wanted) => {
      const place = await local.occupy(...wanted)
      if (place.ok) asked.resolve()
      await late.promise
      return place
    },
  }))
  const lease = new AbortController()
  const first = await held(budget)
  const place = waitForPlace(aws, places, full, { ...idle, signal: lease.signal })
  await giveBack(aws, first)
  await asked.promise
  lease.abort()
  expect(await place).toEqual(full)
  late.resolve()
  await expect.poll(async () => (await budget.occupy(places, 60_000)).ok, { interval: 1 }).toBe(true)
  expect(await waitForPlace(aws, places, full, { ...idle, ms: 1 })).toEqual(full)
  expect(aws.inProgress.line.size).toBe(0)
})

test('the database does not answer: whoever waits is not kept waiting', async () => {
  const { aws } = house(() => ({ occupy: async () => Promise.reject(new Error('gone')) }))
  expect(await waitForPlace(aws, places, full, idle)).toEqual(full)
})
