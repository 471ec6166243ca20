import { describe, expect, test } from 'vitest'
import { fold } from '../../../src/domain/fold.ts'
import type { EmploymentKey, EntitlementId } from '../../../src/domain/ids.ts'
import type { WorkerEvent } from '../../../src/domain/worker-event.ts'
import { explain } from '../../../src/policies/explain.ts'
import { explanationLines } from '../../../src/policies/explain-text.ts'
import { anEvent, aTermination, at } from '../domain/events.ts'
import { bankPolicy } from './bank.ts'
import { catalogue, compiled, idOf, person, presentFrom } from './policies.ts'

const bank = bankPolicy()
const attributes = (jobCode: string) => ({
  workerType: 'employee',
  department: 'LENDING',
  location: 'Mumbai',
  country: 'IN',
  jobLevel: '5',
  jobCode,
})
const hire = anEvent('1', { worker: { attributes: attributes('CA') } })
const second = anEvent('2', {
  effectiveAt: at(30),
  worker: { employmentKey: 'E-2' as EmploymentKey, attributes: attributes('RM') },
})
const inputOf = (policy: typeof bank, events: readonly WorkerEvent[], now: number, present: readonly string[]) => ({
  history: fold(events),
  personKey: person,
  policies: [{ activeFrom: null, policy }],
  now: at(now),
  present: presentFrom(policy, ...present),
})
const lines = (key: string, events: readonly WorkerEvent[], now: number, ...present: readonly string[]) =>
  explanationLines(explain(inputOf(bank, events, now, present), idOf(bank, key)))

describe('why', () => {
  test('held and wanted: the rule, its conditions, the role path', () => {
    expect(lines('CBS_ViewOnly', [hire], 10, 'CBS_ViewOnly held')).toEqual([
      'CBS_ViewOnly: wanted and held at 1970-01-01T00:00:00.010Z',
      '  rule credit-approvers gives it for employment E',
      '    ✓ jobCode is "CA"',
      '    through role credit-approver → lending-staff',
      '  from 1970-01-01T00:00:00.010Z',
      '  on the target: held',
    ])
  })

  test('held back: the SoD policy and what stands on its other side', () => {
    expect(lines('CBS_LoanEntry', [hire, second], 30, 'CBS_LoanApprove held')).toEqual([
      'CBS_LoanEntry: wanted at 1970-01-01T00:00:00.030Z, held back by separation of duties (loan-entry-vs-approve)',
      '  rule relationship-managers gives it for employment E-2',
      '    ✓ jobCode is "RM"',
      '    through role relationship-manager',
      '  from 1970-01-01T00:00:00.030Z',
      "  SoD policy loan-entry-vs-approve (critical): Who enters a loan and approves it can lend the bank's money to themselves.",
      '    this is its side entry',
      '    side approval: CBS_LoanApprove (held)',
      '    no live exception accepts it',
      '  on the target: not there',
    ])
  })

  test('waiting for a revoke', () => {
    expect(lines('CBS_LoanApprove', [hire], 10, 'CBS_LoanEntry held')[0]).toBe(
      'CBS_LoanApprove: wanted at 1970-01-01T00:00:00.010Z, waits until a conflicting revoke is verified (loan-entry-vs-approve)',
    )
  })

  test('accepted by an exception', () => {
    const policy = compiled(
      catalogue('A', 'B'),
      'birthright:\n  a: { when: everyone, grants: { entitlements: [A] } }\nsod:\n  s: { severity: low, description: d, sides: [{ entitlements: [A] }, { entitlements: [B] }] }\nexceptions:\n  EX: { person: P, policy: s, approver: Q, reason: r, control: c, from: 1970-01-01T00:00:00Z, expires: 1970-01-02T00:00:00Z }\n',
    )
    const explained = explain(inputOf(policy, [hire], 10, ['B held!']), idOf(policy, 'A'))
    expect(explained).toMatchObject({
      verdict: { kind: 'go', exceptions: ['EX'] },
      exceptions: [{ key: 'EX', policy: 's', approver: 'Q' }],
    })
    expect(explanationLines(explained)).toContain('    accepted by exception EX of Q until 1970-01-02T00:00:00Z')
  })
})

describe('why not', () => {
  test('the nearest rule and the condition that failed', () => {
    expect(lines('Staff_Vpn', [hire], 10)).toEqual([
      'Staff_Vpn: not wanted at 1970-01-01T00:00:00.010Z',
      '  lifecycle: active, employment E active',
      '  no rule that gives it matches; nearest:',
      '  rule senior-staff-remote would give it for employment E: Senior employees work from outside; contractors come in.',
      '    ✓ country is there',
      '    ✓ workerType is "employee"',
      '    ✗ cel: int(worker.jobLevel) >= 7',
      '  on the target: not there',
    ])
    expect(lines('CBS_LoanEntry', [hire], 10)).toContain('    ✗ jobCode is "RM" (it is "CA")')
  })

  test('of several rules the nearest comes first, an absent value is said', () => {
    const policy = compiled(
      catalogue('A'),
      'birthright:\n  far: { when: { jobCode: X, country: Y }, grants: { entitlements: [A] } }\n  near: { when: { jobCode: CA, costCenter: Z }, grants: { entitlements: [A] } }\n',
    )
    const told = explanationLines(explain(inputOf(policy, [hire], 10, []), idOf(policy, 'A')))
    expect(told.filter((line) => line.startsWith('  rule'))).toEqual([
      '  rule near would give it for employment E',
      '  rule far would give it for employment E',
    ])
    expect(told).toContain('    ✗ costCenter is "Z" (it is absent)')
  })

  test('not yet', () => {
    expect(lines('CBS_ViewOnly', [hire], 9)).toEqual([
      'CBS_ViewOnly: not wanted at 1970-01-01T00:00:00.009Z',
      '  lifecycle: prehire, employment E prehire',
      '  no employment gives access',
      '  not yet: wanted from 1970-01-01T00:00:00.010Z',
      '  on the target: not there',
    ])
  })

  test('a leaver, with what is still there', () => {
    expect(lines('CBS_ViewOnly', [hire, aTermination('bye', 20)], 25, 'CBS_ViewOnly being-revoked')).toEqual([
      'CBS_ViewOnly: not wanted at 1970-01-01T00:00:00.025Z',
      '  lifecycle: terminated, employment E ended',
      '  a leaver: no employment gives access any more',
      '  no longer: was wanted until 1970-01-01T00:00:00.020Z',
      '  on the target: being-revoked, although nobody wants it',
    ])
  })

  test('no rule gives it; the policy does not know it', () => {
    expect(lines('CBS_LoanDisburse', [hire], 10)).not.toContain('  no birthright rule gives it to anybody')
    const policy = compiled(catalogue('A'))
    expect(explanationLines(explain(inputOf(policy, [hire], 10, []), idOf(policy, 'A')))).toContain(
      '  no birthright rule gives it to anybody',
    )
    expect(explain(inputOf(policy, [hire], 10, []), 99 as EntitlementId).wanted).toEqual({
      kind: 'no',
      because: [{ kind: 'not-in-catalogue' }],
    })
  })
})
