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
}

/** The zone whose days begin first on Earth: a termination that names no known zone ends access with it. */
export const earliestZone = 'Etc/GMT-14'

const dateForm = /^(\d{4})-(\d{2})-(\d{2})$/
const instantForm = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/
const impossible: Moment = { fault: 'impossible-date' }

/** HR systems write the last day of this year for "open-ended". */
const endlessYear = 9999

export const isDate = (written: string): boolean => {
  const [, year, month, day] = dateForm.exec(written) ?? []
  return year !== undefined && exists(Number(year), Number(month), Number(day))
}

/** `remembered`: how many (zone, date) pairs at most. */
export const createCalendar = (remembered = 4096): Calendar => {
  const known = new Map<string, Moment>()

  const startOf = (year: number, month: number, day: number, zone: string): Moment => {
    const key = `${(year * 16 + month) * 32 + day} ${zone}`
    const found = known.get(key)
    if (found !== undefined) {
      known.delete(key)
      known.set(key, found)
      return found
    }
    const moment = resolve(year, month, day, zone)
    if (known.size >= remembered) known.delete(known.keys().next().value ?? '')
    known.set(key, moment)
    return moment
  }

  const instant = (written: string): Moment => {
    const parts = instantForm.exec(written)
    if (parts === null) return impossible
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.slice(1, 7).map(Number)
    const away = Number(parts[9] ?? 0) * 60 + Number(parts[10] ?? 0)
    if (!exists(year, month, day) || year === endlessYear || hour > 23 || minute > 59 || second > 60) return impossible
    if (Number(parts[9] ?? 0) > 23 || Number(parts[10] ?? 0) > 59) return impossible
    const fraction = Number((parts[7] ?? '').padEnd(3, '0').slice(0, 3))
    // A leap second is the last millisecond before it: epoch time does not know it.
    const inSecond = second === 60 ? 59_999 : second * 1000 + fraction
    const local = Date.UTC(year, month - 1, day, hour, minute) + inSecond
    return { at: (local - (parts[8] === '-' ? -away : away) * 60_000) as Instant }
  }

  const onDate = (written: string, zone: string, days: 0 | 1): Moment => {
    const parts = dateForm.exec(written)
    if (parts === null) return instant(written)
    const [year = 0, month = 0, day = 0] = parts.slice(1, 4).map(Number)
    if (!exists(year, month, day)) return impossible
    if (days === 0) return startOf(year, month, day, zone)
    const next = new Date(Date.UTC(year, month - 1, day + 1))
    return startOf(next.getUTCFullYear(), next.getUTCMonth() + 1, next.getUTCDate(), zone)
  }

  return {
    begin: (written, zone) => (written.startsWith(`${endlessYear}-`) ? impossible : onDate(written, zone, 0)),
    end: (written, zone) =>
      isDate(written) && written.startsWith(`${endlessYear}-`) ? null : onDate(written, zone, 1),
    instant,
  }
}

const daysIn = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** From 1800 on: the earliest "since ever" that HR systems write, and moments that every part here can hold. */
const exists = (year: number, month: number, day: number): boolean => {
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return year >= 1800 && day >= 1 && day <= (daysIn[month - 1] ?? 0) + (leap ? 1 : 0)
}

/** Where midnight does not exist (clocks sprang over it, or a whole day was skipped), the first instant after it. */
const resolve = (year: number, month: number, day: number, zone: string): Moment => {
  try {
    const start = new Temporal.PlainDate(year, month, day).toZonedDateTime(zone)
    return { at: start.epochMilliseconds as Instant }
  } catch {
    return { fault: 'unknown-zone' }
  }
}
