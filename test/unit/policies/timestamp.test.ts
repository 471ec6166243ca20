import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readTimestamp, writeTimestamp } from '../../../src/policies/timestamp.ts'
import { at } from '../domain/events.ts'

test('reads what Date reads, for any moment and offset', () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9998-12-31T00:00:00Z'), noInvalidDate: true }),
      fc.integer({ min: -840, max: 840 }),
      (date, offset) => {
        const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, -1)
        const sign = offset < 0 ? '-' : '+'
        const zone = `${sign}${String(Math.floor(Math.abs(offset) / 60)).padStart(2, '0')}:${String(Math.abs(offset) % 60).padStart(2, '0')}`
        fc.pre(/^\d{4}-/.test(local))
        expect(readTimestamp(`${local}${zone}`)).toBe(date.getTime())
      },
    ),
  )
})

test('writes what it reads', () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }),
      (date) => {
        const text = writeTimestamp(at(date.getTime()))
        expect(text).toBe(date.toISOString().replace('.000Z', 'Z'))
        expect(readTimestamp(text)).toBe(date.getTime())
      },
    ),
  )
})

test.each([
  '2026-01-01',
  '2026-01-01T00:00:00',
  '2026-13-01T00:00:00Z',
  '2025-02-29T00:00:00Z',
  '2026-01-01T24:00:00Z',
  '2026-01-01T00:00:60Z',
  'tomorrow',
  '',
])('%j is none', (text) => {
  expect(readTimestamp(text)).toBe(null)
})
