/** Throttling as a request meets it: passes, or 429 with the documented headers. Each application has its own buckets. */
import type { Answer } from './answer.ts'
import type { Clock } from './clock.ts'
import { tooMany } from './errors.ts'
import {
  type Buckets,
  type Draw,
  draw,
  fullBuckets,
  type Limits,
  type Priority,
  percentageHeader,
  retryAfterHeader,
} from './throttle.ts'

export type Gate = {
  readonly pass: (appId: string, priority: Priority, cost: Omit<Draw, 'priority'>) => Passed
  /** null: nothing is throttled. Begins with full buckets. */
  readonly set: (limits: Limits | null) => void
}
export type Passed = {
  readonly refused: Answer | null
  /** For x-ms-throttle-limit-percentage. */
  readonly percentage: string | undefined
}

export const openGate = (first: Limits | null, tenantId: string, clock: Clock): Gate => {
  let limits = first
  const buckets = new Map<string, Buckets>()
  return {
    pass: (appId, priority, cost) => {
      if (limits === null) return { refused: null, percentage: undefined }
      let mine = buckets.get(appId)
      if (mine === undefined) buckets.set(appId, (mine = fullBuckets()))
      const { share, refused } = draw(mine, limits, { ...cost, priority }, clock.monotonicMs())
      const percentage = percentageHeader(share)
      if (refused === null) return { refused, percentage }
      const retryAfter = retryAfterHeader(refused.retryAfterMs, limits.retryAfter)
      const headers = {
        ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }),
        ...(percentage === undefined ? {} : { 'x-ms-throttle-limit-percentage': percentage }),
        'x-ms-throttle-scope': `Tenant_Application/${refused.limit}/${appId}/${tenantId}`,
        'x-ms-throttle-information': refused.information,
      }
      return { refused: tooMany(headers), percentage }
    },
    set: (changed) => {
      limits = changed
      buckets.clear()
    },
  }
}
