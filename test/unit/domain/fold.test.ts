import { describe, expect, test } from 'vitest'
import { fold, identityAt } from '../../../src/domain/fold.ts'
import type { EmploymentKey } from '../../../src/domain/ids.ts'
import type { WorkerEvent } from '../../../src/domain/worker-event.ts'
import { anEvent, aTermination, at } from './events.ts'

const stateAt = (events: readonly WorkerEvent[], moment: number, employment = 'E') =>
  identityAt(fold(events), at(moment)).employments.find(({ employmentKey }) => employmentKey === employment)?.state
const other = { employmentKey: 'E2' as EmploymentKey }

describe('order of assertions', () => {
  const jobAt = (events: readonly WorkerEvent[], moment: number) =>
    identityAt(fold(events), at(moment)).primary?.attributes.jobCode

  test('effectiveAt first: what arrives late takes its place in the past', () => {
    const events = [
      anEvent('new', { effectiveAt: at(20), worker: { jobCode: 'CA' } }),
      anEvent('late', { recordedAt: at(9) }),
    ]
    expect([jobAt(events, 15), jobAt(events, 20)]).toEqual(['RM', 'CA'])
  })

  test.each([
    ['recordedAt', { recordedAt: at(1), sequence: '9' }, { recordedAt: at(2), sequence: '1' }],
    ['then sequence, as text', { sequence: '10' }, { sequence: '9' }],
    ['then source', { source: '/a' }, { source: '/b' }],
    ['then id', {}, {}],
  ])('same effectiveAt: %s', (_, first, second) => {
    const a = anEvent('1', { ...first, worker: { jobCode: 'first' } })
    const b = anEvent('2', { ...second, worker: { jobCode: 'second' } })
    expect([jobAt([a, b], 10), jobAt([b, a], 10)]).toEqual(['second', 'second'])
  })

  test('several future changes stand at once, each from its own moment', () => {
    const events = [
      anEvent('1'),
      anEvent('2', { effectiveAt: at(20), worker: { jobCode: 'CA' } }),
      anEvent('3', { effectiveAt: at(30), worker: { jobCode: 'X' } }),
    ]
    expect([9, 10, 20, 30].map((moment) => jobAt(events, moment))).toEqual(['RM', 'RM', 'CA', 'X'])
    expect(fold(events).changePoints).toEqual([10, 20, 30])
  })
})

describe('correct and rescind', () => {
  const hire = anEvent('hire')
  const rescind = anEvent('undo', { action: 'rescind', supersedes: 'hire' })

  test('a rescission removes what it names, also when that arrives later; its body is ignored', () => {
    expect(stateAt([hire, rescind], 10)).toBe('rescinded')
    expect(stateAt([rescind, hire], 10)).toBe('rescinded')
  })

  test('somebody rescinded is a leaver, not a stranger', () => {
    expect(identityAt(fold([hire, rescind]), at(10))).toMatchObject({
      leaver: true,
      lifecycle: 'terminated',
      primary: null,
    })
  })

  test('a rescission of something that is not known yet makes nobody', () => {
    expect(fold([rescind]).employments).toEqual([])
  })

  test('what is removed stays removed: rescinding the rescission or its correction brings nothing back', () => {
    const undoUndo = anEvent('undo-undo', { action: 'rescind', supersedes: 'undo' })
    expect(stateAt([hire, rescind, undoUndo], 10)).toBe('rescinded')
    const correction = anEvent('better', { action: 'correct', supersedes: 'hire', effectiveAt: at(12) })
    const rescindCorrection = anEvent('no', { action: 'rescind', supersedes: 'better' })
    expect(stateAt([hire, correction], 12)).toBe('active')
    expect(stateAt([hire, correction], 11)).toBe('prehire')
    expect(stateAt([hire, correction, rescindCorrection], 12)).toBe('rescinded')
  })

  test('a correction may move an event to another employment', () => {
    const moved = anEvent('moved', { action: 'correct', supersedes: 'hire', worker: other })
    expect(stateAt([moved, hire], 10)).toBe('rescinded')
    expect(stateAt([moved, hire], 10, 'E2')).toBe('active')
    expect(identityAt(fold([moved, hire]), at(10)).leaver).toBe(false)
  })

  test('only an event of the same source is named', () => {
    expect(stateAt([hire, { ...rescind, source: '/payroll' }], 10)).toBe('active')
  })

  test('a termination that was rescinded ends nothing', () => {
    expect(stateAt([hire, aTermination('bye', 20), anEvent('no', { action: 'rescind', supersedes: 'bye' })], 25)).toBe(
      'active',
    )
  })
})

