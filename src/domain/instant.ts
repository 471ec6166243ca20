/** A moment, in milliseconds since 1970-01-01T00:00:00Z. The pure folders know no other notion of time. */
export type Instant = number & { readonly __brand: 'Instant' }

/** Half-open: from ≤ t < to; `to: null` never ends. */
export type Interval = { readonly from: Instant; readonly to: Instant | null }

export const contains = (interval: Interval, at: Instant): boolean =>
  interval.from <= at && (interval.to === null || at < interval.to)

/** Earlier of two moments, where null stands for "never". */
export const earlier = (a: Instant | null, b: Instant | null): Instant | null =>
  a === null ? b : b === null ? a : a < b ? a : b
