import { describe, expect, test } from 'vitest'
import type { OpenAction, Plan } from '../../../src/domain/action.ts'
import { planChanges, planIsEmpty } from '../../../src/planning/plan-changes.ts'
import {
  account,
  assigned,
  claimed,
  cloud,
  corp,
  held,
  open,
  present,
  type Situation,
  situation,
  waitsFor,
} from './situation.ts'

const plan = (given: Situation): Plan => planChanges(situation(given))
const unknown = { state: 'ready', unknown: true } as const
const created = ({ create }: Plan): readonly string[] =>
  create.map(({ kind, entitlement, lane }) => `${kind} ${entitlement ?? ''} ${lane}`)

describe('the same change is open already', () => {
  const cases: [string, Partial<OpenAction>][] = [
    ['ready', {}],
    ['dispatched', { state: 'dispatched' }],
    ['claimed', claimed],
    ['unknown', unknown],
    ['parked', { state: 'parked' }],
  ]
  test.each(cases)('%s: kept, and nothing changes', (_name, state) => {
    for (const [kind, given] of [
      ['grant', { wanted: [1] }],
      ['revoke', { grants: [present(1)] }],
    ] as const) {
      const made = plan({ ...given, open: [open(7, kind, 1, state)] })
      expect(made).toMatchObject({ create: [], supersede: [], awaited: [], keep: [{ action: 7, changed: false }] })
      expect(planIsEmpty(made)).toBe(true)
    }
  })

  test('kept again after an older plan left it to its outcome: it gets the new version', () => {
    const made = plan({ wanted: [1], open: [open(7, 'grant', 1, { ...claimed, current: false })] })
    expect(made.keep).toMatchObject([{ action: 7, changed: true }])
    expect(planIsEmpty(made)).toBe(false)
  })

  test('the interval of the assignment changed: it is written to the open grant', () => {
    const made = plan({ wanted: [assigned(1, { to: 5_000 as never })], open: [open(7, 'grant', 1)] })
    expect(made.keep).toEqual([
      { action: 7, changed: true, needsAccount: false, afterRevokeOf: [], validFrom: 0, validTo: 5_000, lane: 'bulk' },
    ])
  })

  test('what a leaver loses leaves the bulk lane, unless its call is out', () => {
    const leaver = { is: 'ended', accounts: [account(1, corp)] } as const
    const lanes = (state: Partial<OpenAction>) =>
      plan({
        ...leaver,
        grants: [present(1)],
        open: [open(7, 'revoke', 1, state), open(8, 'disable', null, state)],
      }).keep.map(({ action, changed, lane }) => [action, changed, lane])
    expect(lanes({ unknown: true })).toEqual([
      [7, true, 'leaver'],
      [8, true, 'leaver'],
    ])
    expect(lanes({ unknown: true, lane: 'leaver' })).toEqual([
      [7, false, 'leaver'],
      [8, false, 'leaver'],
    ])
    expect(lanes(claimed)).toEqual([
      [7, false, 'bulk'],
      [8, false, 'bulk'],
    ])
  })

  test('an account is ensured with other attributes than are wanted now: another action does that', () => {
    const ensure = (state: Partial<OpenAction>) =>
      plan({ wanted: [1], accounts: [], open: [open(7, 'ensureAccount', null, { attributesHash: 'h0', ...state })] })
    expect(ensure({})).toMatchObject({
      create: [{ kind: 'ensureAccount', attributesHash: 'h1' }, { kind: 'grant' }],
      supersede: [7],
    })
    expect(ensure({ attributesHash: 'h1' })).toMatchObject({
      create: [{ kind: 'grant' }],
      keep: [{ action: 7, changed: false }],
    })
    // Never two calls that create one account.
    expect(ensure(claimed)).toMatchObject({
      create: [{ kind: 'grant', needsAccount: true }],
      awaited: [{ action: 7, changed: true }],
    })
  })
})

