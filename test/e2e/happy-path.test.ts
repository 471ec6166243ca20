/** One person's whole life at the bank: Kafka in, directory and audit out, through real processes. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Installation, openInstallation } from '../support/muster-process.ts'
import { brokenLaws } from './laws.ts'

let bank: Installation
beforeAll(async () => {
  bank = await openInstallation()
  await bank.start()
})
afterAll(() => bank.close())

const lending = [
  'App_Crm',
  'Branch_Mumbai',
  'CBS_LoanEntry',
  'CBS_ViewOnly',
  'Dept_Lending',
  'Staff_Intranet',
  'Staff_Timesheets',
]
const approving = lending.map((group) => (group === 'CBS_LoanEntry' ? 'CBS_LoanApprove' : group)).sort()
const amit = {
  department: 'LENDING',
  jobCode: 'RM',
  givenName: 'Amit',
  familyName: 'R',
  displayName: 'Amit R',
  username: 'amit.r',
}
const approver = { ...amit, jobCode: 'CA', jobTitle: 'Credit Approver' }

type Step = {
  readonly at: number
  readonly kind: string
  readonly operation: string | null
  readonly entitlement: string | null
  readonly outcome: string | null
}
const trail = () =>
  bank.audit<Step>(
    `select (extract(epoch from recorded_at) * 1000000)::bigint as at, kind, operation, entitlement, outcome
     from auditor.person_trail where person_key = 'P-1001' order by recorded_at, id`,
  )

test('joins at the future moment that HR named, not before', async () => {
  const effective = (await bank.now()) + 2_000
  await bank.tell({ person: 'P-1001', effectiveAt: new Date(effective).toISOString(), worker: amit })
  await bank.until(
    'the event to be evaluated',
    async () => (await bank.rows(`select 1 from muster.identity where lifecycle = 'prehire'`))[0],
  )
  expect(await bank.account('P-1001')).toBeNull()
  await bank.until('all of his groups', async () => (await bank.groupsOf('P-1001')).join() === lending.join())
  await bank.quiet()
  const [first] = await bank.rows<{ at: number }>(
    `select (extract(epoch from min(dispatched_at)) * 1000)::bigint as at from muster.action`,
  )
  expect(first?.at).toBeGreaterThanOrEqual(effective)
})

test('moves: what conflicts is revoked and verified before the new grant goes', async () => {
  await bank.tell({ person: 'P-1001', effectiveAt: new Date(await bank.now()).toISOString(), worker: approver })
  await bank.until('the groups of an approver', async () => (await bank.groupsOf('P-1001')).join() === approving.join())
  await bank.quiet()
  const steps = await trail()
  const revoked = steps.findIndex(
    ({ kind, operation, entitlement, outcome }) =>
      kind === 'outcome' && operation === 'revoke' && entitlement === 'CBS_LoanEntry' && outcome === 'done',
  )
  const granting = steps.findIndex(
    ({ kind, operation, entitlement }) =>
      kind === 'attempt' && operation === 'grant' && entitlement === 'CBS_LoanApprove',
  )
  expect(revoked).toBeGreaterThan(0)
  expect(granting).toBeGreaterThan(revoked)
})

test('a second employment would complete a conflict: held, and nothing of what he has is taken', async () => {
  await bank.tell({
    person: 'P-1001',
    effectiveAt: '2024-03-01',
    worker: { ...amit, employmentKey: 'P-1001-2', primary: false },
  })
  const [hold] = await bank.until('the hold', async () => {
    const found = await bank.audit<{ entitlement: string; policies: string[] }>(
      `select entitlement, policies from auditor.holds where closed_at is null`,
    )
    return found.length > 0 && found
  })
  expect(hold).toEqual({ entitlement: 'CBS_LoanEntry', policies: ['loan-entry-vs-approve'] })
  await bank.quiet()
  expect(await bank.groupsOf('P-1001')).toEqual(approving)
})

test('leaves urgently: shut out, every group gone, measured from the append', async () => {
  await bank.setPassword('P-1001', 'worked-until-now')
  expect(await bank.signsIn('P-1001', 'worked-until-now')).toBe(true)
  const left = { status: 'terminated', ...approver }
  const leaves = {
    person: 'P-1001',
    effectiveAt: new Date(await bank.now()).toISOString(),
    urgency: 'immediate',
  } as const
  await bank.tell(
    { ...leaves, worker: left },
    { ...leaves, worker: { ...left, employmentKey: 'P-1001-2', primary: false } },
  )
  await bank.until('the account to be shut', async () => (await bank.account('P-1001'))?.locked)
  await bank.until('no group to hold him', async () => (await bank.groupsOf('P-1001')).length === 0)
  expect(await bank.signsIn('P-1001', 'worked-until-now')).toBe(false)
  await bank.quiet()
  const latencies = await bank.audit<{ open: number; ms: string; slo_kept: boolean; revokes: number }>(
    `select open, ms, slo_kept, revokes from auditor.leaver_latencies where person_key = 'P-1001'`,
  )
  expect(latencies).toMatchObject([{ open: 0, slo_kept: true, revokes: approving.length }])
  expect(Number(latencies[0]?.ms)).toBeGreaterThan(0)
})

test('each change stands in the audit as decided, attempted and known, as the auditor reads it', async () => {
  const steps = await trail()
  const changes = steps.filter(({ kind, outcome }) => kind === 'outcome' && outcome === 'done')
  // An account, seven groups; one revoked and one granted; disabled and seven revoked.
  expect(changes.length).toBeGreaterThanOrEqual(1 + 7 + 2 + 1 + 7)
  for (const { at, operation, entitlement } of changes) {
    const attempt = steps.find(
      (step) =>
        step.kind === 'attempt' && step.operation === operation && step.entitlement === entitlement && step.at <= at,
    )
    expect(attempt).toBeDefined()
    expect(steps.some((step) => step.kind === 'decision' && step.at <= (attempt?.at ?? 0))).toBe(true)
  }
  expect(await brokenLaws(bank)).toEqual([])
})
