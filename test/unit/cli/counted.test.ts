import { expect, test } from 'vitest'
import { counted } from '../../../src/cli/counted.ts'

test('one is singular, all others are not', () => {
  expect([0, 1, 2].map((count) => counted(count, 'event'))).toEqual(['0 events', '1 event', '2 events'])
  expect(counted(2, 'SoD policy', 'SoD policies')).toBe('2 SoD policies')
})
