import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Adopted } from '../../../src/domain/decision.ts'
import { fold, identityAt } from '../../../src/domain/fold.ts'
import type { EmploymentKey, TargetId } from '../../../src/domain/ids.ts'
import { contains } from '../../../src/domain/instant.ts'
import type { WorkerEvent } from '../../../src/domain/worker-event.ts'
import type { CompiledPolicy } from '../../../src/policies/compile.ts'
import { evaluate } from '../../../src/policies/evaluate.ts'
import { timelineOf } from '../../../src/policies/timeline.ts'
import { anEvent, aTermination, at, someEvents } from '../domain/events.ts'
import { catalogue, compiled, decide, idOf, person } from './policies.ts'

const policy = compiled(
  catalogue('View', 'Entry', 'Approve'),
  `roles:
  lending: { entitlements: [View] }
  rm: { roles: [lending], entitlements: [Entry] }
birthright:
  by-rm: { when: { jobCode: RM }, grants: { roles: [rm] } }
  by-ca: { when: { jobCode: CA }, grants: { roles: [lending], entitlements: [Approve] } }
  by-leave: { when: { status: leave }, grants: { entitlements: [View] } }
`,
)
const since = (activeFrom: number | null, one: CompiledPolicy) => ({
  activeFrom: activeFrom === null ? null : at(activeFrom),
  policy: one,
})
const timeline = (events: readonly WorkerEvent[], ...windows: readonly ReturnType<typeof since>[]) =>
  timelineOf(fold(events), windows.length > 0 ? windows : [since(null, policy)]).map(
    ({ entitlement, interval, reasons }) =>
      `${policy.keyOf.get(entitlement)} ${interval.from}–${interval.to ?? ''} ${reasons.map((reason) => (reason.kind === 'rule' ? `${reason.rule}/${reason.employmentKey}${reason.path.length > 0 ? `/${reason.path.join('>')}` : ''}` : reason.kind)).join(' ')}`,
  )
const second = { employmentKey: 'E2' as EmploymentKey }

