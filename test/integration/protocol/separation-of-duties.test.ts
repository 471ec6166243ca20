/** L2 on real parts: held, waiting, excepted, rejected; two of one person's dispatches at the same time. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { applyPolicy } from '../../../src/engine/apply-policy.ts'
import { rejectHold } from '../../../src/engine/decide-hold.ts'
import { createFaults, createGates } from '../../support/faults.ts'
import { bankPolicies, type House, openHouse } from '../../support/house.ts'
import { brokenLaws, conflicts } from './laws.ts'
import { approverJob, approving, lending, managerJob, works } from './people.ts'

let gates: ReturnType<typeof createGates>
let faults: ReturnType<typeof createFaults>
let house: House
beforeEach(async () => {
  gates = createGates()
  faults = createFaults()
  house = await openHouse({ settings: { pause: gates.pause }, connector: faults.wrap })
})
afterEach(() => house.close())

const pairs = [
  ['CBS_LoanEntry', 'CBS_LoanApprove'],
  ['CBS_LoanEntry', 'CBS_LoanDisburse'],
] as const
const never = async () => expect(await conflicts(house, pairs)).toEqual([])
const openHolds = async () =>
  (
    await house.rows<{ key: string }>(
      `select e.key from muster.hold h join muster.entitlement e on e.id = h.entitlement_id where h.kind = 'sod' and h.closed_at is null order by 1`,
    )
  ).map(({ key }) => key)
/** Works twice: two employments, two jobs at once. */
const second = (person: string, at: number, attributes: Record<string, string>) => ({
  ...works(person, at, attributes),
  employment: `${person}-2`,
  primary: false,
})
const stateOf = async (kind: string, key: string) =>
  (
    await house.rows<{ state: string }>(
      `select state::text from muster.action a join muster.entitlement e on e.id = a.entitlement_id where a.kind = $1::muster.action_kind and e.key = $2 order by a.id desc limit 1`,
      kind,
      key,
    )
  )[0]?.state
const apply = (exceptions: string) =>
  applyPolicy(
    house.engine,
    bankPolicies(house.tree.groups).map((file) =>
      file.path === 'exceptions.yaml' ? { ...file, text: exceptions } : file,
    ),
    { type: 'os-user', name: 'test', authenticated: false },
  )
const exception = (from: number, expires: number) => `exceptions:
  EX-1:
    person: P-1
    policy: loan-entry-vs-approve
    approver: P-0100
    reason: Nobody else is there for a while.
    control: Every loan is counted on Friday.
    from: ${new Date(from).toISOString()}
    expires: ${new Date(expires).toISOString()}
`

test('two new grants that conflict are both held; everything else goes', async () => {
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  await house.tell(second('P-1', start - 1000, approverJob))
  await house.quiesce(never)
  expect(await openHolds()).toEqual(['CBS_LoanApprove', 'CBS_LoanEntry'])
  expect(await house.groupsOf('P-1')).toEqual(lending.filter((key) => key !== 'CBS_LoanEntry'))
  expect(await brokenLaws(house)).toEqual([])
})

test('what is held already stays, the new side is held; when the old one goes, the hold closes and the grant follows', async () => {
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  await house.quiesce(never)
  await house.tell(second('P-1', start, approverJob))
  await house.quiesce(never)
  expect(await openHolds()).toEqual(['CBS_LoanApprove'])
  expect(await house.groupsOf('P-1')).toEqual(lending)
  await house.tell({ ...works('P-1', start + 1), status: 'terminated' })
  await house.quiesce(never)
  expect(await openHolds()).toEqual([])
  expect(await house.groupsOf('P-1')).toEqual(approving)
  expect(await brokenLaws(house)).toEqual([])
})

test('a mover: the conflicting grant waits for the verified revoke, the others do not', async () => {
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  await house.quiesce(never)
  await house.tell(works('P-1', start, approverJob))
  await house.evaluateAll()
  expect(await stateOf('grant', 'CBS_LoanApprove')).toBe('waiting')
  // The revoke went out and its answer is not there yet: the grant still waits.
  await house.shift(600)
  const called = gates.stopAt('provision:called')
  const [ref] = await house.dispatchAll()
  const provisioning = house.provision(ref?.id ?? 0)
  await called.reached
  expect(await house.groupsOf('P-1')).not.toContain('CBS_LoanEntry')
  expect(await stateOf('grant', 'CBS_LoanApprove')).toBe('waiting')
  called.open()
  await provisioning
  expect(await stateOf('grant', 'CBS_LoanApprove')).toBe('ready')
  await house.quiesce(never)
  expect(await house.groupsOf('P-1')).toEqual(approving)
  expect(await brokenLaws(house)).toEqual([])
})

test('two awaited revokes are verified at the same moment: the grant that waits for both is let go by one of them', async () => {
  const start = await house.now()
  await house.tell(works('P-1', start - 1000, approverJob))
  await house.tell(second('P-1', start - 1000, { jobCode: 'LD', department: 'LENDING' }))
  await house.quiesce(never)
  expect(await house.groupsOf('P-1')).toEqual(expect.arrayContaining(['CBS_LoanApprove', 'CBS_LoanDisburse']))
  await house.tell({ ...second('P-1', start, {}), status: 'terminated' })
  await house.tell(works('P-1', start, managerJob))
  await house.evaluateAll()
  await house.shift(600)
  const refs = await house.dispatchAll()
  expect(refs).toHaveLength(2)
  // Nobody can append to the audit: both outcomes have written everything else and commit only afterwards.
  const commit = await house.holdAudit(
    refs.map(
      ({ id }) =>
        () =>
          house.provision(id),
    ),
  )
  await commit()
  expect(await stateOf('grant', 'CBS_LoanEntry')).toBe('ready')
  await house.quiesce(never)
  expect(await house.groupsOf('P-1')).toEqual(lending)
  expect(await brokenLaws(house)).toEqual([])
})

