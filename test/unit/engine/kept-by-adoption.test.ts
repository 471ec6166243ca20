/** An adoption keeps what is there, gives nothing, and where drift is reverted gives back what another hand took (ADR 0017). */
import { expect, test } from 'vitest'
import type { Assignment, Reason } from '../../../src/domain/decision.ts'
import type { EntitlementId } from '../../../src/domain/ids.ts'
import { keptByAdoption } from '../../../src/engine/judge-observed.ts'
import type { ActivePolicy } from '../../../src/engine/policy-book.ts'
import { lostAdoptions } from '../../../src/policies/lost-adoptions.ts'

const policy = (drift: string) =>
  ({ entitlements: { get: () => ({ managed: true, drift }) } }) as unknown as ActivePolicy
const granted = (entitlement: number) => ({ entitlement, target: 't', given: false, appeared: false })
const taken = { entitlement: 1, times: 1, missingSince: 5 }
const wish = (entitlement: number, ...reasons: Reason[]) => ({ entitlement, reasons }) as unknown as Assignment
const adopted: Reason = { kind: 'adopted' }
const follows = { kind: 'implied', implication: 'i', holds: 'One', path: [] } as unknown as Reason
const rule = { kind: 'rule', rule: 'r', employmentKey: 'E-1', path: [] } as unknown as Reason
const idOf = new Map([['One', 1 as EntitlementId]])
const lost = (kept: ReadonlySet<EntitlementId>, ...wanted: Assignment[]) => [
  ...lostAdoptions(wanted, kept, { idOf } as never),
]

test.each([
  ['is there', 'report', [granted(1)], [], false],
  ['is not there, and never was on this account', 'report', [], [], true],
  ['is not there, and never was on this account', 'revert', [], [], true],
  ['was taken from it by another hand', 'report', [], [taken], true],
  ['was taken from it by another hand', 'revert', [], [taken], false],
  ['was taken from it again and again', 'revert', [], [{ ...taken, times: 99 }], true],
] as const)('what was adopted %s (drift: %s)', (_, drift, grants, drifted, isLost) => {
  const kept = keptByAdoption({ grants, drift: drifted, adopted: [] }, policy(drift))
  expect(lost(kept, wish(1, adopted), wish(2, follows), wish(3, follows, rule))).toEqual(isLost ? [1, 2] : [])
})