describe('the timeline of what is wanted', () => {
  test('future moves and the end are in it, with rule, employment and role path', () => {
    expect(
      timeline([anEvent('1'), anEvent('2', { effectiveAt: at(20), worker: { jobCode: 'CA' } }), aTermination('3', 30)]),
    ).toEqual([
      'Approve 20–30 by-ca/E',
      'Entry 10–20 by-rm/E/rm',
      'View 10–20 by-rm/E/rm>lending',
      'View 20–30 by-ca/E/lending',
    ])
  })

  test('snapshots that change nothing for policy are one interval', () => {
    expect(
      timeline([
        anEvent('1'),
        anEvent('2', { effectiveAt: at(20), worker: { attributes: { jobCode: 'RM', jobTitle: 'Senior' } } }),
      ]),
    ).toEqual(['Entry 10– by-rm/E/rm', 'View 10– by-rm/E/rm>lending'])
  })

  test('leave keeps it, and rules may look at the state; prehire and ended give none', () => {
    const events = [
      anEvent('0', { effectiveAt: at(5), worker: { status: 'prehire' } }),
      anEvent('1', { worker: { status: 'leave' } }),
      anEvent('2', { effectiveAt: at(20), worker: { lastDayEndsAt: at(25) } }),
    ]
    expect(timeline(events)).toEqual([
      'Entry 10–25 by-rm/E/rm',
      'View 10–20 by-leave/E by-rm/E/rm>lending',
      'View 20–25 by-rm/E/rm>lending',
    ])
  })

  test('access is the union over employments, each judged by itself', () => {
    expect(
      timeline([
        anEvent('1'),
        anEvent('2', { effectiveAt: at(20), worker: { ...second, jobCode: 'CA', lastDayEndsAt: at(30) } }),
      ]),
    ).toEqual([
      'Approve 20–30 by-ca/E2',
      'Entry 10– by-rm/E/rm',
      'View 10–20 by-rm/E/rm>lending',
      'View 20–30 by-rm/E/rm>lending by-ca/E2/lending',
      'View 30– by-rm/E/rm>lending',
    ])
  })

  test('a rule is never judged on a mixture of two employments', () => {
    const both = compiled(
      catalogue('View'),
      'birthright:\n  r: { when: { jobCode: RM, department: D }, grants: { entitlements: [View] } }\n',
    )
    const history = fold([
      anEvent('1', { worker: { attributes: { jobCode: 'RM' } } }),
      anEvent('2', { worker: { ...second, attributes: { jobCode: 'CA', department: 'D' } } }),
    ])
    expect(timelineOf(history, [since(null, both)])).toEqual([])
  })

  test('the version that was active at a valid time judges it; the first reaches back for ever', () => {
    const next = compiled(
      catalogue('View', 'Entry', 'Approve'),
      'birthright:\n  all: { when: everyone, grants: { entitlements: [Entry] } }\n',
    )
    expect(timeline([anEvent('1')], since(5, policy), since(15, next))).toEqual([
      'Entry 10–15 by-rm/E/rm',
      'Entry 15– all/E',
      'View 10–15 by-rm/E/rm>lending',
    ])
    expect(timeline([anEvent('1')], since(50, policy))).toEqual(['Entry 10– by-rm/E/rm', 'View 10– by-rm/E/rm>lending'])
    const same = since(
      15,
      compiled(
        catalogue('View', 'Entry', 'Approve'),
        'birthright:\n  all: { when: everyone, grants: { entitlements: [Entry] } }\n',
      ),
    )
    expect(timeline([anEvent('1')], since(5, next), same)).toEqual(['Entry 10– all/E'])
  })

  test('at every moment it is what the rules say at that moment', () => {
    fc.assert(
      fc.property(someEvents, (events) => {
        const history = fold(events)
        const whole = timelineOf(history, [since(null, policy)])
        for (let moment = 0; moment < 14; moment++) {
          const jobs = identityAt(history, at(moment)).employments.flatMap(({ givesAccess, worker, state }) =>
            givesAccess ? [state === 'leave' ? 'leave' : '', String(worker?.attributes.jobCode)] : [],
          )
          const expected = [
            ...(jobs.includes('CA') ? ['Approve'] : []),
            ...(jobs.includes('RM') ? ['Entry'] : []),
            ...(jobs.some((job) => job !== '') ? ['View'] : []),
          ]
          const now = whole
            .filter(({ interval }) => contains(interval, at(moment)))
            .map(({ entitlement }) => policy.keyOf.get(entitlement))
          expect([moment, now]).toEqual([moment, expected])
        }
      }),
      { numRuns: 500 },
    )
  })

  test('adjacent intervals of one entitlement differ in their reasons', () => {
    fc.assert(
      fc.property(someEvents, (events) => {
        const whole = timelineOf(fold(events), [since(null, policy)])
        whole.forEach((one, i) => {
          const next = whole[i + 1]
          if (next?.entitlement !== one.entitlement) return
          expect(one.interval.to).not.toBe(null)
          expect(one.interval.to as number).toBeLessThanOrEqual(next.interval.from)
          if (one.interval.to === next.interval.from) expect(next.reasons).not.toEqual(one.reasons)
        })
      }),
    )
  })
})

