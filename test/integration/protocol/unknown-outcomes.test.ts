/** An answer that never came: read back before anything else, and for a leaver undone at once. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { answerLost, createFaults, createGates, delayedWrite, requestLost } from '../../support/faults.ts'
import { type House, openHouse } from '../../support/house.ts'
import { auditOf, brokenLaws, conflicts } from './laws.ts'
import { approverJob, approving, leaves, lending, works } from './people.ts'

let gates: ReturnType<typeof createGates>
let faults: ReturnType<typeof createFaults>
let house: House
beforeEach(async () => {
  gates = createGates()
  faults = createFaults()
  house = await openHouse({ settings: { pause: gates.pause }, connector: faults.wrap })
})
afterEach(() => house.close())

/** One round: evaluate, dispatch, provision what is ready now. */
const round = async () => {
  await house.evaluateAll()
  await house.shift(600)
  for (const { id } of await house.dispatchAll()) await house.provision(id)
}
const outcomesOf = async (kind: string) =>
  (await auditOf(house))
    .filter((entry) => entry.kind === 'outcome' && entry.body.kind === kind)
    .map(({ body }) => body.outcome)
const appliesOf = (op: string) =>
  faults.calls.filter(({ call, operations }) => call === 'apply' && operations.some((one) => one.op === op)).length

test('the answer is lost after the change: read back, not sent again', async () => {
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  await round()
  for (let i = 0; i < lending.length; i++) faults.next(answerLost, 'grant')
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(lending)
  expect(appliesOf('grant')).toBe(lending.length)
  expect(await outcomesOf('grant')).toEqual([...lending.map(() => 'unknown'), ...lending.map(() => 'done')])
  expect(await brokenLaws(house)).toEqual([])
})

test('the request is lost before the change: the read-back says so, and only then it is sent again', async () => {
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  await round()
  for (let i = 0; i < lending.length; i++) faults.next(requestLost, 'grant')
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(lending)
  expect(appliesOf('grant')).toBe(2 * lending.length)
  const grants = faults.calls
    .filter(({ operations }) => operations.some(({ op }) => op === 'grant'))
    .map(({ call }) => call)
  expect(grants.slice(lending.length, lending.length + 2)).toEqual(['observe', 'apply'])
  expect(await brokenLaws(house)).toEqual([])
})

test.each([
  ['after the change', answerLost],
  ['before the change', requestLost],
])('grants whose answer was lost %s, then a leaver: inverses at once, nobody keeps access', async (_, fault) => {
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  await round()
  for (let i = 0; i < lending.length; i++) faults.next(fault, 'grant')
  await round()
  await house.tell(leaves('P-1', start))
  await house.evaluateAll('leaver')
  const inverses = await house.rows<{ n: number }>(
    'select count(*) as n from muster.action where inverse_of is not null',
  )
  expect(inverses[0]?.n).toBe(lending.length)
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
  expect((await house.account('P-1'))?.locked).toBe(true)
  expect(await brokenLaws(house)).toEqual([])
})

test('the inverse overtakes a grant that is still on its way: it is verified again after that one is known', async () => {
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  await round()
  const late = delayedWrite()
  faults.next(late.fault, 'grant')
  await house.evaluateAll()
  await house.shift(600)
  const [first, ...others] = await house.dispatchAll()
  const called = gates.stopAt('provision:called')
  const outstanding = house.provision(first?.id ?? 0)
  await called.reached
  for (const { id } of others) await house.provision(id)
  await house.tell(leaves('P-1', start))
  await house.evaluateAll('leaver')
  for (const { id } of await house.dispatchAll('leaver')) await house.provision(id)
  // The revoke found nothing to take, which proves nothing as long as the grant may still land.
  const [inverse] = await house.rows<{ state: string; unknown: boolean }>(
    'select state::text, unknown from muster.action where inverse_of is not null',
  )
  expect(inverse).toEqual({ state: 'ready', unknown: true })
  await late.write()
  expect(await house.groupsOf('P-1')).toHaveLength(1)
  called.open()
  await outstanding
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
  expect(await brokenLaws(house)).toEqual([])
})

test('an account whose creation was never confirmed is found and shut when its person leaves meanwhile', async () => {
  const start = await house.now()
  await house.tell({
    ...works('P-1', start - 1000),
    attributes: { jobCode: 'RM', department: 'LENDING', jobTitle: 'Manager' },
  })
  faults.next(answerLost, 'ensureAccount')
  await round()
  expect((await house.account('P-1'))?.locked).toBe(false)
  // A termination that tells next to nothing of the person.
  await house.tell(leaves('P-1', start))
  await house.quiesce()
  expect((await house.account('P-1'))?.locked).toBe(true)
  expect(await brokenLaws(house)).toEqual([])
})

test('a grant in flight counts in separation of duties, unknown ones too: no conflict is ever completed', async () => {
  const start = await house.now()
  await house.tell(works('P-1', start - 1000, { jobCode: 'TELLER' }))
  await house.quiesce()
  await house.tell(works('P-1', start))
  faults.next(answerLost, 'grant')
  faults.next(answerLost, 'grant')
  faults.next(answerLost, 'grant')
  await round()
  expect(await house.groupsOf('P-1')).toContain('CBS_LoanEntry')
  // Muster does not know whether LoanEntry is there; LoanApprove must wait for its verified end.
  await house.tell(works('P-1', start + 1, approverJob))
  await house.evaluateAll()
  const [approve] = await house.rows<{ n: number }>(
    `select count(*) as n from muster.action a join muster.entitlement e on e.id = a.entitlement_id where e.key = 'CBS_LoanApprove' and a.kind = 'grant' and a.state = 'ready'`,
  )
  expect(approve?.n).toBe(0)
  await house.quiesce(async () => {
    expect(await conflicts(house, [['CBS_LoanEntry', 'CBS_LoanApprove']])).toEqual([])
  })
  expect(await house.groupsOf('P-1')).toEqual(approving)
  expect(await brokenLaws(house)).toEqual([])
})

test.each([
  ['throttled', { kind: 'throttled', retryAfterMs: 100, scope: 'target' }],
  ['refused', { kind: 'refused', reason: 'not-allowed', cause: { code: '50', word: 'insufficient-access' } }],
] as const)(
  'a read-back that is %s tells nothing: what was unknown stays so, and a leaver loses it',
  async (_, outcome) => {
    const start = await house.now()
    await house.tell(works('P-1', start - 1000))
    await round()
    for (let i = 0; i < lending.length; i++) faults.next(answerLost, 'grant')
    await round()
    for (let i = 0; i < lending.length; i++) faults.nextReadFails(outcome, 'grant')
    await round()
    const rows = await house.rows<{ unknown: boolean; state: string }>(
      `select unknown, state::text from muster.action where kind = 'grant'`,
    )
    expect(rows).toEqual(lending.map(() => ({ unknown: true, state: 'ready' })))
    await house.tell(leaves('P-1', start))
    await house.quiesce()
    expect(await house.groupsOf('P-1')).toEqual([])
    expect(await brokenLaws(house)).toEqual([])
  },
)
