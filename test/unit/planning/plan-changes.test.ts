import { describe, expect, test } from 'vitest'
import type { Plan } from '../../../src/domain/action.ts'
import { planChanges, planIsEmpty } from '../../../src/planning/plan-changes.ts'
import { presentAccess } from '../../../src/planning/present.ts'
import {
  account,
  assigned,
  claimed,
  cloud,
  corp,
  e,
  held,
  open,
  present,
  type Situation,
  situation,
  target,
  waitsFor,
} from './situation.ts'

const plan = (given: Situation): Plan => planChanges(situation(given))
const words = ({ create }: Plan): readonly string[] =>
  create.map(
    ({ kind, entitlement, target: on, lane }) => `${lane === 'leaver' ? 'leaver ' : ''}${kind} ${entitlement ?? on}`,
  )

describe('accounts', () => {
  test('come before grants: one account is ensured, and its grants wait for it', () => {
    const made = plan({ wanted: [1, 2, 101], accounts: [account(2, cloud)] })
    expect(words(made)).toEqual(['ensureAccount corp', 'grant 101', 'grant 1', 'grant 2'])
    expect(made.create.map(({ needsAccount }) => needsAccount)).toEqual([false, false, true, true])
    expect(made.create[0]).toMatchObject({ account: null, attributesHash: 'h1', reason: { kind: 'account-wanted' } })
  })

  test('nothing is wanted there: no account is made', () => {
    expect(words(plan({ wanted: [1], accounts: [account(1, corp)], grants: [present(1)] }))).toEqual([])
  })

  test('attributes that differ are updated beside the grants, which do not wait', () => {
    const made = plan({ wanted: [1], accounts: [account(1, corp, { attributesHash: 'old' })] })
    expect(words(made)).toEqual(['ensureAccount corp', 'grant 1'])
    expect(made.create[1]?.needsAccount).toBe(false)
  })

  test('what is held indirectly is not known: it is read before something is given there, and for nothing else', () => {
    const unread = [account(1, corp, { indirectUnread: true })]
    const made = plan({ wanted: [1], accounts: unread })
    expect(words(made)).toEqual(['ensureAccount corp', 'grant 1'])
    expect(made.create[0]).toMatchObject({ account: 1, reason: { kind: 'indirect-unread' } })
    expect(words(plan({ wanted: [1], grants: [present(1)], accounts: unread }))).toEqual([])
    expect(words(plan({ wanted: [101], accounts: [...unread, account(2, cloud)] }))).toEqual(['grant 101'])
    expect(words(plan({ is: 'ended', accounts: unread }))).not.toContain('ensureAccount corp')
  })

  test('attributes that are not ours are left alone', () => {
    expect(words(plan({ accounts: [account(1, corp, { attributesHash: null })], attributes: {} }))).toEqual([])
  })

  test('leave disables and keeps what is held; an unknown state is closed, a closed one left', () => {
    const grants = [present(1)]
    const disabled = (enabled: boolean | null) =>
      words(plan({ is: 'leave', wanted: [1], grants, accounts: [account(1, corp, { enabled })] }))
    expect(disabled(true)).toEqual(['disable corp'])
    expect(disabled(null)).toEqual(['disable corp'])
    expect(disabled(false)).toEqual([])
  })

  test('back from leave is enabled; an unknown state is not opened', () => {
    const enabled = (state: boolean | null) =>
      words(plan({ wanted: [1], grants: [present(1)], accounts: [account(1, corp, { enabled: state })] }))
    expect(enabled(false)).toEqual(['enable corp'])
    expect(enabled(null)).toEqual([])
  })

  test('an account on which nothing is wanted is not opened, but closed with the others', () => {
    const accounts = [account(1, corp, { enabled: false }), account(2, cloud)]
    expect(words(plan({ wanted: [101], grants: [present(101)], accounts }))).toEqual([])
    expect(words(plan({ is: 'suspended', accounts }))).toEqual(['disable cloud'])
  })

  test('somebody only to come does not sign in and loses what is not wanted; nothing is made or written for them', () => {
    const toCome = (enabled: boolean | null) =>
      words(
        plan({
          is: 'prehire',
          wanted: [101],
          accounts: [account(1, corp, { enabled, attributesHash: 'old' })],
          grants: [present(1)],
        }),
      )
    expect(toCome(true)).toEqual(['disable corp', 'revoke 1'])
    expect(toCome(null)).toEqual(['disable corp', 'revoke 1'])
    expect(toCome(false)).toEqual(['revoke 1'])
  })

  test('the account of a leaver of which nothing is known is looked for, once', () => {
    const leaver = (given: Partial<Situation>) => plan({ is: 'ended', accounts: [], targets: [target(corp)], ...given })
    expect(leaver({}).create).toMatchObject([
      { kind: 'ensureAccount', target: corp, account: null, lane: 'leaver', attributesHash: null },
    ])
    expect(words(leaver({ absent: [cloud] }))).toEqual(['leaver ensureAccount corp'])
    expect(words(leaver({ absent: [corp] }))).toEqual([])
    expect(words(leaver({ accounts: [account(1, corp, { enabled: false })] }))).toEqual([])
    expect(words(plan({ is: 'prehire', accounts: [] }))).toEqual([])
  })
})

