/**
 * The service's token buckets (throttling-limits, «Identity and access service limits»), one pair for each application in
 * the tenant: resource units per 10 s and writes per 150 s. What is refused counts too: asking again at once makes it worse.
 */
export type Limits = {
  readonly units: { readonly capacity: number; readonly perMs: number }
  readonly writes: { readonly capacity: number; readonly perMs: number }
  /** Retry-After with decimals, as the service has been seen to send it; null: none at all. */
  readonly retryAfter: 'fractional' | 'whole' | null
}

/** More than 500 users: 8,000 units per 10 s; 3,000 writes per 150 s. */
export const documentedLimits: Limits = {
  units: { capacity: 8_000, perMs: 8_000 / 10_000 },
  writes: { capacity: 3_000, perMs: 3_000 / 150_000 },
  retryAfter: 'whole',
}

export type Priority = 'Low' | 'Normal' | 'High'
export const priorityOf = (header: string | undefined): Priority => {
  const word = header?.toLowerCase()
  return word === 'low' ? 'Low' : word === 'high' ? 'High' : 'Normal'
}

/**
 * Used share of a limit up to which a request passes. Documented is only the order, and that the percentage goes from 0.8
 * to 1.8; where each ends is our guess.
 */
const passesUpTo: Readonly<Record<Priority, number>> = { Low: 0.8, Normal: 1, High: 1.2 }
const mostUsed = 1.8

type Bucket = { used: number; atMs: number }
export type Buckets = { readonly units: Bucket; readonly writes: Bucket }
export const fullBuckets = (): Buckets => ({ units: { used: 0, atMs: 0 }, writes: { used: 0, atMs: 0 } })

export type Draw = {
  readonly units: number
  readonly writes: number
  readonly priority: Priority
}
export type Drawn = {
  /** Used share of the fuller bucket, after this request. */
  readonly share: number
  /** null: it passes. */
  readonly refused: null | {
    readonly limit: 'Write' | 'ReadWrite'
    readonly information: 'WriteLimitExceeded' | 'ResourceUnitLimitExceeded'
    readonly retryAfterMs: number
  }
}

/** Changes the buckets; `nowMs` must never go back. */
export const draw = (buckets: Buckets, limits: Limits, wish: Draw, nowMs: number): Drawn => {
  const units = take(buckets.units, limits.units, wish.units, wish.priority, nowMs)
  const writes = take(buckets.writes, limits.writes, wish.writes, wish.priority, nowMs)
  const share = Math.max(units.share, writes.share)
  if (writes.waitMs > 0 && writes.waitMs >= units.waitMs)
    return { share, refused: { limit: 'Write', information: 'WriteLimitExceeded', retryAfterMs: writes.waitMs } }
  if (units.waitMs > 0)
    return {
      share,
      refused: { limit: 'ReadWrite', information: 'ResourceUnitLimitExceeded', retryAfterMs: units.waitMs },
    }
  return { share, refused: null }
}

const take = (
  bucket: Bucket,
  { capacity, perMs }: Limits['units'],
  wish: number,
  priority: Priority,
  nowMs: number,
): { readonly share: number; readonly waitMs: number } => {
  bucket.used = Math.max(0, bucket.used - (nowMs - bucket.atMs) * perMs)
  bucket.atMs = nowMs
  if (wish === 0) return { share: bucket.used / capacity, waitMs: 0 }
  const over = bucket.used + wish - capacity * passesUpTo[priority]
  // A wish beyond the whole capacity passes when nothing is used: it would wait for ever.
  const waitMs = over <= 1e-9 || bucket.used === 0 ? 0 : Math.ceil(over / perMs - 1e-6)
  bucket.used = Math.min(bucket.used + wish, Math.max(capacity * mostUsed, wish))
  return { share: bucket.used / capacity, waitMs }
}

/** «$select decreases cost by 1, $expand increases it by 1, $top below 20 decreases it by 1; never lower than 1». */
export const costOf = (
  base: number,
  {
    hasSelect,
    hasExpand,
    top,
  }: { readonly hasSelect: boolean; readonly hasExpand: boolean; readonly top: number | null },
): number => Math.max(1, base - (hasSelect ? 1 : 0) + (hasExpand ? 1 : 0) - (top !== null && top < 20 ? 1 : 0))

/** «Returned only when the application consumed more than 0.8 of its limit. The value ranges from 0.8 to 1.8». */
export const percentageHeader = (share: number): string | undefined =>
  share > 0.8 ? String(Math.round(Math.min(share, mostUsed) * 100) / 100) : undefined

export const retryAfterHeader = (waitMs: number, form: Limits['retryAfter']): string | undefined => {
  if (form === null) return undefined
  return form === 'fractional' ? (Math.ceil(waitMs) / 1000).toFixed(3) : String(Math.max(1, Math.ceil(waitMs / 1000)))
}
