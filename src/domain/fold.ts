import { employmentAt, foldEmployment } from './employment.ts'
import type { EmploymentAt, IdentityAt, IdentityHistory, LifecycleState } from './identity.ts'
import type { EmploymentKey } from './ids.ts'
import type { Instant } from './instant.ts'
import type { Worker, WorkerEvent } from './worker-event.ts'

/**
 * Everything HR said about one person (events of that person, any order, duplicates allowed) as one history.
 * A rescission contributes nothing but the removal that it asks for.
 */
export const fold = (events: readonly WorkerEvent[]): IdentityHistory => {
  const ordered = distinct([...events].sort(inFoldOrder))
  const removed = new Set<string>()
  for (const { action, supersedes, source, id } of ordered) {
    // An event cannot take itself back: one that names itself stands.
    if (action !== 'assert' && supersedes !== null && supersedes !== id) removed.add(keyOf(source, supersedes))
  }
  const standing = new Map<EmploymentKey, WorkerEvent[]>()
  for (const event of ordered) {
    if (event.action === 'rescind') continue
    const assertions = standing.get(event.worker.employmentKey) ?? []
    // An employment stays known when all of it was removed: somebody rescinded is a leaver, not a stranger.
    standing.set(event.worker.employmentKey, assertions)
    if (!removed.has(keyOf(event.source, event.id))) assertions.push(event)
  }
  const employments = [...standing]
    .map(([key, assertions]) => foldEmployment(key, assertions))
    .sort((a, b) => compareText(a.employmentKey, b.employmentKey))
  const points = new Set<Instant>()
  for (const { snapshots, blocked } of employments) {
    for (const { from } of snapshots) points.add(from)
    // Whatever ends a blocked span begins a snapshot at that moment.
    for (const { from } of blocked) points.add(from)
  }
  return { employments, changePoints: [...points].sort((a, b) => a - b) }
}

/** A total order that no transport can influence: when it takes effect, when HR recorded it, then HR's own names. */
export const inFoldOrder = (a: WorkerEvent, b: WorkerEvent): number =>
  a.effectiveAt - b.effectiveAt ||
  a.recordedAt - b.recordedAt ||
  compareText(a.sequence, b.sequence) ||
  compareText(a.source, b.source) ||
  compareText(a.id, b.id) ||
  a.receivedAt - b.receivedAt

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const keyOf = (source: string, id: string): string => JSON.stringify([source, id])

const distinct = (ordered: readonly WorkerEvent[]): readonly WorkerEvent[] => {
  const seen = new Set<string>()
  return ordered.filter(({ source, id }) => {
    const key = keyOf(source, id)
    return seen.has(key) ? false : seen.add(key)
  })
}

/** The person at one moment of valid time. */
export const identityAt = (history: IdentityHistory, at: Instant): IdentityAt => {
  const employments = history.employments.map((employment) => employmentAt(employment, at))
  const giving = employments.filter((employment) => employment.givesAccess)
  return {
    employments,
    lifecycle: lifecycleOf(employments),
    leaver: giving.length === 0 && employments.some(({ state }) => state === 'ended' || state === 'rescinded'),
    primary: primaryOf(giving.length > 0 ? giving : employments),
    accountsEnabled: giving.some(({ state }) => state === 'active'),
  }
}

/** Who a leaver was when HR last said it of somebody who had not been terminated; null: it never did, or took it back. */
export const lastWorker = ({ employments, changePoints }: IdentityHistory, at: Instant): Worker | null => {
  for (const point of changePoints.filter((one) => one <= at).reverse()) {
    const said = employments.flatMap((employment): readonly EmploymentAt[] => {
      const one = employmentAt(employment, point)
      return one.state === 'rescinded' || one.worker?.status === 'terminated' ? [] : [one]
    })
    const giving = said.filter(({ givesAccess }) => givesAccess)
    const last = primaryOf(giving.length > 0 ? giving : said)
    if (last !== null) return last
  }
  return null
}

const bestFirst = ['active', 'leave', 'suspended', 'prehire'] as const

/** Somebody of whom HR has asserted nothing yet is to come, not gone. */
const lifecycleOf = (employments: readonly EmploymentAt[]): LifecycleState =>
  employments.length === 0
    ? 'prehire'
    : (bestFirst.find((state) => employments.some((employment) => employment.state === state)) ?? 'terminated')

const primaryOf = (employments: readonly EmploymentAt[]): Worker | null => {
  const workers = employments.flatMap(({ worker }) => (worker === null ? [] : [worker]))
  const flagged = workers.filter(({ primary }) => primary)
  return (flagged.length > 0 ? flagged : workers).sort(longestServing)[0] ?? null
}

const longestServing = (a: Worker, b: Worker): number =>
  // '~' sorts after every ISO date: an unknown hire date comes last.
  compareText(a.hireDate ?? '~', b.hireDate ?? '~') || compareText(a.employmentKey, b.employmentKey)