describe('grants', () => {
  test('carry rules, account and the interval of the assignment', () => {
    const made = plan({ wanted: [assigned(1, { from: 5 as never, to: 9_000 as never })] })
    expect(made.create).toEqual([
      {
        target: corp,
        kind: 'grant',
        entitlement: 1,
        account: 1,
        lane: 'bulk',
        reason: { kind: 'assigned', rules: ['rule-1'] },
        attributesHash: null,
        needsAccount: false,
        afterRevokeOf: [],
        validFrom: 5,
        validTo: 9_000,
      },
    ])
  })

  test('what is there is not granted again', () => {
    expect(words(plan({ wanted: [1], grants: [present(1), present(1, { indirect: true })] }))).toEqual([])
  })

  test('what is there only indirectly is granted all the same: it may end by any other hand', () => {
    const input = situation({ wanted: [2], grants: [present(2, { indirect: true })] })
    const verdicts = new Map([[e(2), { kind: 'go' } as const]])
    expect(words(planChanges({ ...input, decision: { ...input.decision, verdicts } }))).toEqual(['grant 2'])
  })

  test('held both ways: its revoke frees nothing', () => {
    const grants = [present(2), present(2, { indirect: true })]
    const made = plan({ wanted: [1], verdicts: { 1: waitsFor(2) }, grants })
    expect(words(made)).toEqual(['revoke 2'])
    expect(made.held).toEqual([{ entitlement: 1, policies: ['maker-checker'], conflictsWith: [2] }])
    expect(
      presentAccess([target(corp)], grants, []).map(({ state, revocable }) => `${state}${revocable ? '' : '!'}`),
    ).toEqual(['held', 'indirect!'])
  })

  test('a held one makes no action; its open action is superseded', () => {
    const made = plan({ wanted: [1], verdicts: { 1: held(2) }, open: [open(7, 'grant', 1)] })
    expect(made).toEqual({
      create: [],
      supersede: [7],
      keep: [],
      awaited: [],
      held: [{ entitlement: 1, policies: ['maker-checker'], conflictsWith: [2] }],
    })
  })

  test('one that waits names only what this plan takes away', () => {
    const made = plan({ wanted: [1], verdicts: { 1: waitsFor(2) }, grants: [present(2)] })
    expect(words(made)).toEqual(['revoke 2', 'grant 1'])
    expect(made.create[1]?.afterRevokeOf).toEqual([2])
  })

  test('waits across targets', () => {
    const made = plan({ wanted: [101], verdicts: { 101: waitsFor(1) }, grants: [present(1)] })
    expect(made.create.at(-1)).toMatchObject({ entitlement: 101, afterRevokeOf: [1] })
  })

  test.each([
    ['protected', present(2, { protected: true })],
    ['indirect', present(2, { indirect: true })],
    ['in no catalogue', present(2, { managed: false })],
  ])('a wait for what is %s would never end: it is held', (_name, grant) => {
    const made = plan({ wanted: [1], verdicts: { 1: waitsFor(2) }, grants: [grant] })
    expect(words(made)).toEqual([])
    expect(made.held).toEqual([{ entitlement: 1, policies: ['maker-checker'], conflictsWith: [2] }])
  })

  test('a wait for a revoke on a target that is only observed is a hold', () => {
    const targets = [target(corp, { mode: 'observe' }), target(cloud)]
    expect(plan({ targets, wanted: [101], verdicts: { 101: waitsFor(1) }, grants: [present(1)] }).held).toHaveLength(1)
  })

  test('waits for a conflicting call in flight that nobody wants any more', () => {
    const made = plan({ wanted: [1], verdicts: { 1: waitsFor(2) }, open: [open(7, 'grant', 2, claimed)] })
    expect(made.create).toMatchObject([{ kind: 'grant', entitlement: 1, afterRevokeOf: [2] }])
    expect(made.awaited).toEqual([{ action: 7, changed: true }])
  })

  test('an unclaimed conflicting grant is superseded, and nothing waits for it', () => {
    const made = plan({ wanted: [1], verdicts: { 1: waitsFor(2) }, open: [open(7, 'grant', 2)] })
    expect(made.create).toMatchObject([{ entitlement: 1, afterRevokeOf: [] }])
    expect(made.supersede).toEqual([7])
  })

  test('nothing is granted unjudged', () => {
    const input = situation({ wanted: [1] })
    expect(() => planChanges({ ...input, decision: { ...input.decision, verdicts: new Map() } })).toThrow(
      'nothing judged it',
    )
  })

  test('whatever the decision says, a person without access is given nothing', () => {
    for (const is of ['prehire', 'ended', 'rescinded'] as const) {
      const made = plan({ is, wanted: [1, 101], accounts: [account(1, corp, { enabled: false })] })
      expect(words(made)).toEqual(is === 'prehire' ? [] : ['leaver ensureAccount cloud'])
    }
  })
})

