import { setTimeout as sleep } from 'node:timers/promises'
import type { Bucket, Budget, Draw } from '../budget.ts'
import type { EntraSettings } from './config.ts'
import { type Failure, failed, ok, type Result } from './errors.ts'

/** What a request costs. Of writes: one for each change, also inside a $batch. */
export type Cost = { readonly units: number; readonly writes: number; readonly isLow?: boolean }

export type Pacing = {
  /** Waits a little for its turn; what would take longer is a failure that says when to come again. */
  readonly turn: (cost: Cost, signal?: AbortSignal) => Promise<Result<null>>
  /** Graph says how near the limit we are, and what the request really cost. */
  readonly heard: (header: (name: string) => string | null | undefined, drawn: Cost) => Promise<void>
  /** Graph said no: nobody of ours asks before. */
  readonly stop: (failure: Failure, cost: Cost) => Promise<void>
}

/** https://learn.microsoft.com/graph/throttling-limits, identity and access service, app and tenant together. */
const unitsPer10s = { small: 3_500, medium: 5_000, large: 8_000 } as const
const writesPer150s = 3_000
/** Of the documented limits: what is in flight is not yet counted on both sides. */
const share = 0.99
/** Of the documented rate of writes: two clocks are never quite the same, and what `share` leaves outlasts their difference. */
const writeRateShare = 0.995

export const bucketsOf = ({
  tenantSize,
  limits,
}: Pick<EntraSettings, 'tenantSize' | 'limits'>): {
  readonly units: Bucket
  readonly writes: Bucket
  readonly low: Bucket
} => {
  const units = limits.resourceUnitsPer10s ?? unitsPer10s[tenantSize]
  const writes = limits.writesPer150s ?? writesPer150s
  return {
    units: { name: 'resource-units', capacity: units * share, perSecond: (units * share) / 10 },
    low: { name: 'low-priority-units', capacity: units * lowShare, perSecond: (units * lowShare) / 10 },
    writes: { name: 'writes', capacity: writes * share, perSecond: (writes * writeRateShare) / 150 },
  }
}

/** Graph refuses low priority first: such reads leave so much to everybody else. */
const lowShare = 0.75

/** So long a call waits for its turn; beyond it the lane waits instead. */
const patienceMs = 2_000
/**
 * From this part of the limit on Graph tells it (x-ms-throttle-limit-percentage), and requests are spread a little. Our own
 * budget keeps us just below 1: more than that means that it is not alone, and everybody pauses.
 */
const nearLimit = 0.8
const spreadMs = 20
const overLimitMs = 1_000

/**
 * However long Graph says: so soon a request finds out whether it still holds, for it is a leaver's way too. Whoever was
 * refused is told the whole time.
 */
const probeMs = 30_000

export const pauseFor = (percentage: string | null | undefined): number => {
  const used = Number(percentage ?? 0)
  if (!Number.isFinite(used) || used <= nearLimit) return 0
  if (used <= 1) return Math.round(((used - nearLimit) / (1 - nearLimit)) * spreadMs)
  return Math.round(used * overLimitMs)
}

export const createPacing = (
  budget: Budget,
  settings: Pick<EntraSettings, 'tenantSize' | 'limits'>,
  wait: (ms: number, signal?: AbortSignal) => Promise<unknown> = (ms, signal) => sleep(ms, null, { signal }),
): Pacing => {
  const buckets = bucketsOf(settings)
  const drawsOf = ({ units, writes, isLow }: Cost): readonly Draw[] => [
    ...(units > 0 ? [{ bucket: buckets.units, units }] : []),
    ...(units > 0 && isLow === true ? [{ bucket: buckets.low, units }] : []),
    ...(writes > 0 ? [{ bucket: buckets.writes, units: writes }] : []),
  ]
  return {
    turn: async (cost, signal) => {
      const draws = drawsOf(cost)
      let patience = patienceMs
      for (;;) {
        const taken = await budget.take(draws)
        if (taken.ok) return ok(null)
        if (taken.waitMs > patience) return failed(notNow(taken.waitMs, cost))
        patience -= Math.max(1, taken.waitMs)
        try {
          await wait(taken.waitMs, signal)
        } catch {
          return failed({ status: null, code: '', word: 'stopped', sent: false })
        }
      }
    },
    heard: async (header, { units }) => {
      const pauseMs = pauseFor(header('x-ms-throttle-limit-percentage'))
      if (pauseMs > 0) await budget.close(buckets.units, pauseMs)
      const real = Number(header('x-ms-resource-unit') ?? 0)
      if (real > units) await budget.take([{ bucket: buckets.units, units: real - units }])
    },
    stop: async ({ retryAfterMs = 0, scope = '' }, { writes, isLow }) => {
      // Others are still served.
      if (isLow === true) return budget.close(buckets.low, retryAfterMs)
      // Only where Graph names the limit of writes may reading go on.
      const onWritesOnly = writes > 0 && /write/i.test(scope)
      const forMs = Math.min(retryAfterMs, probeMs)
      await budget.close(buckets.writes, forMs)
      if (!onWritesOnly) await budget.close(buckets.units, forMs)
    },
  }
}

const notNow = (waitMs: number, { writes }: Cost): Failure => ({
  status: null,
  code: '',
  word: 'throttled',
  sent: false,
  retryAfterMs: waitMs,
  scope: writes > 0 ? 'writes' : 'resource-units',
})
