import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createCalendar, earliestZone, isDate } from '../../../src/consumers/calendar.ts'
import { at } from './arrivals.ts'

const calendar = createCalendar()

describe('a date begins at its first existing instant in its zone', () => {
  test.each<[string, string, string]>([
    ['2026-12-01', 'Asia/Kolkata', '2026-11-30T18:30:00Z'],
    ['2026-07-01', 'Europe/Berlin', '2026-06-30T22:00:00Z'],
    ['2026-01-01', 'UTC', '2026-01-01T00:00:00Z'],
    ['2026-01-01', earliestZone, '2025-12-31T10:00:00Z'],
    // Clocks sprang from 0:00 to 1:00.
    ['2018-11-04', 'America/Sao_Paulo', '2018-11-04T03:00:00Z'],
    // Samoa skipped this day altogether.
    ['2011-12-30', 'Pacific/Apia', '2011-12-30T10:00:00Z'],
    // Midnight came twice: the first counts.
    ['2018-02-18', 'America/Sao_Paulo', '2018-02-18T03:00:00Z'],
  ])('%s in %s: %s', (date, zone, instant) => {
    expect(calendar.begin(date, zone)).toEqual({ at: at(instant) })
  })

  test('and ends where the next begins', () => {
    expect(calendar.end('2018-11-03', 'America/Sao_Paulo')).toEqual({ at: at('2018-11-04T03:00:00Z') })
    expect(calendar.end('2026-12-31', 'UTC')).toEqual({ at: at('2027-01-01T00:00:00Z') })
    expect(calendar.end('2028-02-28', 'UTC')).toEqual({ at: at('2028-02-29T00:00:00Z') })
    expect(calendar.end('9999-12-31', 'UTC')).toBeNull()
  })

  test('in a zone that is none it never does', () => {
    for (const zone of ['Mars/Olympus', '', '__proto__', 'Europe/Berlin\n'])
      expect(calendar.begin('2026-01-01', zone)).toEqual({ fault: 'unknown-zone' })
  })
})

describe('an instant is RFC 3339', () => {
  test.each<[string, string]>([
    ['2026-12-01T08:00:00Z', '2026-12-01T08:00:00Z'],
    ['2026-12-01t08:00:00z', '2026-12-01T08:00:00Z'],
    ['2026-12-01T08:00:00.123456789+05:30', '2026-12-01T02:30:00.123Z'],
    ['2026-12-01T08:00:00.5-00:30', '2026-12-01T08:30:00.500Z'],
    ['2016-12-31T23:59:60Z', '2016-12-31T23:59:59.999Z'],
  ])('%s', (written, instant) => {
    expect(calendar.instant(written)).toEqual({ at: at(instant) })
  })

  test.each([
    '2026-12-01',
    '2026-12-01T08:00Z',
    '2026-12-01 08:00:00Z',
    '2026-12-01T08:00:00',
    '2026-12-01T24:00:00Z',
    '2026-12-01T08:60:00Z',
    '2026-02-29T08:00:00Z',
    '2026-12-01T08:00:00+24:00',
    '2026-12-01T08:00:00+05:60',
    '1799-12-31T00:00:00Z',
    '9999-01-01T00:00:00Z',
    '+02026-12-01T08:00:00Z',
    '',
  ])('%s is none', (written) => {
    expect(calendar.instant(written)).toEqual({ fault: 'impossible-date' })
  })
})

test('isDate agrees with the calendar', () => {
  expect(['2026-02-28', '2028-02-29', '2000-02-29'].map(isDate)).toEqual([true, true, true])
  expect(['2026-02-29', '1900-02-29', '2026-00-10', '2026-04-31', '2026-1-1', '20260101'].map(isDate)).toEqual([
    false,
    false,
    false,
    false,
    false,
    false,
  ])
})

test('what is remembered is what would be computed, also when the memory is small', () => {
  const small = createCalendar(3)
  const zones = ['Asia/Kolkata', 'America/Sao_Paulo', 'Europe/Berlin', 'Mars/Olympus', earliestZone]
  const day = fc
    .date({ min: new Date('1970-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
    .map((date) => date.toISOString().slice(0, 10))
  fc.assert(
    fc.property(fc.array(fc.tuple(day, fc.constantFrom(...zones)), { maxLength: 20 }), (asked) => {
      for (const [date, zone] of [...asked, ...asked]) {
        expect(small.begin(date, zone)).toEqual(createCalendar().begin(date, zone))
        expect(small.end(date, zone)).toEqual(createCalendar().end(date, zone))
      }
    }),
    { numRuns: 50 },
  )
})
