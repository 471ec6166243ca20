import type { Lane } from '../domain/action.ts'

/** What a target allows in a time: a token bucket. Its name is unique on the target. */
export type Bucket = {
  readonly name: string
  /** Units it holds when nobody has taken for long: the burst. */
  readonly capacity: number
  readonly perSecond: number
}

export type Draw = { readonly bucket: Bucket; readonly units: number }
/** At most `max` callers at once hold a place of this name. */
export type Place = { readonly name: string; readonly max: number }

export type Taken = { readonly ok: true } | { readonly ok: false; readonly waitMs: number }
export type Occupied = { readonly ok: true; readonly id: string } | { readonly ok: false; readonly waitMs: number }

/**
 * The rate budget of one target. All lanes and processes of an installation share it, so that no two of them overdraw
 * together; leavers draw first. Asks Postgres, not Redis: without Redis the limits hold all the same.
 */
export type Budget = {
  /** All of these or none. Refused: ask again after `waitMs`. */
  readonly take: (draws: readonly Draw[]) => Promise<Taken>
  /** The target itself said to wait: nobody takes from this bucket before. */
  readonly close: (bucket: Bucket, forMs: number) => Promise<void>
  /** A place under each of these names, or none at all; ended by `vacate`, or after `forMs` whoever forgot it. */
  readonly occupy: (places: readonly Place[], forMs: number) => Promise<Occupied>
  /** Whether the place is still the caller's; then it lasts `forMs` from now. What has run out is not had back. */
  readonly renew: (id: string, forMs: number) => Promise<boolean>
  readonly vacate: (id: string) => Promise<void>
}

/** For the handful of calls by which a human looks at a target without a database. */
export const boundless: Budget = {
  take: async () => ({ ok: true }),
  close: async () => {},
  occupy: async () => ({ ok: true, id: '' }),
  renew: async () => true,
  vacate: async () => {},
}

/** Of a bucket, what bulk work leaves for leavers. Costs no rate: it is refilled all the same. */
export const leaversShare = 0.1

/** What bulk work must leave in the bucket so that a leaver finds some. */
export const floorOf = ({ capacity }: Bucket, lane: Lane): number => (lane === 'leaver' ? 0 : capacity * leaversShare)

/** Ms until `units` may be taken from a bucket that holds `level` now; 0 = at once. A wish beyond the capacity never waits for ever. */
export const waitFor = (bucket: Bucket, level: number, units: number, lane: Lane): number => {
  const needed = Math.min(units + floorOf(bucket, lane), bucket.capacity)
  return level >= needed ? 0 : Math.ceil(((needed - level) / bucket.perSecond) * 1_000)
}
