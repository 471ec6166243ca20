/** Jobs at the bank and the groups that come with them (examples/bank). */
import type { WorkerInput } from '../../support/tell.ts'

export const lending = [
  'App_Crm',
  'CBS_LoanEntry',
  'CBS_ViewOnly',
  'Dept_Lending',
  'Staff_Intranet',
  'Staff_Timesheets',
]
export const approving = [
  'App_Crm',
  'CBS_LoanApprove',
  'CBS_ViewOnly',
  'Dept_Lending',
  'Staff_Intranet',
  'Staff_Timesheets',
]

export const managerJob = { jobCode: 'RM', department: 'LENDING' }
export const approverJob = { jobCode: 'CA', department: 'LENDING' }

export const works = (
  person: string,
  effectiveAt: number,
  attributes: WorkerInput['attributes'] = managerJob,
): WorkerInput => ({
  person,
  effectiveAt,
  ...(attributes === undefined ? {} : { attributes }),
})
export const leaves = (person: string, effectiveAt: number, more: Partial<WorkerInput> = {}): WorkerInput => ({
  person,
  effectiveAt,
  status: 'terminated',
  ...more,
})
