import { expect, test } from 'vitest'
import { createUsualTime, nextLookMs } from '../../../../src/connectors/aws/usual-time.ts'

test('the median of what was seen: between the last look that found it at work and the first that did not', () => {
  const usual = createUsualTime()
  expect(usual.ms()).toBe(1_000)
  usual.tookUpTo(3_200, 2_800)
  usual.tookUpTo(3_400, 3_000)
  // One that hung moves nothing.
  usual.tookUpTo(60_000, 50_000)
  expect(usual.ms()).toBe(3_200)
  for (let n = 0; n < 9; n += 1) usual.tookUpTo(1_100, 900)
  expect(usual.ms()).toBe(1_000)
})

test('over at every first look: looked for earlier and earlier, whatever the look before was late by', () => {
  const usual = createUsualTime()
  for (let n = 0; n < 9; n += 1) usual.tookUpTo(4_100, 3_900)
  for (let n = 0; n < 60; n += 1) usual.tookUpTo(usual.ms() + 400, null)
  expect(usual.ms()).toBeLessThan(2_000)
})

test.each([
  ['before it began', -300_000, -290_000, 0],
  ['before it began, at the first look', -300_000, null, 0],
  ['an hour after', 3_600_000, 3_590_000, 60_000],
])(
  'the clocks of two machines are minutes apart, and it was over %s: no time that could not be',
  (_, age, seen, ms) => {
    const usual = createUsualTime()
    usual.tookUpTo(age, seen)
    expect(usual.ms()).toBe(ms)
  },
)

test.each([
  ['of the usual time', 3_000, 0, 3_000],
  ['never sooner than after a second', 200, 0, 1_000],
  ['what is left of it', 3_000, 1_000, 2_000],
  ['then soon again', 3_000, 3_100, 517],
  ['and less and less often', 3_000, 12_000, 2_000],
  ['but never for long', 3_000, 600_000, 5_000],
])('the next look: %s', (_, usualMs, age, ms) => {
  expect(nextLookMs(usualMs, age)).toBe(ms)
})
