import { z } from 'zod'

const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** `500ms`, `30s`, `5m`, `24h`, `7d` → milliseconds, which must lie in [min, max]. */
export const duration = (min: string, max: string) =>
  z
    .string()
    .regex(/^\d+(ms|s|m|h|d)$/, 'write a whole number with its unit: 500ms, 30s, 5m, 24h, 7d')
    .refine((text) => inRange(text, min, max), `must lie between ${min} and ${max}`)
    .transform(milliseconds)

const milliseconds = (text: string): number => {
  const [, amount = '', unit = ''] = /^(\d+)(\D+)$/.exec(text) ?? []
  return Number(amount) * (units[unit as keyof typeof units] ?? Number.NaN)
}

const inRange = (text: string, min: string, max: string): boolean => {
  const ms = milliseconds(text)
  return Number.isNaN(ms) || (ms >= milliseconds(min) && ms <= milliseconds(max))
}