describe('nobody wants it any more', () => {
  test.each([
    ['waiting', { state: 'waiting', needsAccount: true }],
    ['ready', {}],
    ['dispatched', { state: 'dispatched' }],
    ['parked', { state: 'parked' }],
  ] as [string, Partial<OpenAction>][])('%s and unclaimed: superseded', (_name, state) => {
    expect(plan({ open: [open(7, 'grant', 1, state)] }).supersede).toEqual([7])
    expect(plan({ wanted: [1], grants: [present(1)], open: [open(7, 'revoke', 1, state)] }).supersede).toEqual([7])
  })

  test.each([
    ['claimed', claimed],
    ['unknown', unknown],
  ] as [string, Partial<OpenAction>][])('%s: its outcome is awaited, and nothing is sent beside it', (_name, state) => {
    const grant = plan({ open: [open(7, 'grant', 1, state)] })
    expect(grant).toMatchObject({ create: [], supersede: [], keep: [], awaited: [{ action: 7, changed: true }] })
    expect(planIsEmpty(grant)).toBe(false)
    const revoke = plan({ wanted: [1], grants: [present(1)], open: [open(7, 'revoke', 1, state)] })
    expect(revoke).toMatchObject({ create: [], awaited: [{ action: 7 }] })
    const gone = plan({ wanted: [1], open: [open(7, 'revoke', 1, state)] })
    expect(gone).toMatchObject({ create: [], awaited: [{ action: 7 }] })
  })

  test('awaited already: the version has left it behind, so nothing changes', () => {
    expect(planIsEmpty(plan({ open: [open(7, 'grant', 1, { ...claimed, current: false })] }))).toBe(true)
  })

  test('held while its call is out: awaited, so that a retry does not run it again', () => {
    const made = plan({ wanted: [1], verdicts: { 1: held(2) }, open: [open(7, 'grant', 1, claimed)] })
    expect(made).toMatchObject({ create: [], keep: [], awaited: [{ action: 7, changed: true }], held: [] })
  })
})

describe('what a grant waits for', () => {
  const waiting = (state: Partial<OpenAction>) => open(7, 'grant', 1, { state: 'waiting', ...state })

  test.each([['waiting'], ['ready']] as const)('%s, and its account is still not linked: nothing changes', (state) => {
    const ensure = open(8, 'ensureAccount', null, { attributesHash: 'h1' })
    const made = plan({ wanted: [1], accounts: [], open: [ensure, open(7, 'grant', 1, { state, needsAccount: true })] })
    expect(made).toMatchObject({ create: [], supersede: [] })
    expect(planIsEmpty(made)).toBe(true)
  })

  test('still waits for the same: nothing changes', () => {
    const given = {
      wanted: [1],
      verdicts: { 1: waitsFor(2) },
      grants: [present(2)],
      open: [waiting({ afterRevokeOf: [2] as never }), open(8, 'revoke', 2)],
    }
    expect(planIsEmpty(plan(given))).toBe(true)
  })

  test('has nothing to wait for any more: kept, and released', () => {
    const made = plan({ wanted: [1], open: [waiting({ afterRevokeOf: [2] as never })] })
    expect(made.keep).toMatchObject([{ action: 7, changed: true, afterRevokeOf: [], needsAccount: false }])
  })

  test('the account is linked now: kept, and released', () => {
    expect(plan({ wanted: [1], open: [waiting({ needsAccount: true })] }).keep).toMatchObject([
      { changed: true, needsAccount: false },
    ])
  })

  test('waits for the account still, although it waits for no revoke any more', () => {
    const made = plan({
      wanted: [1],
      accounts: [],
      open: [waiting({ needsAccount: true, afterRevokeOf: [2] as never })],
    })
    expect(made.keep).toMatchObject([{ changed: true, needsAccount: true, afterRevokeOf: [] }])
  })

  test.each([['ready'], ['dispatched'], ['parked']] as const)(
    '%s, and must wait now: a new one that waits takes its place',
    (state) => {
      const made = plan({
        wanted: [1],
        verdicts: { 1: waitsFor(2) },
        grants: [present(2)],
        open: [open(7, 'grant', 1, { state })],
      })
      expect(made.supersede).toEqual([7])
      expect(made.create).toMatchObject([{ kind: 'revoke' }, { kind: 'grant', afterRevokeOf: [2] }])
    },
  )

  test('in flight, and should have waited: awaited', () => {
    const made = plan({
      wanted: [1],
      verdicts: { 1: waitsFor(2) },
      grants: [present(2)],
      open: [open(7, 'grant', 1, claimed)],
    })
    expect(created(made)).toEqual(['revoke 2 bulk'])
    expect(made.awaited).toMatchObject([{ action: 7 }])
  })
})

