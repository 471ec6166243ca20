import { median, type Spread, spreadOf } from '../measure/spread.ts'
import type { Line } from '../row.ts'

const digits = (value: number): string =>
  Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2)

/** `6,120 ms (5,980–6,400, n = 5)` */
export const rangeText = (values: readonly number[], unit: string): string => {
  if (values.length === 0) return '-'
  const { median: middle, min, max, n } = spreadOf(values)
  return n === 1 ? `${digits(middle)} ${unit}` : `${digits(middle)} ${unit} (${digits(min)}–${digits(max)}, n = ${n})`
}

export const valueText = ({ value, unit }: Line): string => {
  const tail = unit === '×' ? '×' : unit === 'MB' ? ' MB' : ''
  return value.n === 1
    ? `${digits(value.median)}${tail}`
    : `${digits(value.median)}${tail} (${digits(value.min)}–${digits(value.max)})`
}

export const goalText = ({ goal, unit }: Line, which: 'reach' | 'aim'): string => {
  if (goal === null) return '-'
  return `${goal.better === 'less' ? '≤' : '≥'} ${goal[which]}${unit === '×' ? '×' : unit === 'MB' ? ' MB' : ''}`
}

type Used = { readonly ms: number; readonly processor: Readonly<Record<string, number>> }

/** Who used the processors while it ran: medians of seconds, and how busy they were. */
export const processorText = (runs: readonly Used[], processors = navigator.hardwareConcurrency): string => {
  const parts = Object.keys(runs[0]?.processor ?? {})
  const of = (part: string) => median(runs.map(({ processor }) => processor[part] ?? 0))
  const busy = median(
    runs.map(
      ({ ms, processor }) => Object.values(processor).reduce((sum, s) => sum + s, 0) / (ms / 1_000) / processors,
    ),
  )
  return `processor seconds: ${parts.map((part) => `${part} ${of(part).toFixed(2)}`).join(', ')}; ${(busy * 100).toFixed(0)} % of ${processors} processors`
}

export const spreadText = ({ median: middle, min, max, n }: Spread): string =>
  `${digits(middle)} (${digits(min)}–${digits(max)}, n = ${n})`