describe('revokes', () => {
  test('what is managed and not wanted goes; what no catalogue knows, is protected or indirect stays', () => {
    const grants = [
      present(1),
      present(2, { managed: false }),
      present(3, { protected: true }),
      present(4, { indirect: true }),
    ]
    const made = plan({ grants })
    expect(made.create).toMatchObject([
      { kind: 'revoke', entitlement: 1, lane: 'bulk', reason: { kind: 'no-longer-assigned' } },
    ])
  })

  test('a leaver loses what no catalogue knows as well, in the leaver lane, disable first', () => {
    const grants = [
      present(2, { managed: false }),
      present(1),
      present(3, { protected: true }),
      present(4, { indirect: true }),
    ]
    const made = plan({ is: 'ended', grants })
    expect(words(made)).toEqual(['leaver disable cloud', 'leaver disable corp', 'leaver revoke 1', 'leaver revoke 2'])
    expect(made.create.map(({ reason }) => reason)).toMatchObject([
      {},
      {},
      { unmanaged: false },
      { kind: 'leaver', unmanaged: true },
    ])
  })

  test('unless the target only reports that', () => {
    const made = plan({
      is: 'ended',
      targets: [target(corp, { leaverUnmanaged: 'report' })],
      grants: [present(1), present(2, { managed: false })],
    })
    expect(words(made)).toEqual(['leaver disable corp', 'leaver revoke 1'])
  })

  test('separation of duties alone takes nothing away', () => {
    const input = situation({ wanted: [1, 2], grants: [present(1), present(2)] })
    const violations = [{ policy: 'maker-checker', sides: [], exception: null }]
    expect(planIsEmpty(planChanges({ ...input, decision: { ...input.decision, violations } }))).toBe(true)
  })

  test('a leaver whose accounts are known to be shut needs no disable', () => {
    expect(
      words(
        plan({ is: 'ended', accounts: [account(1, corp, { enabled: false }), account(2, cloud, { enabled: null })] }),
      ),
    ).toEqual(['leaver disable cloud'])
  })
})

describe('order of what is created', () => {
  test('what takes away first, then by target and entitlement', () => {
    const made = plan({
      is: 'active',
      wanted: [3, 1, 101],
      accounts: [account(1, corp, { enabled: false, attributesHash: 'old' })],
      grants: [present(5), present(4), present(102)],
    })
    expect(words(made)).toEqual([
      'revoke 102',
      'revoke 4',
      'revoke 5',
      'ensureAccount cloud',
      'ensureAccount corp',
      'enable corp',
      'grant 101',
      'grant 1',
      'grant 3',
    ])
  })
})
