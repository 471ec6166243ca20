import { expect, test } from 'vitest'
import { gatherDraws } from '../../../src/app/gather-draws.ts'
import type { Budget, Draw, Taken } from '../../../src/connectors/budget.ts'

const calls = { name: 'calls', capacity: 10, perSecond: 1 }
const writes = { name: 'writes', capacity: 4, perSecond: 1 }
const wish = (units: number, bucket = calls): readonly Draw[] => [{ bucket, units }]

/** A bucket of `level` units in place of the database's, and what was asked of it. */
const counting = (level: number) => {
  const asked: (readonly (readonly [string, number])[])[] = []
  let left = level
  const take: Budget['take'] = async (draws) => {
    asked.push(draws.map(({ bucket, units }) => [bucket.name, units] as const))
    const units = draws.reduce((sum, draw) => sum + draw.units, 0)
    if (units > left) return { ok: false, waitMs: 7 }
    left -= units
    return { ok: true }
  }
  return { asked, take, left: () => left }
}
const noFloor = () => 0
const oks = (answers: readonly Taken[]) => answers.map(({ ok }) => ok)

test('those who ask at once ask together', async () => {
  const bucket = counting(10)
  const take = gatherDraws(bucket.take, noFloor)
  expect(oks(await Promise.all([take(wish(1)), take(wish(2)), take(wish(1, writes))]))).toEqual([true, true, true])
  expect(bucket.asked).toEqual([
    [
      ['calls', 3],
      ['writes', 1],
    ],
  ])
})

test('those who ask while others are asked for are next, together', async () => {
  const bucket = counting(10)
  const under = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const take = gatherDraws(async (draws) => {
    begun.resolve()
    await under.promise
    return bucket.take(draws)
  }, noFloor)
  const first = take(wish(1))
  await begun.promise
  const others = [take(wish(2)), take(wish(3))]
  under.resolve()
  expect(oks(await Promise.all([first, ...others]))).toEqual([true, true, true])
  expect(bucket.asked).toEqual([[['calls', 1]], [['calls', 5]]])
})

test('where there is not enough for all, each is answered for itself, in its order', async () => {
  const bucket = counting(3)
  const take = gatherDraws(bucket.take, noFloor)
  expect(await Promise.all([take(wish(2)), take(wish(2)), take(wish(1))])).toEqual([
    { ok: true },
    { ok: false, waitMs: 7 },
    { ok: true },
  ])
  expect(bucket.left()).toBe(0)
})

test.each([
  ['more than a bucket holds', 11, noFloor],
  ['more than may be taken from it', 10, () => 1],
])('%s is never asked for as a sum', async (_, units, floor) => {
  const bucket = counting(100)
  const take = gatherDraws(bucket.take, floor)
  await Promise.all([take(wish(units - 1)), take(wish(1))])
  expect(bucket.asked).toEqual([[['calls', units - 1]], [['calls', 1]]])
})

test('an error reaches everybody who asked, and the next are asked for again', async () => {
  const bucket = counting(10)
  let down = true
  const take = gatherDraws(async (draws) => {
    if (down) throw new Error('away')
    return bucket.take(draws)
  }, noFloor)
  const answers = await Promise.allSettled([take(wish(1)), take(wish(1))])
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  down = false
  expect(await take(wish(1))).toEqual({ ok: true })
})
