import { describe, expect, test } from 'vitest'
import type { Outcome, RefusalReason } from '../../../src/domain/outcome.ts'
import { accountOutOfSight, refusalReasons, sentUnproved } from '../../../src/domain/outcome.ts'
import { type Attempt, patience, whatNext } from '../../../src/planning/retry.ts'

const cause = { code: '51', word: 'busy' }
const attempt = (given: Partial<Attempt> = {}): Attempt => ({
  lane: 'bulk',
  kind: 'grant',
  attempts: 1,
  rests: 0,
  accounts: 'create',
  deadlineInMs: 60_000,
  random: 0,
  ...given,
})
const retry: Outcome = { kind: 'retry', cause }
const unknown: Outcome = { kind: 'unknown', cause }
const refused = (reason: RefusalReason): Outcome => ({ kind: 'refused', reason, cause })

describe('retry', () => {
  test('backs off exponentially up to the cap, half of it jitter', () => {
    const pauses = [1, 2, 3, 4, 20].map((attempts) => whatNext(retry, attempt({ attempts })))
    expect(pauses).toMatchObject(
      [250, 500, 1000, 2000, 150_000].map((afterMs) => ({ kind: 'again', afterMs, counts: true })),
    )
    expect(whatNext(retry, attempt({ random: 0.5 }))).toMatchObject({ afterMs: 375 })
  })

  test('waits as long as the target asks, if that is longer', () => {
    expect(whatNext({ ...retry, retryAfterMs: 9_000 }, attempt())).toMatchObject({ afterMs: 9_000 })
    expect(whatNext({ ...retry, retryAfterMs: 1 }, attempt())).toMatchObject({ afterMs: 250 })
  })

  test('bulk: a finding from the tenth attempt, parked after the fortieth, more than an hour later', () => {
    expect(whatNext(retry, attempt({ attempts: 9 }))).toMatchObject({ finding: null })
    expect(whatNext(retry, attempt({ attempts: 10 }))).toMatchObject({ kind: 'again', finding: 'still-failing' })
    expect(whatNext(retry, attempt({ attempts: 39 }))).toMatchObject({ kind: 'again' })
    expect(whatNext(retry, attempt({ attempts: 40 }))).toEqual({ kind: 'park', finding: 'retries-exhausted' })
    // At the shortest pauses that chance may give.
    let rides = 0
    for (let attempts = 1; attempts < 40; attempts++) {
      const next = whatNext(retry, attempt({ attempts, random: 0 }))
      rides += next.kind === 'again' ? next.afterMs : 0
    }
    expect(rides).toBeGreaterThan(3_600_000)
  })

  test('leaver: a finding from the fifth attempt, never given up, never more than half a minute apart', () => {
    const leaver = (attempts: number) => whatNext(retry, attempt({ lane: 'leaver', attempts, random: 0.999 }))
    expect(leaver(4)).toMatchObject({ finding: null })
    expect(leaver(5)).toMatchObject({ kind: 'again', finding: 'still-failing' })
    for (const attempts of [30, 1_000, 30_000]) {
      const next = leaver(attempts)
      expect(next).toMatchObject({ kind: 'again', finding: 'still-failing' })
      expect(next.kind === 'again' && next.afterMs).toBeLessThanOrEqual(patience.leaver.capMs)
    }
  })
})

describe('trouble of the target, not of the action', () => {
  const elsewhere = { code: 'ECONNREFUSED', word: 'unreachable', elsewhere: true } as const
  const lease = { code: '', word: 'lease' }

  test.each([
    ['retry', 'again', elsewhere],
    ['retry', 'again', lease],
    ['unknown', 'readBack', elsewhere],
  ] as const)(
    'bulk, %s: %s for ever at the longest pause, burning few attempts, no finding of its own',
    (kind, next, why) => {
      const told: Outcome = { kind, cause: why }
      expect(whatNext(told, attempt({ attempts: 11 }))).toMatchObject({ kind: next, counts: true, finding: null })
      for (const attempts of [12, 40, 4_000])
        expect(whatNext(told, attempt({ attempts }))).toEqual({
          kind: next,
          afterMs: 150_000,
          counts: false,
          finding: null,
        })
    },
  )

  test('after an outage of any length, an action’s own trouble parks it no sooner than after half an hour', () => {
    let attempts = 0
    for (let tries = 0; tries < 1_000; tries++) {
      const next = whatNext({ kind: 'retry', cause: elsewhere }, attempt({ attempts: attempts + 1 }))
      attempts += next.kind === 'again' && next.counts ? 1 : 0
    }
    let rides = 0
    for (; attempts + 1 < (patience.bulk.giveUpAfter ?? 0); attempts++) {
      const next = whatNext(retry, attempt({ attempts: attempts + 1 }))
      rides += next.kind === 'again' ? next.afterMs : 0
    }
    expect(rides).toBeGreaterThan(1_800_000)
    expect(whatNext(retry, attempt({ attempts: attempts + 1 }))).toEqual({ kind: 'park', finding: 'retries-exhausted' })
  })

  test('a leaver pages as ever', () => {
    expect(whatNext({ kind: 'retry', cause: elsewhere }, attempt({ lane: 'leaver', attempts: 40 }))).toMatchObject({
      kind: 'again',
      counts: true,
      finding: 'still-failing',
    })
  })
})