test('a grant that waits for two revokes waits for the second one too', async () => {
  const start = await house.now()
  await house.tell(works('P-1', start - 1000, approverJob))
  await house.tell(second('P-1', start - 1000, { jobCode: 'LD', department: 'LENDING' }))
  await house.quiesce(never)
  await house.tell({ ...second('P-1', start, {}), status: 'terminated' })
  await house.tell(works('P-1', start, managerJob))
  await house.evaluateAll()
  await house.shift(600)
  const [first, last] = await house.dispatchAll()
  await house.provision(first?.id ?? 0)
  expect(await stateOf('grant', 'CBS_LoanEntry')).toBe('waiting')
  await house.provision(last?.id ?? 0)
  expect(await stateOf('grant', 'CBS_LoanEntry')).toBe('ready')
  await house.quiesce(never)
  expect(await house.groupsOf('P-1')).toEqual(lending)
})

test('conflicting grants that a newer plan and an older dispatch would send at the same time: only one can be claimed', async () => {
  const start = await house.now()
  await house.tell(works('P-1', start - 1000, { department: 'LENDING', jobCode: 'X' }))
  await house.quiesce(never)
  await house.tell(works('P-1', start))
  await house.evaluateAll()
  await house.shift(600)
  const older = await house.dispatchAll()
  await house.tell(works('P-1', start + 1, approverJob))
  await house.evaluateAll()
  await house.shift(600)
  const newer = await house.dispatchAll()
  await Promise.all([...older, ...newer].map(({ id }) => house.provision(id)))
  await never()
  const granted = faults.calls.flatMap(({ operations }) =>
    operations.flatMap((one) => (one.op === 'grant' ? [one.entitlement.lookup] : [])),
  )
  expect(granted.some((dn) => dn.includes('CBS_LoanEntry'))).toBe(false)
  await house.quiesce(never)
  expect(await house.groupsOf('P-1')).toEqual(approving)
})

test('a live exception lets it go; when it expires, the breach is a finding and nothing is taken away', async () => {
  const start = await house.now()
  await apply(exception(start - 1000, start + 3_600_000))
  await house.tell(works('P-1', start - 1000))
  await house.tell(second('P-1', start - 1000, approverJob))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(expect.arrayContaining(['CBS_LoanApprove', 'CBS_LoanEntry']))
  expect(await openHolds()).toEqual([])
  await house.shift(3_600_000)
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(expect.arrayContaining(['CBS_LoanApprove', 'CBS_LoanEntry']))
  expect(await house.rows(`select times from muster.finding where kind = 'sod-violation'`)).toHaveLength(1)
})

test('an exception that expires between evaluation and claim lets nothing go', async () => {
  const start = await house.now()
  await apply(exception(start - 1000, start + 3_600_000))
  await house.tell(works('P-1', start - 1000))
  await house.quiesce()
  await house.tell(second('P-1', start - 1000, approverJob))
  await house.evaluateAll()
  await house.shift(600)
  const refs = await house.dispatchAll()
  await house.shift(3_600_000)
  for (const { id } of refs) await house.provision(id)
  await never()
  await house.quiesce(never)
  expect(await openHolds()).toEqual(['CBS_LoanApprove'])
})

test('a rejected hold is not opened again for the same conflict; the grant stays away', async () => {
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  await house.quiesce()
  await house.tell(second('P-1', start, approverJob))
  await house.quiesce()
  const [hold] = await house.rows<{ id: number }>(`select id from muster.hold where kind = 'sod' and closed_at is null`)
  const somebody = { type: 'os-user', name: 'somebody', authenticated: false } as const
  expect(await rejectHold(house.engine, hold?.id ?? 0, 'nobody does both', somebody)).toEqual({ kind: 'rejected' })
  await house.tell(second('P-1', start + 1, { ...approverJob, jobTitle: 'Approver' }))
  await house.quiesce(never)
  expect(await openHolds()).toEqual([])
  expect(await house.groupsOf('P-1')).toEqual(lending)
})

test('a policy that makes two grants conflict while they are on their way: what is claimed counts, the other is held', async () => {
  const start = await house.now()
  const without = bankPolicies(house.tree.groups).map((file) =>
    file.path === 'sod.yaml'
      ? { ...file, text: 'sod: {}\n' }
      : file.path === 'exceptions.yaml'
        ? { ...file, text: 'exceptions: {}\n' }
        : file,
  )
  const actor = { type: 'os-user', name: 'test', authenticated: false } as const
  expect(await applyPolicy(house.engine, without, actor)).toMatchObject({ kind: 'applied' })
  await house.tell(works('P-1', start - 1000, { jobCode: 'X' }))
  await house.quiesce()
  await house.tell(works('P-1', start))
  await house.tell(second('P-1', start, approverJob))
  await house.evaluateAll()
  await house.shift(600)
  const refs = await house.dispatchAll()
  const [entry] = await house.rows<{ dispatch: number }>(
    `select dispatch_id as dispatch from muster.action a join muster.entitlement e on e.id = a.entitlement_id where e.key = 'CBS_LoanEntry'`,
  )
  const claimed = gates.stopAt('provision:claimed')
  const first = house.provision(entry?.dispatch ?? 0)
  await claimed.reached
  await applyPolicy(house.engine, bankPolicies(house.tree.groups), actor)
  for (const { id } of refs) if (id !== entry?.dispatch) await house.provision(id)
  claimed.open()
  await first
  await house.quiesce(never)
  expect(await openHolds()).toEqual(['CBS_LoanApprove'])
  expect(await house.groupsOf('P-1')).toContain('CBS_LoanEntry')
})
