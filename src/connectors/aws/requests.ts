import type { Occupied, Place } from '../budget.ts'
import { createUsualTime, type UsualTime } from './usual-time.ts'

export type Kind = 'creation' | 'deletion'

/** A request that AWS took on, as far as this connector knows. Times: ms by the wall clock, for pacing only. */
export type Request = {
  readonly kind: Kind
  readonly awsAccount: string
  place: string
  readonly begunAt: number
  /** Whoever comes from another process is heard of when it is polled here. */
  heardOfAt: number
  /** When AWS last said that it works on it; null: it was not asked yet. */
  seenAt: number | null
  /** A list has shown it: one that does not show it any more says that it is over. */
  isListed: boolean
  /** A list said so; its place is given back. */
  isOver: boolean
  /** The list of failures that was the last when it was over: that one does not tell of it. */
  lastFailures: List | null
}

/**
 * Requests that AWS is still working on: one list tells of all of one kind, where asking for each by itself would use up the
 * quota. It belongs to one connector.
 */
export type InProgress = {
  readonly requests: Map<string, Request>
  readonly lists: Map<Kind, List>
  /** Deletions that failed. */
  failures: List | null
  /** How long AWS takes. */
  readonly usual: UsualTime
  /** Who waits for a place, in their order. */
  readonly line: Set<Waiter>
  isWatched: boolean
  isServing: boolean
  serveAgain: boolean
}
export type List = {
  readonly at: number
  /** null: it could not be read. */
  readonly requests: Promise<ReadonlySet<string> | null>
  wasRead: boolean
}
export type Waiter = {
  readonly places: readonly Place[]
  readonly go: (place: Occupied) => void
  /** What kept it waiting keeps it still. */
  readonly giveUp: () => void
}

export const createInProgress = (): InProgress => ({
  requests: new Map(),
  lists: new Map(),
  failures: null,
  usual: createUsualTime(),
  line: new Set(),
  isWatched: false,
  isServing: false,
  serveAgain: false,
})
