import type { CheckReport } from '../connector.ts'

/** AWS refuses a signature that is five minutes off. */
const maxSkewSeconds = 60

/** How far the `Date` of an answer of AWS is from our clock, ms since 1970. */
export const checkClock = (date: string | null, now: number): Omit<CheckReport, 'ok'> => {
  const seconds = Math.round((Date.parse(date ?? '') - now) / 1_000)
  if (Number.isNaN(seconds)) return { problems: [], unknown: ["AWS's clock (its answer has no date)"] }
  const apart = Math.abs(seconds)
  return apart > maxSkewSeconds
    ? { problems: [`the clock here is ${apart} s ${seconds > 0 ? 'behind' : 'ahead of'} AWS's`] }
    : { problems: [], facts: [`clocks ${apart} s apart`] }
}
