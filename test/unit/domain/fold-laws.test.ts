import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fold, identityAt } from '../../../src/domain/fold.ts'
import type { EmploymentState } from '../../../src/domain/identity.ts'
import type { Instant } from '../../../src/domain/instant.ts'
import type { WorkerEvent } from '../../../src/domain/worker-event.ts'
import { at, someEvents } from './events.ts'

const moments = Array.from({ length: 14 }, (_, i) => at(i))

describe('laws of the fold', () => {
  test('L6: any permutation and duplication of the events ends in the same identity', () => {
    const shuffled = someEvents.chain((events) =>
      fc.tuple(fc.constant(events), fc.shuffledSubarray([...events, ...events], { minLength: events.length * 2 })),
    )
    fc.assert(
      fc.property(shuffled, ([events, again]) => {
        expect(fold(again)).toEqual(fold(events))
      }),
      { numRuns: 400 },
    )
  })

  test('between neighbouring change points nothing changes', () => {
    fc.assert(
      fc.property(someEvents, (events) => {
        const history = fold(events)
        for (const moment of moments) {
          const since = history.changePoints.findLast((point) => point <= moment) ?? at(-1)
          expect(identityAt(history, moment)).toEqual(identityAt(history, since))
        }
      }),
      { numRuns: 400 },
    )
  })

  test('change points are sorted, unique, and each begins or ends something', () => {
    fc.assert(
      fc.property(someEvents, (events) => {
        const { changePoints, employments } = fold(events)
        expect(changePoints).toEqual([...new Set(changePoints)].sort((a, b) => a - b))
        const edges = employments.flatMap(({ snapshots, blocked }) =>
          [...snapshots, ...blocked].flatMap(({ from, to }) => [from, to]),
        )
        expect(changePoints.every((point) => edges.includes(point))).toBe(true)
      }),
    )
  })

  test('the state of each employment is what the sentences of the design say, read naively', () => {
    fc.assert(
      fc.property(someEvents, (events) => {
        const history = fold(events)
        for (const moment of moments)
          for (const { employmentKey, state } of identityAt(history, moment).employments)
            expect([moment, employmentKey, state]).toEqual([
              moment,
              employmentKey,
              naiveState(events, employmentKey, moment),
            ])
      }),
      { numRuns: 1000 },
    )
  })

  test('an event that ends access never gives any: adding a termination takes from its own employment only', () => {
    const termination = fc.record({
      effectiveAt: fc.integer({ min: 0, max: 12 }).map(at),
      receivedAt: fc.integer({ min: 0, max: 12 }).map(at),
    })
    fc.assert(
      fc.property(someEvents, termination, (events, { effectiveAt, receivedAt }) => {
        const [first] = events
        if (first === undefined) return
        const { worker } = first
        const end: WorkerEvent = {
          ...first,
          id: 'end',
          action: 'assert',
          supersedes: null,
          effectiveAt,
          receivedAt,
          recordedAt: at(9),
          worker: { ...worker, status: 'terminated', involuntary: true, lastDayEndsAt: null, contractEndsAt: null },
        }
        const [before, after] = [fold(events), fold([...events, end])]
        const stop = Math.min(effectiveAt, receivedAt)
        for (const moment of moments) {
          const gives = (history: typeof before, key: string) =>
            identityAt(history, moment).employments.some(
              ({ employmentKey, givesAccess }) => employmentKey === key && givesAccess,
            )
          for (const { employmentKey } of before.employments)
            if (employmentKey !== worker.employmentKey)
              expect(gives(after, employmentKey)).toBe(gives(before, employmentKey))
          const [own, was] = [gives(after, worker.employmentKey), gives(before, worker.employmentKey)]
          // Recorded after everything else: nothing that was entered before brings them back.
          expect(own && (!was || moment >= stop)).toBe(false)
        }
      }),
      { numRuns: 400 },
    )
  })
})

/** Written from DESIGN §4, without looking at the fold: quadratic, and only about one moment. */
const naiveState = (events: readonly WorkerEvent[], employmentKey: string, moment: Instant): EmploymentState => {
  const isRemoved = (event: WorkerEvent) =>
    events.some(
      (one) =>
        one.action !== 'assert' && one.source === event.source && one.supersedes === event.id && one.id !== event.id,
    )
  const rank = (event: WorkerEvent) =>
    [event.effectiveAt, event.recordedAt].map((n) => String(n).padStart(3, '0')).join(' ') +
    `\u0000${event.sequence}\u0000${event.source}\u0000${event.id}`
  const standing = events
    .filter((event) => event.worker.employmentKey === employmentKey && event.action !== 'rescind' && !isRemoved(event))
    .sort((a, b) => (rank(a) < rank(b) ? -1 : 1))
  if (standing.length === 0) return 'rescinded'
  for (const [i, { worker, effectiveAt, urgency, receivedAt }] of standing.entries()) {
    if (worker.status !== 'terminated') continue
    const end: number = worker.lastDayEndsAt ?? Math.min(effectiveAt, worker.contractEndsAt ?? Number.POSITIVE_INFINITY)
    if (worker.involuntary || urgency === 'immediate') {
      if (moment >= Math.min(end, receivedAt) && !isTakenBack(standing, i, moment)) return 'ended'
      continue
    }
    const until = standing[i + 1]?.effectiveAt ?? Number.POSITIVE_INFINITY
    if (end <= moment && moment < until) return 'ended'
  }
  const begun = standing.filter(({ effectiveAt }) => effectiveAt <= moment)
  const inForce = begun.at(-1)
  if (inForce === undefined) return 'prehire'
  const { status, lastDayEndsAt, contractEndsAt } = inForce.worker
  if (status === 'terminated') {
    // Still working to a later last day: as before, by the last that was really in force.
    const wasInForce = begun.filter(({ effectiveAt }, i) => begun[i + 1]?.effectiveAt !== effectiveAt)
    const before = wasInForce.findLast(({ worker }) => worker.status !== 'terminated')?.worker.status ?? 'active'
    return before === 'terminated' ? 'active' : before
  }
  return (lastDayEndsAt ?? contractEndsAt ?? Number.POSITIVE_INFINITY) <= moment ? 'ended' : status
}

/** HR has said since, by a snapshot that is in force by now and not another end, that they are there. */
const isTakenBack = (standing: readonly WorkerEvent[], termination: number, moment: Instant): boolean => {
  const recorded = ({ recordedAt, sequence }: WorkerEvent) => `${String(recordedAt).padStart(3, '0')} ${sequence}`
  const said = recorded(standing[termination] as WorkerEvent)
  return standing.some(
    (event, i) =>
      i > termination && event.worker.status !== 'terminated' && recorded(event) > said && event.effectiveAt <= moment,
  )
}