describe('how access ends', () => {
  const hire = anEvent('hire')

  test('at the end of the last day of work, without a further event', () => {
    const events = [anEvent('hire', { worker: { lastDayEndsAt: at(30), contractEndsAt: at(20) } })]
    expect([29, 30].map((moment) => stateAt(events, moment))).toEqual(['active', 'ended'])
    expect(fold(events).changePoints).toEqual([10, 30])
  })

  test('without a last day: at the end of the contract', () => {
    const events = [anEvent('hire', { worker: { contractEndsAt: at(20) } })]
    expect([19, 20].map((moment) => stateAt(events, moment))).toEqual(['active', 'ended'])
  })

  test('a snapshot that no longer has an end date extends the contract', () => {
    const events = [anEvent('hire', { worker: { contractEndsAt: at(20) } }), anEvent('more', { effectiveAt: at(18) })]
    expect(stateAt(events, 25)).toBe('active')
  })

  test('a termination without a last day: at its effectiveAt', () => {
    expect([19, 20].map((moment) => stateAt([hire, aTermination('bye', 20)], moment))).toEqual(['active', 'ended'])
  })

  test('a termination without a last day, when the contract ends first', () => {
    const bye = aTermination('bye', 20, { worker: { contractEndsAt: at(15) } })
    expect([14, 15].map((moment) => stateAt([hire, bye], moment))).toEqual(['active', 'ended'])
  })

  test('a last day before the termination is in force ends access on that day', () => {
    const bye = aTermination('bye', 20, { worker: { lastDayEndsAt: at(15) } })
    expect([14, 15, 20].map((moment) => stateAt([hire, bye], moment))).toEqual(['active', 'ended', 'ended'])
  })

  test('… even when another snapshot begins in between', () => {
    const bye = aTermination('bye', 20, { worker: { lastDayEndsAt: at(15) } })
    const move = anEvent('move', { effectiveAt: at(17), worker: { jobCode: 'CA' } })
    expect([16, 17, 19].map((moment) => stateAt([hire, move, bye], moment))).toEqual(['ended', 'ended', 'ended'])
  })

  test('a last day after the termination is in force keeps access until that day, by the terminated snapshot', () => {
    const bye = aTermination('bye', 20, { worker: { lastDayEndsAt: at(25), jobCode: 'CA' } })
    expect([20, 24, 25].map((moment) => stateAt([hire, bye], moment))).toEqual(['active', 'active', 'ended'])
    expect(identityAt(fold([hire, bye]), at(24)).primary?.attributes.jobCode).toBe('CA')
  })

  test.each(['leave', 'suspended', 'prehire'] as const)(
    'working on to a last day goes on as %s, never as more',
    (status) => {
      const events = [
        anEvent('hire', { worker: { status } }),
        aTermination('bye', 20, { worker: { lastDayEndsAt: at(25) } }),
      ]
      expect(stateAt(events, 22)).toBe(status)
    },
  )

  test('a termination of which nothing else is known gives access until its last day', () => {
    expect(
      [19, 20, 25].map((moment) => stateAt([aTermination('bye', 20, { worker: { lastDayEndsAt: at(25) } })], moment)),
    ).toEqual(['prehire', 'active', 'ended'])
  })

  test.each([
    ['involuntary', 'normal', true],
    ['immediate', 'immediate', false],
  ] as const)('%s: on receipt', (_, urgency, involuntary) => {
    const bye = aTermination('bye', 20, { receivedAt: at(12), urgency, worker: { lastDayEndsAt: at(30), involuntary } })
    expect([11, 12, 25].map((moment) => stateAt([hire, bye], moment))).toEqual(['active', 'ended', 'ended'])
  })

  describe.each([
    ['involuntary', 'normal', true],
    ['immediate', 'immediate', false],
  ] as const)('%s', (_, urgency, involuntary) => {
    const fired = (effectiveAt: number) =>
      aTermination('bye', effectiveAt, { recordedAt: at(12), receivedAt: at(12), urgency, worker: { involuntary } })

    test('dated before the newest snapshot: that was entered before, and says nothing', () => {
      expect([9, 11, 12, 40].map((moment) => stateAt([hire, fired(9)], moment))).toEqual([
        'ended',
        'ended',
        'ended',
        'ended',
      ])
    })

    test('a change entered before, for a later day, brings nobody back', () => {
      const planned = anEvent('planned', { recordedAt: at(11), effectiveAt: at(20), worker: { jobCode: 'CA' } })
      expect([11, 12, 19, 20, 40].map((moment) => stateAt([hire, planned, fired(12)], moment))).toEqual([
        'active',
        'ended',
        'ended',
        'ended',
        'ended',
      ])
    })

    test('what HR records afterwards does, from its own moment, also past what was entered before', () => {
      const planned = anEvent('planned', { recordedAt: at(11), effectiveAt: at(20) })
      const back = anEvent('back', { recordedAt: at(13), effectiveAt: at(30) })
      expect([20, 29, 30].map((moment) => stateAt([hire, planned, fired(12), back], moment))).toEqual([
        'ended',
        'ended',
        'active',
      ])
    })

    test('recorded at the same moment: the sequence tells which was later', () => {
      const sequenced = (sequence: string) =>
        anEvent('same', { recordedAt: at(12), sequence, effectiveAt: at(20), worker: { jobCode: 'CA' } })
      const bye = { ...fired(12), sequence: '5' }
      expect(['4', '5', '6'].map((sequence) => stateAt([hire, bye, sequenced(sequence)], 25))).toEqual([
        'ended',
        'ended',
        'active',
      ])
    })

    test('another termination, with a last day to come, gives nothing back', () => {
      const again = aTermination('again', 15, { recordedAt: at(13), worker: { lastDayEndsAt: at(40) } })
      expect(stateAt([hire, fired(12), again], 20)).toBe('ended')
    })

    test('rescinded, the newest snapshot counts again', () => {
      const undo = anEvent('undo', { action: 'rescind', supersedes: 'bye' })
      expect(stateAt([hire, fired(9), undo], 12)).toBe('active')
    })
  })

  test('at leisure, a change entered before for a later day stands', () => {
    const planned = anEvent('planned', { recordedAt: at(1), effectiveAt: at(30) })
    expect([20, 30].map((moment) => stateAt([hire, planned, aTermination('bye', 20)], moment))).toEqual([
      'ended',
      'active',
    ])
  })

  test('stored twice: the first receipt counts', () => {
    const bye = aTermination('bye', 11, { receivedAt: at(12), worker: { involuntary: true, lastDayEndsAt: at(30) } })
    expect([11, 12, 19].map((moment) => stateAt([hire, { ...bye, receivedAt: at(20) }, bye], moment))).toEqual([
      'active',
      'ended',
      'ended',
    ])
  })

  test('involuntary, received after access had ended anyway: nothing changes backwards', () => {
    const bye = aTermination('bye', 20, { receivedAt: at(40), worker: { involuntary: true } })
    expect([19, 20].map((moment) => stateAt([hire, bye], moment))).toEqual(['active', 'ended'])
  })

  test('an involuntary flag on somebody who is not terminated ends nothing', () => {
    expect(stateAt([anEvent('hire', { worker: { involuntary: true } })], 12)).toBe('active')
  })

  test('rehire: the next assertion after the termination gives access from its own moment', () => {
    const events = [
      hire,
      aTermination('bye', 20, { worker: { lastDayEndsAt: at(15) } }),
      anEvent('back', { effectiveAt: at(30) }),
    ]
    expect([15, 29, 30].map((moment) => stateAt(events, moment))).toEqual(['ended', 'ended', 'active'])
  })

  test('rehire before the old last day leaves no gap', () => {
    const events = [
      hire,
      aTermination('bye', 20, { worker: { lastDayEndsAt: at(40) } }),
      anEvent('back', { effectiveAt: at(30) }),
    ]
    expect([29, 30, 45].map((moment) => stateAt(events, moment))).toEqual(['active', 'active', 'active'])
  })

  test('a prehire after a termination is no leaver, and has no access', () => {
    const events = [
      hire,
      aTermination('bye', 20),
      anEvent('again', { effectiveAt: at(25), worker: { status: 'prehire' } }),
    ]
    expect(identityAt(fold(events), at(26))).toMatchObject({
      lifecycle: 'prehire',
      leaver: false,
      accountsEnabled: false,
    })
  })
})