describe('leavers', () => {
  const shut = [account(1, corp, { enabled: false }), account(2, cloud, { enabled: false })]

  test.each([
    ['claimed', claimed],
    ['unknown', unknown],
  ] as [string, Partial<OpenAction>][])('a %s grant: its inverse is sent at once, once', (_name, state) => {
    const grant = open(7, 'grant', 1, state)
    const first = plan({ is: 'ended', accounts: shut, open: [grant] })
    expect(first.create).toMatchObject([
      { kind: 'revoke', entitlement: 1, lane: 'leaver', reason: { kind: 'inverse-of-claimed', action: 7 } },
    ])
    const inverse = open(8, 'revoke', 1, { lane: 'leaver' })
    expect(plan({ is: 'ended', accounts: shut, open: [grant, inverse], inverseSent: [7] })).toMatchObject({
      create: [],
      keep: [{ action: 8 }],
      supersede: [],
    })
    expect(plan({ is: 'ended', accounts: shut, open: [{ ...grant, current: false }], inverseSent: [7] })).toMatchObject(
      { create: [] },
    )
  })

  test('a claimed enable: its inverse is sent at once, also when the account was last seen shut', () => {
    const enable = open(7, 'enable', null, claimed)
    expect(created(plan({ is: 'ended', accounts: shut, open: [enable] }))).toEqual(['disable  leaver'])
    expect(created(plan({ is: 'ended', accounts: shut, open: [enable], inverseSent: [7] }))).toEqual([])
  })

  test('an unclaimed grant, enable or ensureAccount is superseded', () => {
    const kinds = [open(7, 'grant', 1), open(8, 'enable', null), open(9, 'ensureAccount', null, { target: cloud })]
    expect(plan({ is: 'ended', accounts: shut, open: kinds })).toMatchObject({ create: [], supersede: [7, 8, 9] })
  })

  test('bulk revokes and disables that nobody claimed are replaced in the leaver lane, parked ones too', () => {
    const actions = [open(7, 'revoke', 1), open(8, 'disable', null), open(9, 'revoke', 2, { state: 'parked' })]
    const accounts = [account(1, corp), ...shut.slice(1)]
    const made = plan({ is: 'ended', accounts, grants: [present(1), present(2)], open: actions })
    expect(created(made)).toEqual(['disable  leaver', 'revoke 1 leaver', 'revoke 2 leaver'])
    expect(made.supersede).toEqual([7, 8, 9])
  })

  test('looking for an account takes the place of making it; what is in flight is waited for', () => {
    const making = open(7, 'ensureAccount', null)
    const seeking = open(8, 'ensureAccount', null, { lane: 'leaver' })
    const leaver = (given: Situation) => plan({ is: 'ended', accounts: shut.slice(1), ...given })
    expect(leaver({ open: [making] })).toMatchObject({ create: [{ lane: 'leaver' }], supersede: [7] })
    expect(leaver({ open: [{ ...making, ...claimed }] })).toMatchObject({ create: [], awaited: [{ action: 7 }] })
    expect(leaver({ open: [seeking] })).toMatchObject({ create: [], keep: [{ action: 8 }] })
    // Of an earlier leave: what looks now looks on.
    expect(leaver({ open: [seeking], absent: [corp] })).toMatchObject({ create: [], keep: [{ action: 8 }] })
    const back = plan({ wanted: [1], accounts: shut.slice(1), attributes: {}, open: [seeking] })
    expect(created(back)).toContain('ensureAccount  bulk')
    expect(back.supersede).toEqual([8])
  })

  test('a bulk revoke in flight is kept: its call is out', () => {
    const made = plan({ is: 'ended', accounts: shut, grants: [present(1)], open: [open(7, 'revoke', 1, claimed)] })
    expect(made).toMatchObject({ create: [], keep: [{ action: 7 }] })
  })

  test('rehired: leaver revokes of what is still not wanted stay in their lane; what is wanted waits for the call', () => {
    const made = plan({
      wanted: [2],
      grants: [present(1), present(2)],
      open: [open(7, 'revoke', 1, { lane: 'leaver' }), open(8, 'revoke', 2, { lane: 'leaver', ...claimed })],
    })
    expect(made).toMatchObject({ create: [], keep: [{ action: 7 }], awaited: [{ action: 8 }] })
  })
})

describe('opposite calls in flight', () => {
  test('back from leave while the disable is out: nothing beside it', () => {
    const made = plan({
      wanted: [1],
      grants: [present(1)],
      accounts: [account(1, corp, { enabled: false })],
      open: [open(7, 'disable', null, claimed)],
    })
    expect(made).toMatchObject({ create: [], awaited: [{ action: 7 }] })
  })

  test('to leave while the enable is out: nothing beside it', () => {
    const made = plan({
      is: 'leave',
      wanted: [1],
      grants: [present(1)],
      accounts: [account(1, corp)],
      open: [open(7, 'enable', null, claimed)],
    })
    expect(made).toMatchObject({ create: [], awaited: [{ action: 7 }] })
  })
})
