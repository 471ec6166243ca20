/** What a plan does about changes behind Muster's back. */
import { describe, expect, test } from 'vitest'
import type { Plan } from '../../../src/domain/action.ts'
import type { Instant } from '../../../src/domain/instant.ts'
import { differences, tooManyGone } from '../../../src/planning/differences.ts'
import { planChanges } from '../../../src/planning/plan-changes.ts'
import { presentAccess } from '../../../src/planning/present.ts'
import { account, assigned, cloud, corp, present, type Situation, situation, target } from './situation.ts'

const plan = (given: Situation): Plan => planChanges(situation({ accounts: [account(1, corp)], ...given }))
const words = ({ create }: Plan) => create.map(({ kind, entitlement, lane }) => `${lane} ${kind} ${entitlement}`)

describe('somebody was let in', () => {
  const appeared = present(1, { found: true, reverted: true })

  test('is put out again where that is the policy, with its reason, and only then', () => {
    expect(plan({ grants: [appeared] }).create).toMatchObject([
      { kind: 'revoke', entitlement: 1, lane: 'bulk', reason: { kind: 'drift' } },
    ])
    expect(words(plan({ grants: [present(1, { found: true })] }))).toEqual([])
  })

  test('stays where a rule wants it, where it is protected, and where Muster cannot take it', () => {
    expect(words(plan({ wanted: [1], grants: [appeared] }))).toEqual([])
    expect(words(plan({ grants: [{ ...appeared, protected: true }] }))).toEqual([])
    expect(words(plan({ grants: [{ ...appeared, indirect: true }] }))).toEqual([])
    expect(words(plan({ grants: [{ ...appeared, managed: false }] }))).toEqual([])
  })

  test('counts as leaving for separation of duties only where it is put out', () => {
    const revocable = (grant: ReturnType<typeof present>) =>
      presentAccess([target(corp)], [grant], []).map((one) => one.revocable)
    expect(revocable(appeared)).toEqual([true])
    expect(revocable(present(1, { found: true }))).toEqual([false])
    expect(revocable({ ...appeared, protected: true })).toEqual([false])
  })

  test('a leaver is put out for being one', () => {
    const shut = [account(1, corp, { enabled: false })]
    expect(plan({ is: 'ended', grants: [appeared], accounts: shut, absent: [cloud] }).create).toMatchObject([
      { kind: 'revoke', entitlement: 1, lane: 'leaver', reason: { kind: 'leaver' } },
    ])
  })
})

describe('somebody was taken out', () => {
  test('is given it again, unless that is only reported', () => {
    expect(words(plan({ wanted: [1] }))).toEqual(['bulk grant 1'])
    expect(words(plan({ wanted: [1, 2], missing: [[1, 500]] }))).toEqual(['bulk grant 2'])
  })

  test('is given what is wanted anew since', () => {
    const since = (from: number | null) =>
      plan({ wanted: [assigned(1, { from: from as Instant })], missing: [[1, 500]] })
    expect(words(since(501))).toEqual(['bulk grant 1'])
    expect(words(since(500))).toEqual([])
    expect(words(since(null))).toEqual([])
  })
})

describe('lists', () => {
  test('differ by who is there and who is gone', () => {
    expect(differences(new Set(['a', 'b', 'c']), new Set(['b', 'd', 'a']))).toEqual([
      { kind: 'gone', account: 'c' },
      { kind: 'there', account: 'd' },
    ])
    expect(differences(new Set(), new Set())).toEqual([])
  })

  test('a few may be gone of anything; of many, up to half of an entitlement and a fifth of a target', () => {
    const tooMany = (gone: number, believed: number) =>
      (['entitlement', 'target'] as const).filter((of) => tooManyGone({ believed, gone }, of))
    expect(tooMany(3, 4)).toEqual([])
    expect(tooMany(1, 1)).toEqual(['entitlement', 'target'])
    expect(tooMany(0, 0)).toEqual([])
    expect(tooMany(4, 4)).toEqual(['entitlement', 'target'])
    expect(tooMany(4, 8)).toEqual(['target'])
    expect(tooMany(4, 20)).toEqual([])
    expect(tooMany(5, 24)).toEqual(['target'])
    expect(tooMany(51, 100)).toEqual(['entitlement', 'target'])
    expect(tooMany(50, 100)).toEqual(['target'])
  })
})