describe('the person', () => {
  const hire = anEvent('hire')

  test('before the first snapshot, and with a prehire snapshot: prehire, no leaver', () => {
    expect(identityAt(fold([hire]), at(9))).toMatchObject({
      lifecycle: 'prehire',
      leaver: false,
      accountsEnabled: false,
    })
    expect(identityAt(fold([anEvent('hire', { worker: { status: 'prehire' } })]), at(10))).toMatchObject({
      lifecycle: 'prehire',
      leaver: false,
    })
  })

  test('nothing known: prehire, no leaver, nobody primary', () => {
    expect(identityAt(fold([]), at(0))).toEqual({
      employments: [],
      lifecycle: 'prehire',
      leaver: false,
      primary: null,
      accountsEnabled: false,
    })
  })

  test.each(['leave', 'suspended'] as const)('%s keeps access with accounts disabled', (status) => {
    const person = identityAt(fold([anEvent('hire', { worker: { status } })]), at(10))
    expect(person).toMatchObject({ lifecycle: status, leaver: false, accountsEnabled: false })
    expect(person.employments[0]?.givesAccess).toBe(true)
  })

  test('the best state of any employment; one active employment enables the accounts', () => {
    const person = identityAt(
      fold([anEvent('1', { worker: { status: 'leave' } }), anEvent('2', { worker: other })]),
      at(10),
    )
    expect(person).toMatchObject({ lifecycle: 'active', accountsEnabled: true })
  })

  test('leaver: one employment ended and none gives access, even when another is still to come', () => {
    const events = [hire, aTermination('bye', 20), anEvent('second', { effectiveAt: at(30), worker: other })]
    expect([19, 20, 30].map((moment) => identityAt(fold(events), at(moment)).leaver)).toEqual([false, true, false])
  })

  test('no leaver while another employment gives access', () => {
    const events = [hire, aTermination('bye', 20), anEvent('second', { worker: other })]
    expect(identityAt(fold(events), at(25)).leaver).toBe(false)
  })

  describe('primary employment', () => {
    const primaryOf = (...events: readonly WorkerEvent[]) => identityAt(fold(events), at(50)).primary?.employmentKey
    const employed = (employmentKey: string, primary: boolean, hireDate: string | null) =>
      anEvent(employmentKey, { worker: { employmentKey: employmentKey as EmploymentKey, primary, hireDate } })

    test('the one flagged', () => {
      expect(primaryOf(employed('A', false, '2000-01-01'), employed('B', true, null))).toBe('B')
    })
    test('none flagged: earliest hire date, unknown last', () => {
      expect(
        primaryOf(employed('A', false, null), employed('B', false, '2020-01-01'), employed('C', false, '2019-01-01')),
      ).toBe('C')
    })
    test('two flagged: the earlier hired of the two, then the key', () => {
      expect(
        primaryOf(
          employed('A', false, '1999-01-01'),
          employed('B', true, '2020-01-01'),
          employed('C', true, '2019-01-01'),
        ),
      ).toBe('C')
      expect(primaryOf(employed('B', true, null), employed('A', true, null))).toBe('A')
    })
    test('among those that give access, if any', () => {
      const gone = {
        ...employed('A', true, '2000-01-01'),
        worker: { ...employed('A', true, '2000-01-01').worker, lastDayEndsAt: at(40) },
      }
      expect(primaryOf(gone, employed('B', false, null))).toBe('B')
      expect(primaryOf(gone)).toBe('A')
    })
  })
})
