/** Leavers whose account is shut late, read too early, never read again, never deleted. */
import { afterEach, expect, test } from 'vitest'
import type { Connector } from '../../../src/connectors/connector.ts'
import { checkLeavers } from '../../../src/engine/check-leavers.ts'
import { createFaults, createGates, requestLost } from '../../support/faults.ts'
import { type House, type HouseOptions, openHouse } from '../../support/house.ts'
import { auditOf } from './laws.ts'
import { leaves, works } from './people.ts'

let house: House
let gates: ReturnType<typeof createGates>
let faults: ReturnType<typeof createFaults>
afterEach(() => house.close())
const minute = 60_000
const open = async (options: HouseOptions = {}) => {
  gates = createGates()
  faults = createFaults()
  house = await openHouse({ connector: faults.wrap, settings: { pause: gates.pause }, ...options })
}
const round = async (lane?: 'leaver' | 'bulk') => {
  await house.evaluateAll(lane)
  await house.shift(2_005)
  for (const { id } of await house.dispatchAll(lane)) await house.provision(id)
}

test("a leaver's disable does not stay in the bulk lane because an earlier one's answer was lost there", async () => {
  await open()
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  await house.tell({ ...works('P-1', await house.now()), status: 'leave' })
  faults.next(requestLost, 'disable')
  await round()
  expect((await house.account('P-1'))?.locked).toBe(false)
  await house.tell(leaves('P-1', await house.now()))
  await house.shift(minute)
  // Only the leaver lane works: the bulk lane's queue may be gone.
  for (let i = 0; i < 4; i++) await round('leaver')
  expect((await house.account('P-1'))?.locked).toBe(true)
})

test("a revoke of a leaver's does not stay in the bulk lane because an earlier one's answer was lost there", async () => {
  await open()
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  // Moves: loses what belongs to the job.
  await house.tell(works('P-1', await house.now(), { jobCode: 'NONE' }))
  for (let i = 0; i < 8; i++) faults.next(requestLost, 'revoke')
  await round()
  faults.clear()
  expect(await house.groupsOf('P-1')).toContain('CBS_LoanEntry')
  await house.tell(leaves('P-1', await house.now()))
  await house.shift(minute)
  for (let i = 0; i < 4; i++) await round('leaver')
  expect(await house.groupsOf('P-1')).toEqual([])
})

test('shut by a call that went out before the leave: its read is older than the leave, and proves nothing of what came between', async () => {
  await open()
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  await house.tell({ ...works('P-1', await house.now()), status: 'leave' })
  await house.evaluateAll()
  await house.shift(600)
  const [ref] = await house.dispatchAll('bulk')
  const called = gates.stopAt('provision:called')
  const going = house.provision(ref?.id ?? 0)
  await called.reached
  await house.addMember('P-1', 'Staff_Vpn')
  await house.tell(leaves('P-1', await house.now()))
  await house.evaluateAll('leaver')
  called.open()
  await going
  await house.quiesce()
  expect((await house.account('P-1'))?.locked).toBe(true)
  expect(await house.groupsOf('P-1')).toEqual([])
})

test('whoever was shut by such a call is read again after 5 minutes too', async () => {
  await open()
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  await house.tell({ ...works('P-1', await house.now()), status: 'leave' })
  await house.evaluateAll()
  await house.shift(600)
  const [ref] = await house.dispatchAll('bulk')
  const called = gates.stopAt('provision:called')
  const going = house.provision(ref?.id ?? 0)
  await called.reached
  await house.tell(leaves('P-1', await house.now()))
  await house.evaluateAll('leaver')
  called.open()
  await going
  await house.quiesce()
  expect(await house.rows('select account_id from muster.leave_check')).toHaveLength(1)
})

test('a leaver whose account was found shut already is read again as well', async () => {
  await open()
  await house.addAccount('P-1', { locked: true })
  await house.addMember('P-1', 'App_Crm')
  await house.tell(leaves('P-1', (await house.now()) - 1000))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
  expect(await house.rows('select account_id from muster.leave_check')).toHaveLength(1)
})

test('one account that cannot be read keeps nobody else from being read again, and stays told', async () => {
  let bad = ''
  await open({
    connector: (real: Connector): Connector => ({
      ...real,
      accounts: (ids, signal) =>
        (ids as readonly string[]).includes(bad)
          ? Promise.resolve({ kind: 'partial', items: [], cause: 'one-of-them' })
          : real.accounts(ids, signal),
    }),
  })
  for (const person of ['P-1', 'P-2']) await house.tell(works(person, (await house.now()) - 1000))
  await house.quiesce()
  for (const person of ['P-1', 'P-2']) await house.tell(leaves(person, await house.now()))
  await house.quiesce()
  bad = String(await house.idOf('P-1'))
  await house.shift(6 * minute)
  for (let i = 0; i < 20; i++) {
    await checkLeavers(house.engine, new AbortController().signal)
    await house.shift(minute + 1_000)
  }
  const checked = (await auditOf(house)).filter(({ kind }) => kind === 'leave-checked')
  expect(checked.map(({ body }) => body.account)).toContain(await house.idOf('P-2'))
})

test('an account that was not empty when its time came is deleted when it is', async () => {
  const day = 86_400_000
  let down = false
  let deleted = 0
  await open({
    target: { deleteAfterMs: day },
    connector: (real: Connector): Connector => ({
      ...real,
      apply: (operations, context) => {
        const [first] = operations
        if (first?.op === 'deleteAccount') {
          deleted += 1
          return Promise.resolve(
            operations.map((one) => ({
              kind: 'done' as const,
              changed: true,
              evidence: { read: 'test', code: '0', account: one.account, entitlement: null } as never,
            })),
          )
        }
        if (down && operations.some(({ op }) => op === 'revoke'))
          return Promise.resolve(operations.map(() => ({ kind: 'retry' as const, cause: { code: '', word: 'down' } })))
        return real.apply(operations, context)
      },
    }),
  })
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  down = true
  await house.tell(leaves('P-1', await house.now()))
  for (let i = 0; i < 3; i++) await round()
  // Shut on its own by now or with the rest; the time passes while the revokes fail.
  await house.shift(day + minute)
  for (let i = 0; i < 2; i++) await round()
  down = false
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
  expect(deleted).toBe(1)
})