describe('unknown', () => {
  test('is read back before anything else, and never given up', () => {
    expect(whatNext(unknown, attempt())).toEqual({ kind: 'readBack', afterMs: 250, counts: true, finding: null })
    for (const lane of ['bulk', 'leaver'] as const)
      expect(whatNext(unknown, attempt({ lane, attempts: 500, readBack: true }))).toMatchObject({
        kind: 'readBack',
        finding: 'still-unknown',
      })
  })

  test('a read-back that says "not so" lets the action go again', () => {
    expect(whatNext(retry, attempt({ readBack: true }))).toMatchObject({ kind: 'again' })
  })
})

describe('throttled and pending', () => {
  test('throttled counts no attempt and spreads the return', () => {
    const throttled: Outcome = { kind: 'throttled', retryAfterMs: 1_000, scope: 'corp' }
    expect(whatNext(throttled, attempt({ attempts: 99, random: 0.25 }))).toEqual({
      kind: 'again',
      afterMs: 1_250,
      counts: false,
      finding: null,
    })
    expect(whatNext(throttled, attempt({ readBack: true }))).toMatchObject({ kind: 'readBack', counts: false })
  })

  test('pending is polled', () => {
    const pending: Outcome = { kind: 'pending', handle: 'h', pollAfterMs: 700 }
    expect(whatNext(pending, attempt({ attempts: 99 }))).toEqual({
      kind: 'poll',
      afterMs: 700,
      counts: false,
      finding: null,
    })
  })
})

