import { Temporal } from 'temporal-polyfill'
import type { Instant } from '../domain/instant.ts'

/** Why a written date or time is no moment. */
export type DateFault = 'impossible-date' | 'unknown-zone'
export type Moment = { readonly at: Instant } | { readonly fault: DateFault }

/** Resolves what HR writes to moments. A feed has few dates and zones, and Temporal is slow: both are remembered. */
export type Calendar = {
  /** A date's first existing instant in the zone, or the instant that is written. */
  readonly begin: (written: string, zone: string) => Moment
  /** The end of a date in the zone (the first instant of the next), or the instant that is written. null: never. */
  readonly end: (written: string, zone: string) => Moment | null
  /** An RFC 3339 instant. */
  readonly instant: (written: string) => Moment
  readonly isZone: (zone: string) => boolean
}

/** The zone whose days begin first on Earth: a termination that names no known zone ends access with it. */
export const earliestZone = 'Etc/GMT-14'

const impossible: Moment = { fault: 'impossible-date' }

/** HR systems write the last day of this year for "open-ended". */
const endlessYear = 9999

export const isDate = (written: string): boolean => dateOf(written) !== null

/** `remembered`: how many (zone, date) pairs at most. */
export const createCalendar = (remembered = 4096): Calendar => {
  const begins = memory(remembered, (written: string, zone: string): Moment => {
    const date = dateOf(written)
    return date === null || date.year === endlessYear ? impossible : startOf(date, zone)
  })
  const ends = memory(remembered, (written: string, zone: string): Moment | null => {
    const date = dateOf(written)
    if (date === null) return impossible
    if (date.year === endlessYear) return null
    const next = new Date(Date.UTC(date.year, date.month - 1, date.day + 1))
    return startOf({ year: next.getUTCFullYear(), month: next.getUTCMonth() + 1, day: next.getUTCDate() }, zone)
  })
  return {
    begin: (written, zone) => (written.length === 10 ? begins(written, zone) : instantOf(written)),
    end: (written, zone) => (written.length === 10 ? ends(written, zone) : instantOf(written)),
    instant: instantOf,
    isZone: (zone) => !('fault' in begins('2000-01-01', zone)),
  }
}

/** Remembers the answers of late, zone by zone; forgets all of them when they are too many. */
const memory = <T extends object | null>(
  most: number,
  answer: (written: string, zone: string) => T,
): ((written: string, zone: string) => T) => {
  let zones = new Map<string, Map<string, T>>()
  let kept = 0
  return (written, zone) => {
    const known = zones.get(zone)?.get(written)
    if (known !== undefined) return known
    const fresh = answer(written, zone)
    if (kept++ >= most) {
      zones = new Map()
      kept = 1
    }
    const answers = zones.get(zone) ?? new Map<string, T>()
    zones.set(zone, answers.set(written, fresh))
    return fresh
  }
}

type Day = { readonly year: number; readonly month: number; readonly day: number }

/** Where midnight does not exist (clocks sprang over it, or a whole day was skipped), the first instant after it. */
const startOf = ({ year, month, day }: Day, zone: string): Moment => {
  try {
    const start = new Temporal.PlainDate(year, month, day).toZonedDateTime(zone)
    return { at: start.epochMilliseconds as Instant }
  } catch {
    return { fault: 'unknown-zone' }
  }
}

/** YYYY-MM-DD at the beginning of a text. */
const dayAt = (written: string): Day | null => {
  if (written.charCodeAt(4) !== dash || written.charCodeAt(7) !== dash) return null
  const year = digits(written, 0, 4)
  const month = digits(written, 5, 2)
  const day = digits(written, 8, 2)
  return exists(year, month, day) ? { year, month, day } : null
}

const dateOf = (written: string): Day | null => (written.length === 10 ? dayAt(written) : null)

/** YYYY-MM-DDThh:mm:ss[.fraction](Z|±hh:mm), without a regular expression: two of them stand in every event. */
const instantOf = (written: string): Moment => {
  const date = dayAt(written)
  if (date === null || date.year === endlessYear || (written.charCodeAt(10) | 32) !== letterT) return impossible
  if (written.charCodeAt(13) !== colon || written.charCodeAt(16) !== colon) return impossible
  const hour = digits(written, 11, 2)
  const minute = digits(written, 14, 2)
  const second = digits(written, 17, 2)
  if (!(hour <= 23 && minute <= 59 && second <= 60)) return impossible
  let at = 19
  let fraction = 0
  if (written.charCodeAt(at) === point) {
    const from = ++at
    while (isDigit(written.charCodeAt(at))) at++
    if (at === from || at - from > 9) return impossible
    fraction = digits(written, from, Math.min(3, at - from)) * 10 ** Math.max(0, 3 - (at - from))
  }
  const away = zoneMinutes(written, at)
  // A leap second is the last millisecond before it: epoch time does not know it.
  const inSecond = second === 60 ? 59_999 : second * 1000 + fraction
  const local = Date.UTC(date.year, date.month - 1, date.day, hour, minute) + inSecond
  return Number.isNaN(away) ? impossible : { at: (local - away * 60_000) as Instant }
}

/** Minutes east of UTC of what stands at the end of an instant; NaN when it is no offset, or not at the end. */
const zoneMinutes = (written: string, at: number): number => {
  const sign = written.charCodeAt(at)
  if ((sign | 32) === letterZ) return at + 1 === written.length ? 0 : Number.NaN
  if ((sign !== plus && sign !== dash) || written.length !== at + 6 || written.charCodeAt(at + 3) !== colon)
    return Number.NaN
  const hours = digits(written, at + 1, 2)
  const minutes = digits(written, at + 4, 2)
  return hours <= 23 && minutes <= 59 ? (sign === dash ? -1 : 1) * (hours * 60 + minutes) : Number.NaN
}

const dash = 45
const plus = 43
const point = 46
const colon = 58
const letterT = 116
const letterZ = 122

const isDigit = (code: number): boolean => code >= 48 && code <= 57

/** NaN unless all of them are digits. */
const digits = (written: string, from: number, count: number): number => {
  let value = 0
  for (let at = from; at < from + count; at++) {
    const code = written.charCodeAt(at)
    if (!isDigit(code)) return Number.NaN
    value = value * 10 + code - 48
  }
  return value
}

const daysIn = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** From 1800 on: the earliest "since ever" that HR systems write, and moments that every part here can hold. */
const exists = (year: number, month: number, day: number): boolean => {
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return year >= 1800 && day >= 1 && day <= (daysIn[month - 1] ?? 0) + (leap ? 1 : 0)
}
