import { describe, expect, test } from 'vitest'
import type { EmploymentKey } from '../../../src/domain/ids.ts'
import { anEvent, aTermination, at } from '../domain/events.ts'
import { bankPolicy, parsedBank } from './bank.ts'
import { decide, told } from './policies.ts'

const policy = bankPolicy()
const attributes = (jobCode: string) => ({
  workerType: 'employee',
  department: 'LENDING',
  location: 'Mumbai',
  country: 'IN',
  jobLevel: '5',
  jobCode,
})
const base = ['App_Crm', 'Branch_Mumbai', 'Dept_Lending', 'Staff_Intranet', 'Staff_Timesheets']
const hire = anEvent('1', { worker: { attributes: attributes('RM') } })
const move = anEvent('2', { effectiveAt: at(20), worker: { attributes: attributes('CA') } })
const second = anEvent('3', {
  effectiveAt: at(30),
  worker: { employmentKey: 'E-2' as EmploymentKey, primary: false, attributes: attributes('RM') },
})
const loans = (decision: ReturnType<typeof decide>) => {
  const { wanted, verdicts, violations } = told(policy, decision)
  return {
    wanted: wanted.filter((key) => !base.includes(key)),
    verdicts: Object.fromEntries(Object.entries(verdicts).filter(([key]) => !base.includes(key))),
    violations,
  }
}

test('the example is valid and has 30 entitlements', () => {
  expect(parsedBank).toMatchObject({ kind: 'ok' })
  expect(policy.set.entitlements.length).toBe(30)
})

describe('the story of Amit R', () => {
  test('joins as Relationship Manager, future-dated', () => {
    expect(told(policy, decide(policy, [hire], 9))).toEqual({
      wanted: [],
      verdicts: {},
      violations: [],
      nextChangeAt: 10,
    })
    expect(loans(decide(policy, [hire], 10))).toEqual({
      wanted: ['CBS_LoanEntry', 'CBS_ViewOnly'],
      verdicts: { CBS_LoanEntry: 'go', CBS_ViewOnly: 'go' },
      violations: [],
    })
    expect(told(policy, decide(policy, [hire], 10)).wanted).toEqual([...base, 'CBS_LoanEntry', 'CBS_ViewOnly'].sort())
  })

  test('moves to Credit Approver: the approval waits for the verified revoke of the entry', () => {
    const held = ['CBS_ViewOnly held', 'CBS_LoanEntry held']
    expect(loans(decide(policy, [hire, move], 20, ...held))).toEqual({
      wanted: ['CBS_LoanApprove', 'CBS_ViewOnly'],
      verdicts: { CBS_LoanApprove: 'wait loan-entry-vs-approve after CBS_LoanEntry' },
      violations: [],
    })
    expect(loans(decide(policy, [hire, move], 20, 'CBS_ViewOnly held')).verdicts).toEqual({ CBS_LoanApprove: 'go' })
  })

  test('a second employment would give the entry again: held, and the approval stays', () => {
    expect(loans(decide(policy, [hire, move, second], 30, 'CBS_ViewOnly held', 'CBS_LoanApprove held'))).toEqual({
      wanted: ['CBS_LoanApprove', 'CBS_LoanEntry', 'CBS_ViewOnly'],
      verdicts: { CBS_LoanEntry: 'held loan-entry-vs-approve against CBS_LoanApprove' },
      violations: [],
    })
  })

  test('leaves, urgently: nothing is wanted', () => {
    const bye = aTermination('4', 90, { urgency: 'immediate', receivedAt: at(40) })
    const bye2 = {
      ...aTermination('5', 90, {
        urgency: 'immediate',
        receivedAt: at(40),
        worker: { employmentKey: 'E-2' as EmploymentKey },
      }),
    }
    expect(
      loans(decide(policy, [hire, move, second, bye, bye2], 40, 'CBS_ViewOnly held', 'CBS_LoanApprove held')),
    ).toEqual({ wanted: [], verdicts: {}, violations: [] })
  })

  test('somebody who already stands in a conflicting group that cannot be revoked here: counted, the new grant held', () => {
    expect(loans(decide(policy, [hire], 10, 'CBS_LoanApprove held!')).verdicts).toEqual({
      CBS_LoanEntry: 'held loan-entry-vs-approve against CBS_LoanApprove',
      CBS_ViewOnly: 'go',
    })
  })
})