describe('refused', () => {
  const reasons = refusalReasons.filter((reason) => reason !== 'credential')
  test.each(reasons)('bulk, %s: parked with its reason at once', (reason) => {
    expect(whatNext(refused(reason), attempt())).toEqual({ kind: 'park', finding: reason })
  })

  const lasting: readonly RefusalReason[] = ['entitlement-missing', 'account-missing', 'protected']
  const leaver = (reason: RefusalReason, given: Partial<Attempt>) =>
    whatNext(refused(reason), attempt({ lane: 'leaver', kind: 'revoke', ...given }))

  test.each(lasting)(
    'leaver, %s: rests at once, for there is nothing to take away or it must stay, and not for ever',
    (reason) => {
      expect(leaver(reason, {})).toEqual({ kind: 'park', finding: reason, afterMs: 450_000 })
      expect(leaver(reason, { rests: 1 })).toMatchObject({ kind: 'park', afterMs: 900_000 })
      expect(leaver(reason, { rests: 99 })).toMatchObject({ kind: 'park', afterMs: 10_800_000 })
      // What it went through in an outage makes no rest longer.
      expect(leaver(reason, { attempts: 99 })).toMatchObject({ kind: 'park', afterMs: 450_000 })
    },
  )

  test.each(reasons.filter((reason) => !lasting.includes(reason)))(
    'leaver, %s: tried again within seconds some times, then ever more seldom, told each time and never given up',
    (reason) => {
      const tries = [1, 4, 7].map((attempts) => leaver(reason, { attempts }))
      expect(tries).toEqual(
        [50, 400, 3_200].map((afterMs) => ({ kind: 'again', afterMs, counts: true, finding: reason })),
      )
      const rests = [0, 1, 9, 99].map((past) => leaver(reason, { attempts: 8 + past, rests: past }))
      expect(rests).toEqual(
        [30_000, 60_000, 10_800_000, 10_800_000].map((afterMs) => ({ kind: 'park', afterMs, finding: reason })),
      )
      // What shuts somebody out who may be inside, for half a day every few minutes.
      for (const kind of ['disable', 'endSessions'] as const) {
        const soon = [0, 9, 143, 144].map((past) => leaver(reason, { attempts: 8 + past, rests: past, kind }))
        expect(soon).toMatchObject([30_000, 150_000, 150_000, 10_800_000].map((afterMs) => ({ kind: 'park', afterMs })))
      }
    },
  )

  test('a leaver’s account where Muster may not look is asked for as seldom, whatever the reason says', () => {
    const outOfSight = { ...refused('configuration'), cause: { code: '50', word: accountOutOfSight } } as Outcome
    const next = (given: Partial<Attempt>) => whatNext(outOfSight, attempt(given))
    expect(next({ lane: 'leaver' })).toEqual({ kind: 'park', finding: 'configuration', afterMs: 450_000 })
    expect(next({ lane: 'leaver', rests: 99 })).toMatchObject({ kind: 'park', afterMs: 10_800_000 })
    expect(next({})).toEqual({ kind: 'park', finding: 'configuration' })
  })

  test.each(['leaver', 'bulk'] as const)(
    'what may have been done to such an account is read back as seldom, and told at once: %s',
    (lane) => {
      const next = whatNext({ kind: 'unknown', cause: { code: '50', word: accountOutOfSight } }, attempt({ lane }))
      expect(next).toEqual({ kind: 'readBack', afterMs: 450_000, counts: true, finding: 'still-unknown' })
    },
  )

  test('what was taken away and can never be proved is told, and sent again as seldom', () => {
    const unproved = { ...refused('not-allowed'), cause: { code: '', word: sentUnproved } } as Outcome
    const next = (given: Partial<Attempt>) => whatNext(unproved, attempt(given))
    expect(next({ lane: 'leaver' })).toEqual({ kind: 'park', finding: 'not-allowed', afterMs: 450_000 })
    expect(next({ lane: 'leaver', rests: 99 })).toMatchObject({ kind: 'park', afterMs: 10_800_000 })
    expect(next({})).toEqual({ kind: 'park', finding: 'not-allowed' })
  })

  test('a credential that the target does not take is nobody’s failure: tried again for ever, no attempt burnt', () => {
    const next = (lane: Attempt['lane']) => whatNext(refused('credential'), attempt({ lane, attempts: 99 }))
    expect(next('bulk')).toEqual({ kind: 'again', afterMs: 30_000, counts: false, finding: null })
    expect(next('leaver')).toEqual({ kind: 'again', afterMs: 5_000, counts: false, finding: null })
  })

  test('looking for the account of a leaver is done when there is none, and goes on slowly when there are several', () => {
    const sought = (reason: RefusalReason, accounts: Attempt['accounts'] = 'create') =>
      whatNext(refused(reason), attempt({ lane: 'leaver', kind: 'ensureAccount', accounts, attempts: 99 }))
    expect(sought('account-missing')).toEqual({ kind: 'done' })
    expect(sought('account-missing', 'expect')).toEqual({ kind: 'done' })
    expect(sought('account-ambiguous')).toMatchObject({ kind: 'again', afterMs: 450_000, finding: 'account-ambiguous' })
    expect(sought('not-allowed')).toMatchObject({ kind: 'park', afterMs: 30_000, finding: 'not-allowed' })
  })

  test('an account that something else creates is waited for until the deadline', () => {
    const missing = (given: Partial<Attempt>) =>
      whatNext(refused('account-missing'), attempt({ kind: 'ensureAccount', accounts: 'expect', ...given }))
    expect(missing({ attempts: 99 })).toEqual({ kind: 'again', afterMs: 15_000, counts: false, finding: null })
    expect(missing({ deadlineInMs: 100 })).toMatchObject({ afterMs: 100 })
    expect(missing({ deadlineInMs: 0 })).toEqual({ kind: 'park', finding: 'account-missing' })
    expect(missing({ deadlineInMs: null })).toMatchObject({ kind: 'again', afterMs: 15_000 })
    expect(missing({ kind: 'grant' })).toMatchObject({ kind: 'park' })
    expect(missing({ accounts: 'create' })).toMatchObject({ kind: 'park' })
  })
})

describe('what another hand brings', () => {
  const brought: Outcome = { kind: 'retry', retryAfterMs: 60_000, cause: { code: '', word: 'scim-owned', awaited: [] } }
  const next = (given: Partial<Attempt>) => whatNext(brought, attempt(given))

  test.each(['bulk', 'leaver'] as const)('%s: waited for however often, no attempt burnt, nobody told', (lane) => {
    for (const attempts of [1, 40, 4_000])
      expect(next({ lane, attempts })).toEqual({ kind: 'again', afterMs: 60_000, counts: false, finding: null })
    expect(next({ lane, deadlineInMs: null })).toMatchObject({ kind: 'again', finding: null })
  })

  test('overdue: a finding, and it goes on; bulk work looks seldom then, a leaver’s as often as before', () => {
    const overdue = { deadlineInMs: 0, attempts: 4_000 }
    expect(next(overdue)).toEqual({ kind: 'again', afterMs: 450_000, counts: false, finding: 'not-brought' })
    expect(next({ ...overdue, lane: 'leaver' })).toMatchObject({ afterMs: 60_000, finding: 'not-brought' })
  })
})

test('done is done', () => {
  const evidence = { read: 'member-values', code: '0', account: 'a' as never, entitlement: null }
  expect(whatNext({ kind: 'done', changed: true, evidence }, attempt({ attempts: 99 }))).toEqual({ kind: 'done' })
})
