/** An adoption keeps what is there, gives nothing, and where drift is reverted gives back what another hand took (ADR 0017). */
import { expect, test } from 'vitest'
import type { Assignment, Reason } from '../../../src/domain/decision.ts'
import type { EntitlementId } from '../../../src/domain/ids.ts'
import { keptByAdoption, presentGrants } from '../../../src/engine/judge-observed.ts'
import type { ActivePolicy } from '../../../src/engine/policy-book.ts'
import { lostAdoptions } from '../../../src/policies/lost-adoptions.ts'

const policy = (drift: string) =>
  ({ entitlements: { get: () => ({ managed: true, drift }) } }) as unknown as ActivePolicy
const granted = (entitlement: number) => ({ entitlement, target: 't', given: false, appeared: false, readAt: 5 })
const changed = (times: number) => [{ entitlement: 1, times, missingSince: 5 }]
const wish = (entitlement: number, ...reasons: Reason[]) => ({ entitlement, reasons }) as unknown as Assignment
const adopted: Reason = { kind: 'adopted' }
const follows = { kind: 'implied', implication: 'i', holds: 'One', path: [] } as unknown as Reason
const rule = { kind: 'rule', rule: 'r', employmentKey: 'E-1', path: [] } as unknown as Reason
const idOf = new Map([['One', 1 as EntitlementId]])
const lost = (kept: ReadonlySet<EntitlementId>, ...wanted: Assignment[]) => [
  ...lostAdoptions(wanted, kept, { idOf } as never),
]

test.each([
  ['is there', 'report', [granted(1)], 0, null, false],
  ['is not there, and never was on this account', 'report', [], 0, null, true],
  ['is not there, and never was on this account', 'revert', [], 0, null, true],
  ['was taken from it by another hand', 'report', [], 1, 'another', true],
  ['was taken from it by another hand', 'revert', [], 1, 'another', false],
  ['was taken from it by another hand before our revoke', 'report', [], 0, 'another', true],
  ['was taken from it by another hand before our revoke', 'revert', [], 0, 'another', false],
  ['was taken from it again and again', 'revert', [], 99, 'another', true],
  ['was taken from it by us', 'report', [], 0, 'us', false],
  ['was taken from it by us, and by others before', 'revert', [], 99, 'us', false],
] as const)('what was adopted %s (drift: %s)', (_, drift, grants, times, takenBy, isLost) => {
  const adoptions = [{ entitlement: 1, target: 't', from: 0, to: null, takenBy }]
  const kept = keptByAdoption({ grants, drift: changed(times), adopted: adoptions }, policy(drift))
  expect(lost(kept, wish(1, adopted), wish(2, follows), wish(3, follows, rule))).toEqual(isLost ? [1, 2] : [])
})

test('what a rule keeps by now is no grant, whatever was read of it before, and one again once read as that; what is nested beside a grant leaves it one', () => {
  const present = (via: string, readAt: number) =>
    presentGrants(
      { grants: [granted(1)], indirect: [{ entitlement: 1, target: 't', via, path: [], readAt }], drift: [] },
      policy('report'),
      [],
    ).map(({ indirect, kept }) => [indirect, kept === true])
  const both = [
    [false, false],
    [true, false],
  ]
  expect(present('rule', 6)).toEqual([[true, true]])
  expect(present('rule', 5)).toEqual(both)
  expect(present('rule', 4)).toEqual(both)
  expect(present('nested', 5)).toEqual(both)
})
