/** Jobs at the bank and the groups that come with them (examples/bank), as HR tells of them. */
import type { HrEvent } from '../support/hr-event.ts'

const everybody = ['Branch_Mumbai', 'Staff_Intranet', 'Staff_Timesheets']
export const lending = ['App_Crm', 'CBS_LoanEntry', 'CBS_ViewOnly', 'Dept_Lending', ...everybody].sort()
export const approving = ['App_Crm', 'CBS_LoanApprove', 'CBS_ViewOnly', 'Dept_Lending', ...everybody].sort()
/** Somebody of the lending department without a job that gives more. */
export const department = ['App_Crm', 'Dept_Lending', ...everybody].sort()

export const manager = { department: 'LENDING', jobCode: 'RM' }
export const approver = { department: 'LENDING', jobCode: 'CA' }
export const clerk = { department: 'LENDING', jobCode: 'CLERK' }

type Worker = NonNullable<HrEvent['worker']>

export const works = (person: string, worker: Worker = manager, effectiveAt = '2024-01-01'): HrEvent => ({
  person,
  effectiveAt,
  worker,
})
export const moves = (person: string, worker: Worker = approver): HrEvent => works(person, worker, '2024-02-01')
export const leaves = (person: string, more: Partial<HrEvent> = {}): HrEvent => ({
  person,
  effectiveAt: '2024-03-01',
  worker: { status: 'terminated' },
  ...more,
})

/** A mass change is what most of these tests make of purpose; the guard has tests of its own. */
export const unguarded = {
  guard: {
    revokes: { absolute: null, percent: null },
    disables: { absolute: null, percent: null },
    entitlementRevokes: { absolute: null, percent: null },
    enables: { absolute: null, percent: null },
    deletes: { absolute: null, percent: null },
    riskyGrants: { absolute: null, percent: null },
  },
}
