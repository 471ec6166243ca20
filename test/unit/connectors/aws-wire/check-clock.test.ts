import { expect, test } from 'vitest'
import { checkClock } from '../../../../src/connectors/aws-wire/check-clock.ts'

const date = 'Sat, 21 Nov 2026 21:42:17 GMT'
const now = Date.parse(date)

test.each([
  [-61_000, "the clock here is 61 s behind AWS's"],
  [61_000, "the clock here is 61 s ahead of AWS's"],
])('further apart than a minute (%d ms): which way', (off, problem) => {
  expect(checkClock(date, now + off).problems).toEqual([problem])
})

test('near enough, and not told', () => {
  expect(checkClock(date, now + 60_000)).toEqual({ problems: [], facts: ['clocks 60 s apart'] })
  for (const none of [null, 'soon'])
    expect(checkClock(none, now)).toEqual({ problems: [], unknown: [expect.stringContaining("AWS's clock")] })
})
