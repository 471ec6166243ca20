/** L9: a worker stands still longer than its lease and writes when others have gone on. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { crash, createFaults, createGates, stalled } from '../../support/faults.ts'
import { type House, openHouse } from '../../support/house.ts'
import { auditOf, l1, l8 } from './laws.ts'
import { approverJob, approving, leaves, lending, works } from './people.ts'
import { stalledGrant } from './stalled-grant.ts'

let gates: ReturnType<typeof createGates>
let faults: ReturnType<typeof createFaults>
let house: House
beforeEach(async () => {
  gates = createGates()
  faults = createFaults()
  house = await openHouse({ settings: { pause: gates.pause }, connector: faults.wrap })
})
afterEach(() => house.close())

const entries = async (kind: string) =>
  (await auditOf(house)).filter((entry) => entry.kind === kind).map(({ body }) => body)

const leaseRunsOut = async () => {
  await house.shift(house.engine.settings.leaseMs + 1)
  expect((await house.sweep()).expired).toBe(1)
}

test('the second worker completes, the person leaves, then the zombie writes: rejected, read again, revoked, audited', async () => {
  const { start, worker, outstanding } = await stalledGrant(house, faults)
  await leaseRunsOut()
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(lending)
  await house.tell(leaves('P-1', start + 1))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])

  worker.open()
  await outstanding
  expect(await house.groupsOf('P-1')).toEqual(['CBS_LoanEntry'])
  expect(await entries('late-outcome-rejected')).toMatchObject([{ kind: 'grant', held: true }])
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
  expect(await l1(house)).toEqual([])
  expect(await l8(house)).toEqual([])
})

test('the zombie writes what is no longer wanted of somebody who moved: found and taken back', async () => {
  const { start, worker, outstanding } = await stalledGrant(house, faults)
  await house.tell(works('P-1', start + 1, { jobCode: 'TELLER', department: 'LENDING' }))
  await leaseRunsOut()
  await house.quiesce()
  expect(await house.groupsOf('P-1')).not.toContain('CBS_LoanEntry')
  worker.open()
  await outstanding
  expect(await house.groupsOf('P-1')).toContain('CBS_LoanEntry')
  await house.quiesce()
  expect(await house.groupsOf('P-1')).not.toContain('CBS_LoanEntry')
  expect(await l1(house)).toEqual([])
})

test('the lease runs out while nobody else looks: its expiry alone says unknown in the audit and has every member read', async () => {
  const { worker, outstanding } = await stalledGrant(house, faults)
  await leaseRunsOut()
  const rows = await house.rows<{ unknown: boolean; state: string; attempts: number }>(
    `select unknown, state::text, attempts from muster.action where kind = 'grant' and state <> 'done'`,
  )
  expect(rows).toEqual([{ unknown: true, state: 'ready', attempts: 1 }])
  expect((await entries('outcome')).at(-1)).toMatchObject({ outcome: 'unknown', word: 'lease-expired' })
  const calls = faults.calls.length
  await house.quiesce()
  expect(faults.calls[calls]?.call).toBe('observe')
  worker.open()
  await outstanding
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(lending)
  expect(await l1(house)).toEqual([])
})

test('a settled dispatch is not swept, and a worker that is only late but not swept still settles', async () => {
  const { worker, outstanding } = await stalledGrant(house, faults)
  await house.shift(house.engine.settings.leaseMs + 1)
  worker.open()
  await outstanding
  expect((await house.sweep()).expired).toBe(0)
  expect(await entries('late-outcome-rejected')).toEqual([])
  expect(await house.groupsOf('P-1')).toEqual(lending)
})

test('a zombie that links an account tells what the account holds before anything is granted to it', async () => {
  await house.addAccount('P-2')
  await house.addMember('P-2', 'CBS_LoanApprove')
  const start = await house.now()
  await house.tell(works('P-2', start - 1000))
  const worker = stalled()
  faults.next(worker.fault, 'ensureAccount')
  await house.evaluateAll()
  await house.shift(600)
  const [ref] = await house.dispatchAll()
  const outstanding = house.provision(ref?.id ?? 0)
  await worker.reached
  await leaseRunsOut()
  worker.open()
  await outstanding
  // The link and its grants are known; the action that is to be read back still stands.
  await house.quiesce()
  expect(await house.groupsOf('P-2')).toContain('CBS_LoanApprove')
  expect(await house.groupsOf('P-2')).not.toContain('CBS_LoanEntry')
})

test('the zombie writes what its person has moved away from, beside what conflicts with it: taken back', async () => {
  const { start, worker, outstanding } = await stalledGrant(house, faults)
  await house.tell(works('P-1', start + 1, approverJob))
  await leaseRunsOut()
  worker.open()
  await outstanding
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(approving)
  expect(await l1(house)).toEqual([])
})

test('what was verified while the zombie looked is newer than what it saw', async () => {
  const { start, worker, outstanding } = await stalledGrant(house, faults)
  await leaseRunsOut()
  await house.quiesce()
  // The zombie reads that it is there; before it can say so, the person moves and the grant is verified as gone.
  faults.betweenReadAndAnswer(async () => {
    await house.tell(works('P-1', start + 1, { jobCode: 'TELLER', department: 'LENDING' }))
    await house.quiesce()
    expect(await house.groupsOf('P-1')).not.toContain('CBS_LoanEntry')
    await house.tell(works('P-1', start + 2))
    await house.evaluateAll()
  }, 'grant')
  worker.open()
  await outstanding
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(lending)
  expect(await l1(house)).toEqual([])
})

test('a zombie that dies between its rejection and its read leaves behind that its members must be read', async () => {
  const { start, worker, outstanding } = await stalledGrant(house, faults)
  await leaseRunsOut()
  await house.quiesce()
  await house.tell(leaves('P-1', start + 1))
  await house.quiesce()
  faults.betweenReadAndAnswer(() => Promise.reject(crash('reobserve')), 'grant')
  worker.open()
  await expect(outstanding).rejects.toThrow('crashed')
  await house.recover()
  expect(await house.groupsOf('P-1')).toEqual([])
  expect(await l1(house)).toEqual([])
})
