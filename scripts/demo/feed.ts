/**
 * Made-up workers, the same for the same seed, and for each the groups that the bank's rules give: written down here by
 * hand, so that the demo compares the directory with something that is not Muster's own answer.
 */
import { dataOf, type HrMessage, hrMessage, type Worker } from './hr-event.ts'

export type FeedWorker = { readonly person: string; readonly worker: Worker; readonly groups: readonly string[] }

const given =
  'Aarav Aditi Ananya Arjun Deepa Divya Farah Gopal Harini Imran Isha Karan Kavya Lakshmi Manoj Nikhil Pooja Rahul Rohan Sana Sanjay Tara Varun Vikram'.split(
    ' ',
  )
const family =
  'Bose Chopra Das Desai Ghosh Gupta Iyer Jain Joshi Kapoor Khan Kulkarni Menon Mehta Nair Patel Pillai Rao Reddy Shah Sharma Singh Verma'.split(
    ' ',
  )
const places = ['Mumbai', 'Delhi', 'Chennai', 'Kolkata', 'Bengaluru', 'Pune']
const branchOf = (location: string) => `Branch_${location}`

type Job = {
  readonly code: string
  readonly title: string
  readonly department: string
  readonly groups: readonly string[]
}
const job = (code: string, title: string, department: string, ...groups: string[]): Job => ({
  code,
  title,
  department,
  groups,
})
const jobs: readonly Job[] = [
  job('RM', 'Relationship Manager', 'LENDING', 'CBS_ViewOnly', 'CBS_LoanEntry'),
  job('CA', 'Credit Approver', 'LENDING', 'CBS_ViewOnly', 'CBS_LoanApprove'),
  job('LD', 'Loan Disburser', 'LENDING', 'CBS_ViewOnly', 'CBS_LoanDisburse'),
  job('TELLER', 'Teller', 'RETAIL', 'CBS_ViewOnly', 'CBS_TellerCash'),
  job('ADVISOR', 'Customer Advisor', 'RETAIL'),
  job('VAULT', 'Vault Custodian', 'OPERATIONS', 'CBS_VaultCustody'),
  job('WIRE-MAKER', 'Payments Clerk', 'OPERATIONS', 'PAY_WireEnter'),
  job('WIRE-CHECKER', 'Payments Checker', 'TREASURY', 'PAY_WireApprove'),
  job('WIRE-RELEASER', 'Treasury Officer', 'TREASURY', 'PAY_WireRelease'),
  job('RISK', 'Risk Analyst', 'RISK', 'CBS_ViewOnly', 'App_RiskDesk'),
  job('DEV', 'Software Engineer', 'TECHNOLOGY'),
  job('HRBP', 'People Partner', 'HR'),
  job('GLA', 'Accountant', 'FINANCE', 'CBS_GLPost'),
  job('GLC', 'Financial Controller', 'FINANCE', 'CBS_GLApprove'),
]
const departmentGroups: Readonly<Record<string, readonly string[]>> = {
  LENDING: ['Dept_Lending', 'App_Crm'],
  RETAIL: ['Dept_Retail', 'App_Crm'],
  OPERATIONS: ['Dept_Operations'],
  TREASURY: ['Dept_Treasury'],
  RISK: ['Dept_Risk'],
  TECHNOLOGY: ['Dept_Technology'],
  HR: ['Dept_HumanResources'],
  FINANCE: ['Dept_Finance'],
}

/** mulberry32: small, seeded, good enough to make up people. */
const random = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}

export const feedWorkers = (count: number, seed: number): readonly FeedWorker[] => {
  const next = random(seed)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T
  return Array.from({ length: count }, (_, n) => {
    const number = String(n + 1).padStart(5, '0')
    const [first, last, does, location] = [pick(given), pick(family), pick(jobs), pick(places)]
    const contractor = next() < 0.1
    const level = 3 + Math.floor(next() * 6)
    const username = `${first}.${last}.${number}`.toLowerCase()
    const remote = !contractor && level >= 7 ? ['Staff_Vpn'] : []
    const groups = [
      'Staff_Intranet',
      'Staff_Timesheets',
      branchOf(location),
      ...(departmentGroups[does.department] ?? []),
      ...does.groups,
      ...remote,
    ]
    return {
      person: `F-${number}`,
      groups: groups.sort(),
      worker: {
        personKey: `F-${number}`,
        employmentKey: `F-${number}-1`,
        primary: true,
        workerType: contractor ? 'contractor' : 'employee',
        status: 'active',
        givenName: first,
        familyName: last,
        displayName: `${first} ${last}`,
        username,
        workEmail: `${username}@bank.example`,
        hireDate: '2026-11-01',
        lastDayOfWork: null,
        contractEndDate: null,
        involuntary: false,
        managerKey: 'P-0100',
        company: 'BANK-IN',
        department: does.department,
        costCenter: String(4700 + Math.floor(next() * 50)),
        location,
        country: 'IN',
        jobCode: does.code,
        jobTitle: does.title,
        jobLevel: String(level),
        custom: {},
      },
    }
  })
}

/** Everybody joins now; somewhere in the middle one message is cut off. */
export const feedMessages = (workers: readonly FeedWorker[], now: number): readonly HrMessage[] => {
  const effectiveAt = new Date(now).toISOString()
  const joins = workers.map(({ person, worker }) =>
    hrMessage(person, `feed-${person}`, now, dataOf(worker, { effectiveAt })),
  )
  const garbage: HrMessage = { key: 'F-99999', value: `${joins[0]?.value.slice(0, 312)}` }
  const middle = Math.floor(joins.length / 2)
  return [...joins.slice(0, middle), garbage, ...joins.slice(middle)]
}

export const leaves = ({ person, worker }: FeedWorker, now: number): HrMessage =>
  hrMessage(
    person,
    `feed-leaves-${person}`,
    now,
    dataOf(
      { ...worker, status: 'terminated', involuntary: true },
      { effectiveAt: new Date(now).toISOString(), urgency: 'immediate' },
    ),
  )
