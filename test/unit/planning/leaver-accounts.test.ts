/** What becomes of a leaver's account: shut, signed out, and days later deleted; never of anybody else's. */
import { describe, expect, test } from 'vitest'
import type { Plan } from '../../../src/domain/action.ts'
import { planChanges } from '../../../src/planning/plan-changes.ts'
import { account, corp, now, open, present, type Situation, situation, target } from './situation.ts'

const day = 86_400_000
const plan = (rules: Parameters<typeof target>[1], given: Situation): Plan =>
  planChanges(situation({ targets: [target(corp, rules)], ...given }))
const kinds = ({ create }: Plan) => create.map(({ kind, lane }) => `${kind} ${lane}`)

describe('sessions', () => {
  const cloudLike = { endSessions: 'native' } as const

  test('a leaver is shut and signed out at once, side by side', () => {
    expect(kinds(plan(cloudLike, { is: 'ended', accounts: [account(1, corp, { enabled: true })] }))).toEqual([
      'disable leaver',
      'endSessions leaver',
    ])
  })

  test('once, as long as the account stays shut', () => {
    const done = account(1, corp, { enabled: false, sessionsEnded: true })
    expect(kinds(plan(cloudLike, { is: 'ended', accounts: [done] }))).toEqual([])
    const before = account(1, corp, { enabled: false, sessionsEnded: false })
    expect(kinds(plan(cloudLike, { is: 'ended', accounts: [before] }))).toEqual(['endSessions leaver'])
  })

  test('nobody else is signed out, and no target that has no such thing is asked', () => {
    for (const is of ['active', 'leave', 'suspended', 'prehire'] as const)
      expect(kinds(plan(cloudLike, { is, accounts: [account(1, corp, { enabled: true })] })).join()).not.toContain(
        'end',
      )
    expect(kinds(plan({}, { is: 'ended', accounts: [account(1, corp, { enabled: true })] }))).toEqual([
      'disable leaver',
    ])
  })
})

describe('a target on which accounts cannot be shut', () => {
  const rules = { disable: 'none', endSessions: 'native' } as const

  test('is never told to shut or to open one', () => {
    for (const is of ['leave', 'suspended', 'prehire'] as const)
      expect(kinds(plan(rules, { is, accounts: [account(1, corp, { enabled: true })] }))).toEqual([])
    expect(
      kinds(plan(rules, { wanted: [1], grants: [present(1)], accounts: [account(1, corp, { enabled: false })] })),
    ).toEqual([])
  })

  test("a leaver's grants go, and are read once more by ending the sessions", () => {
    const unread = account(1, corp, { enabled: null, sessionsEnded: true })
    expect(kinds(plan(rules, { is: 'ended', accounts: [unread], grants: [present(1)] }))).toEqual([
      'endSessions leaver',
      'revoke leaver',
    ])
    const read = account(1, corp, { enabled: true, sessionsEnded: true })
    expect(kinds(plan(rules, { is: 'ended', accounts: [read] }))).toEqual([])
  })
})

describe('deletion', () => {
  const kept = { deleteAfterMs: day } as const
  const shut = account(1, corp, { enabled: false })
  const leaver = { is: 'ended', accounts: [shut] } as const

  test('when the time has passed, and not before', () => {
    expect(kinds(plan(kept, { ...leaver, endedAt: now - day }))).toEqual(['deleteAccount bulk'])
    expect(kinds(plan(kept, { ...leaver, endedAt: now - day + 1 }))).toEqual([])
    expect(kinds(plan({}, { ...leaver, endedAt: now - 100 * day }))).toEqual([])
  })

  test('never of an account that is open, was not read, or still holds something', () => {
    const long = { is: 'ended', endedAt: now - 2 * day } as const
    expect(kinds(plan(kept, { ...long, accounts: [account(1, corp, { enabled: true })] }))).toEqual(['disable leaver'])
    expect(kinds(plan(kept, { ...long, accounts: [account(1, corp, { enabled: null })] }))).toEqual(['disable leaver'])
    expect(kinds(plan(kept, { ...long, accounts: [shut], grants: [present(1)] }))).toEqual(['revoke leaver'])
    expect(kinds(plan(kept, { ...long, accounts: [shut], grants: [present(1, { protected: true })] }))).toEqual([])
    // What a rule or another directory keeps the account in goes with the account.
    const keeping = [present(1, { indirect: true, kept: true })]
    expect(kinds(plan(kept, { ...long, accounts: [shut], grants: keeping }))).toEqual(['deleteAccount bulk'])
  })

  test('never while a call for the account is out', () => {
    const grant = open(7, 'grant', 1, { claimed: true, state: 'dispatched' })
    expect(kinds(plan(kept, { ...leaver, endedAt: now - 2 * day, open: [grant] })).join()).not.toContain('delete')
  })

  test('a rehire stops it, and waits for one that is just going out', () => {
    const planned = open(7, 'deleteAccount', null, { state: 'ready' })
    const back = plan(kept, { wanted: [1], accounts: [shut], open: [planned] })
    expect(back.supersede).toEqual([7])
    expect(kinds(back)).toEqual(['enable bulk', 'grant bulk'])
    const going = open(7, 'deleteAccount', null, { claimed: true, state: 'dispatched' })
    const waiting = plan(kept, { wanted: [1], accounts: [shut], open: [going] })
    expect(waiting.create).toEqual([])
    expect(waiting.awaited.map(({ action }) => action)).toEqual([7])
  })

  test('nobody but a leaver', () => {
    for (const is of ['active', 'leave', 'suspended', 'prehire'] as const)
      expect(kinds(plan(kept, { is, accounts: [shut], endedAt: 0 })).join()).not.toContain('delete')
  })
})

describe('an account that is gone', () => {
  const gone = account(1, corp, { enabled: true, gone: true })

  test('is shut all the same, for it may be restored; and another in its place is looked for, once', () => {
    expect(kinds(plan({}, { is: 'ended', accounts: [gone] }))).toEqual(['disable leaver', 'ensureAccount leaver'])
    expect(kinds(plan({}, { is: 'ended', accounts: [gone], absent: [corp] }))).toEqual(['disable leaver'])
  })

  test('is no reason to look for another one of somebody who stays', () => {
    expect(kinds(plan({}, { accounts: [gone], grants: [present(1)], wanted: [1] }))).toEqual([])
  })
})
