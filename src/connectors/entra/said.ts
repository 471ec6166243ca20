import { z } from 'zod'
import type { Said } from './errors.ts'

/** An error body: inner errors nest, and 5xx of a proxy are HTML. */
const errorBody = z.object({
  error: z.object({
    code: z.string().optional().catch(undefined),
    message: z.string().optional().catch(undefined),
    innerError: z.object({ 'request-id': z.string().optional() }).optional().catch(undefined),
  }),
})

type Header = (name: string) => string | null | undefined

/** Retry-After: seconds, also fractions of one, or a date (RFC 9110 §10.2.3). null: not said, or not legible. */
export const retryAfterMs = (value: string | null | undefined, now: number): number | null => {
  if (value === null || value === undefined || value.trim() === '') return null
  const seconds = Number(value)
  if (Number.isFinite(seconds)) return seconds < 0 ? null : Math.ceil(seconds * 1_000)
  const at = Date.parse(value)
  return Number.isNaN(at) ? null : Math.max(0, at - now)
}

/** What an answer other than 2xx says. */
export const said = (status: number, header: Header, body: unknown, now: number): Said => {
  const parsed = errorBody.safeParse(body)
  const error = parsed.success ? parsed.data.error : undefined
  return {
    status,
    code: error?.code ?? '',
    message: error?.message ?? '',
    requestId: header('request-id') ?? error?.innerError?.['request-id'] ?? '',
    retryAfterMs: retryAfterMs(header('retry-after'), now),
    scope: `${header('x-ms-throttle-scope') ?? ''} ${header('x-ms-throttle-information') ?? ''}`.trim(),
  }
}

/** null: no JSON. */
export const parseJson = (text: string): unknown => {
  if (text === '') return null
  try {
    return JSON.parse(text) as unknown
  } catch {
    return null
  }
}
