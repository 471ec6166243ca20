import type { NativeId } from '../../domain/ids.ts'

/**
 * How many values one modify carries, by the time that the last ones took (DESIGN §3): a leaver that waits behind a bulk
 * modify waits for one of these.
 */
export type Pace = {
  readonly size: (change: 'add' | 'delete') => number
  readonly took: (change: 'add' | 'delete', values: number, ms: number) => void
  /** Remembers how large a group was when it was read: decides only how it is read next time. */
  readonly saw: (group: NativeId, members: number) => void
  readonly lastSize: (group: NativeId) => number
}

const most = 500
const least = 8
const tooSlowMs = 20
const quickMs = 10

export const createPace = (): Pace => {
  const sizes = { add: most, delete: most }
  const groups = new Map<NativeId, number>()
  return {
    size: (change) => sizes[change],
    took: (change, values, ms) => {
      const size = sizes[change]
      if (ms > tooSlowMs) sizes[change] = Math.max(least, Math.floor(Math.min(size, values) / 2))
      else if (ms < quickMs && values >= size) sizes[change] = Math.min(most, size * 2)
    },
    saw: (group, members) => void groups.set(group, members),
    lastSize: (group) => groups.get(group) ?? 0,
  }
}
