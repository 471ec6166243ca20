import type { EmploymentAt, EmploymentHistory, EmploymentState, Snapshot } from './identity.ts'
import type { EmploymentKey } from './ids.ts'
import { contains, type Instant } from './instant.ts'
import type { WorkerEvent } from './worker-event.ts'

type Span = { readonly from: Instant; readonly to: Instant | null }

/**
 * One employment from its assertions that stand, in fold order. Each is in force until the next begins; one that is
 * replaced at the very moment it begins was never in force and leaves no snapshot (but its termination still counts).
 */
export const foldEmployment = (employmentKey: EmploymentKey, assertions: readonly WorkerEvent[]): EmploymentHistory => {
  const snapshots: Snapshot[] = []
  const spans: Span[] = []
  const endedAtOnce: Span[] = []
  assertions.forEach((event, i) => {
    const next = assertions[i + 1]?.effectiveAt ?? null
    if (next !== event.effectiveAt) snapshots.push({ event, from: event.effectiveAt, to: next })
    const from = accessEnd(event)
    if (from === null) return
    const atOnce = endsAtOnce(event)
    const to = atOnce ? (assertions.slice(i + 1).find(liftsEndOf(event))?.effectiveAt ?? null) : next
    if (to !== null && to <= from) return
    spans.push({ from, to })
    if (atOnce) endedAtOnce.push({ from, to })
  })
  return { employmentKey, snapshots, blocked: merged(spans), endedAtOnce }
}

const endsAtOnce = ({ worker, urgency }: WorkerEvent): boolean =>
  worker.status === 'terminated' && (worker.involuntary || urgency === 'immediate')

/**
 * Whoever was dismissed at once stays out, whatever was entered before for a later day: only what HR recorded afterwards
 * tells that they are back. Another termination never does (priority 2); a wrong one is corrected or rescinded.
 */
const liftsEndOf =
  (end: WorkerEvent) =>
  ({ worker, recordedAt, sequence }: WorkerEvent): boolean =>
    worker.status !== 'terminated' &&
    (recordedAt > end.recordedAt || (recordedAt === end.recordedAt && sequence > end.sequence))

/**
 * The moment from which this assertion, by itself, gives no access; null = never.
 * A termination may end access before it is in force (its last day of work lies before its effective date, or it is
 * immediate): the earlier moment is taken although another snapshot still says "active" (priority 2).
 */
const accessEnd = (event: WorkerEvent): Instant | null => {
  const { worker, effectiveAt, receivedAt } = event
  if (worker.status !== 'terminated') {
    const end = worker.lastDayEndsAt ?? worker.contractEndsAt
    return end === null ? null : later(end, effectiveAt)
  }
  const end =
    worker.lastDayEndsAt ??
    (worker.contractEndsAt !== null && worker.contractEndsAt < effectiveAt ? worker.contractEndsAt : effectiveAt)
  return endsAtOnce(event) && receivedAt < end ? receivedAt : end
}

const later = (a: Instant, b: Instant): Instant => (a > b ? a : b)

const merged = (spans: Span[]): readonly Span[] => {
  const result: Span[] = []
  for (const span of spans.sort((a, b) => a.from - b.from)) {
    const last = result.at(-1)
    if (last === undefined || (last.to !== null && last.to < span.from)) result.push(span)
    else if (last.to !== null && (span.to === null || span.to > last.to))
      result[result.length - 1] = { ...last, to: span.to }
  }
  return result
}

const givesAccess = {
  prehire: false,
  active: true,
  leave: true,
  suspended: true,
  ended: false,
  rescinded: false,
} satisfies Record<EmploymentState, boolean>

/** One employment at one moment of valid time. */
export const employmentAt = (history: EmploymentHistory, at: Instant): EmploymentAt => {
  const { employmentKey, snapshots } = history
  let i = snapshots.length - 1
  while (i >= 0 && at < (snapshots[i] as Snapshot).from) i--
  const state = stateAt(history, i, at)
  return {
    employmentKey,
    state,
    givesAccess: givesAccess[state],
    worker: (snapshots[i] ?? snapshots[0])?.event.worker ?? null,
  }
}

const stateAt = ({ snapshots, blocked }: EmploymentHistory, i: number, at: Instant): EmploymentState => {
  if (snapshots.length === 0) return 'rescinded'
  if (blocked.some((span) => contains(span, at))) return 'ended'
  return workingState(snapshots, i)
}

/**
 * A terminated snapshot whose last day of work is still to come goes on as what the employment was before: somebody
 * suspended, or not yet begun, does not become active by leaving.
 */
const workingState = (snapshots: readonly Snapshot[], i: number): EmploymentState => {
  if (i < 0) return 'prehire'
  for (let j = i; j >= 0; j--) {
    const status = (snapshots[j] as Snapshot).event.worker.status
    if (status !== 'terminated') return status
  }
  return 'active'
}
