import type { Instant } from '../domain/instant.ts'

const pattern =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/

/** An RFC 3339 moment (the zone is not optional) in milliseconds, or null when it is none or does not exist. */
export const readTimestamp = (text: string): Instant | null => {
  const found = pattern.exec(text)
  if (found === null) return null
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const offset = (found[8] === '-' ? -1 : 1) * (Number(found[9] ?? 0) * 60 + Number(found[10] ?? 0))
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return null
  if (hour > 23 || minute > 59 || second > 59 || Math.abs(offset) >= 24 * 60) return null
  const millis = Number((found[7] ?? '').slice(0, 3).padEnd(3, '0'))
  return ((((daysSinceEpoch(year, month, day) * 24 + hour) * 60 + minute - offset) * 60 + second) * 1000 +
    millis) as Instant
}

const isLeap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0

const daysIn = (year: number, month: number): number =>
  month === 2 ? (isLeap(year) ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31

/** Proleptic Gregorian calendar; years begin in March so that the leap day comes last. */
const daysSinceEpoch = (year: number, month: number, day: number): number => {
  const shifted = month > 2 ? year : year - 1
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

/** As RFC 3339 in UTC, whole seconds unless there are milliseconds: 2026-12-01T00:00:00Z. */
export const writeTimestamp = (at: Instant): string => {
  const days = Math.floor(at / 86_400_000)
  const inDay = at - days * 86_400_000
  const era = Math.floor((days + 719_468) / 146_097)
  const dayOfEra = days + 719_468 - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shifted = Math.floor((5 * dayOfYear + 2) / 153)
  const month = shifted < 10 ? shifted + 3 : shifted - 9
  const date = [
    String(yearOfEra + era * 400 + (month <= 2 ? 1 : 0)).padStart(4, '0'),
    two(month),
    two(dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1),
  ]
  const millis = inDay % 1000
  const time = [Math.floor(inDay / 3_600_000), Math.floor(inDay / 60_000) % 60, Math.floor(inDay / 1000) % 60].map(two)
  return `${date.join('-')}T${time.join(':')}${millis === 0 ? '' : `.${String(millis).padStart(3, '0')}`}Z`
}

const two = (part: number): string => String(part).padStart(2, '0')