describe('the decision', () => {
  test('wanted is what the timeline holds now, and the next change point wakes it', () => {
    const events = [anEvent('1'), anEvent('2', { effectiveAt: at(20), worker: { jobCode: 'CA' } })]
    expect([5, 10, 19, 20].map((now) => decide(policy, events, now).nextChangeAt)).toEqual([10, 20, 20, null])
    expect([5, 10, 20].map((now) => decide(policy, events, now).wanted.length)).toEqual([0, 2, 2])
  })

  test('the active version judges now, also when it was stamped a tick ahead', () => {
    const next = compiled(
      catalogue('View', 'Entry', 'Approve'),
      'birthright:\n  all: { when: everyone, grants: { entitlements: [Approve] } }\n',
    )
    const input = { history: fold([anEvent('1')]), personKey: person, now: at(20), present: [] }
    const { wanted } = evaluate({ ...input, policies: [since(null, policy), since(21, next)] })
    expect(wanted.map(({ entitlement }) => next.keyOf.get(entitlement))).toEqual(['Approve'])
  })

  test('no policy at all decides nothing: it throws', () => {
    expect(() => evaluate({ history: fold([]), personKey: person, now: at(1), present: [], policies: [] })).toThrow(
      'no policy version',
    )
  })

  test('L6: permutation and duplication of the events change nothing in it', () => {
    fc.assert(
      fc.property(
        someEvents.chain((events) =>
          fc.tuple(fc.constant(events), fc.shuffledSubarray([...events, ...events], { minLength: events.length * 2 })),
        ),
        fc.integer({ min: 0, max: 13 }),
        ([events, again], now) => {
          expect(decide(policy, again, now, 'View held', 'Approve unknown!')).toEqual(
            decide(policy, events, now, 'View held', 'Approve unknown!'),
          )
        },
      ),
    )
  })

  test('a leaver wants nothing', () => {
    fc.assert(
      fc.property(someEvents, fc.integer({ min: 0, max: 13 }), (events, now) => {
        if (identityAt(fold(events), at(now)).leaver) expect(decide(policy, events, now).wanted).toEqual([])
      }),
    )
  })
})

describe('adopted access', () => {
  const adopted = (key: string, from: number, to: number | null = null): Adopted => ({
    entitlement: idOf(policy, key),
    target: 'ldap' as TargetId,
    interval: { from: at(from), to: to === null ? null : at(to) },
  })
  const adoptedTimeline = (events: readonly WorkerEvent[], ...rows: readonly Adopted[]) =>
    timelineOf(fold(events), [since(null, policy)], rows).map(
      ({ entitlement, interval, reasons }) =>
        `${policy.keyOf.get(entitlement)} ${interval.from}–${interval.to ?? ''} ${reasons.map(({ kind }) => kind).join(' ')}`,
    )

  test('is wanted from the adoption until a human ends it, or the person has no access', () => {
    expect(adoptedTimeline([anEvent('1'), aTermination('2', 30)], adopted('Approve', 15))).toEqual([
      'Approve 15–30 adopted',
      'Entry 10–30 rule',
      'View 10–30 rule',
    ])
    expect(adoptedTimeline([anEvent('1')], adopted('Approve', 15, 20))).toContain('Approve 15–20 adopted')
  })

  test('is over once a rule gives the same, which goes with the rule; and with a leave', () => {
    const back = [anEvent('1'), aTermination('2', 30), anEvent('3', { effectiveAt: at(40) })]
    expect(adoptedTimeline(back, adopted('Approve', 15)).filter((line) => line.startsWith('Approve'))).toEqual([
      'Approve 15–30 adopted',
    ])
    const moves = [
      anEvent('1', { worker: { jobCode: 'X' } }),
      anEvent('2', { effectiveAt: at(20) }),
      anEvent('3', { effectiveAt: at(30), worker: { jobCode: 'X' } }),
    ]
    expect(adoptedTimeline(moves, adopted('Entry', 15))).toEqual([
      'Entry 15–20 adopted',
      'Entry 20–30 rule',
      'View 20–30 rule',
    ])
  })

  test('ends with the entry in the catalogue', () => {
    const smaller = compiled(
      catalogue('View'),
      'birthright:\n  all: { when: everyone, grants: { entitlements: [View] } }\n',
    )
    expect(
      timelineOf(fold([anEvent('1')]), [since(null, policy), since(40, smaller)], [adopted('Approve', 15)])
        .filter(({ reasons }) => reasons[0]?.kind === 'adopted')
        .map(({ interval }) => [interval.from, interval.to]),
    ).toEqual([[15, 40]])
  })
})
