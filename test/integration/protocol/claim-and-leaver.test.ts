/** L2, L3: a claim and a leaver's evaluation meet, each stopped between its read and its commit. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { provision } from '../../../src/engine/provision.ts'
import { defaultGuardLimits } from '../../../src/planning/guard.ts'
import { createFaults, createGates } from '../../support/faults.ts'
import { type House, openHouse } from '../../support/house.ts'
import { auditOf, brokenLaws } from './laws.ts'
import { leaves, works } from './people.ts'

const none = { absolute: null, percent: null }
/** A handful of people would trip any percentage. */
const unguarded = { ...defaultGuardLimits, revokes: none, disables: none, entitlementRevokes: none }
const gates = createGates()
const faults = createFaults()
let house: House
beforeAll(async () => {
  house = await openHouse({ target: { guard: unguarded }, settings: { pause: gates.pause }, connector: faults.wrap })
})
afterAll(() => house.close())

/** Somebody whose account is linked and whose grant of CBS_LoanEntry is dispatched, but not claimed. */
const readyToGrant = async (person: string) => {
  const start = await house.now()
  await house.tell(works(person, start - 1000, { jobCode: 'TELLER' }))
  await house.quiesce()
  await house.tell(works(person, start))
  await house.evaluateAll()
  await house.shift(600)
  const refs = await house.dispatchAll()
  const [grant] = await house.rows<{ action: number; dispatch: number }>(
    `select a.id as action, a.dispatch_id as dispatch from muster.action a join muster.identity i on i.id = a.identity_id
     join muster.entitlement e on e.id = a.entitlement_id
     where i.person_key = $1 and a.kind = 'grant' and e.key = 'CBS_LoanEntry' and a.state = 'dispatched'`,
    person,
  )
  if (grant === undefined) throw new Error('no grant was dispatched')
  for (const { id } of refs) if (id !== grant.dispatch) await house.provision(id)
  return { ...grant, start }
}

const stateOf = async (action: number) =>
  (await house.rows<{ state: string }>('select state::text from muster.action where id = $1', action))[0]?.state
const inversesOf = (action: number) =>
  house.rows<{ id: number; state: string }>('select id, state::text from muster.action where inverse_of = $1', action)
const grantsSince = (calls: number) =>
  faults.calls
    .slice(calls)
    .flatMap(({ call, operations }) => (call === 'apply' ? operations.filter(({ op }) => op === 'grant') : []))
const isGone = async (person: string) => {
  await house.quiesce()
  expect(await house.groupsOf(person)).toEqual([])
  expect((await house.account(person))?.locked).toBe(true)
  expect(await brokenLaws(house)).toEqual([])
}

test('an event that is committed before the claim reads stops the grant, though nobody has evaluated it', async () => {
  const { start, action, dispatch } = await readyToGrant('P-1')
  const calls = faults.calls.length
  await house.tell(leaves('P-1', start + 1))
  await house.provision(dispatch)
  expect(grantsSince(calls)).toEqual([])
  expect(await stateOf(action)).toBe('ready')
  await isGone('P-1')
})

test('an accepted event that nobody has folded stops the grant, also if nothing says that it is due', async () => {
  const { action, dispatch } = await readyToGrant('P-10')
  const calls = faults.calls.length
  await house.rows(
    `update muster.identity set events_seen = events_seen + 1, work_due_at = null where person_key = 'P-10'`,
  )
  await house.provision(dispatch)
  expect(grantsSince(calls)).toEqual([])
  expect(await stateOf(action)).toBe('ready')
  await house.rows(`update muster.identity set work_due_at = muster.now() where person_key = 'P-10'`)
  await house.quiesce()
  expect(await house.groupsOf('P-10')).toContain('CBS_LoanEntry')
})

test.each([
  ['P-12', 'a newer plan has left it behind', 'plan_version = plan_version + 1', 'plan_version = plan_version - 1'],
  ['P-13', 'its person is parked', 'parked_at = muster.now()', 'parked_at = null'],
  [
    'P-14',
    'its person was evaluated under another policy',
    'evaluated_policy = evaluated_policy + 1',
    'evaluated_policy = evaluated_policy - 1',
  ],
])('%s: a grant is not claimed when %s, whatever else says that it may go', async (person, _, makeSo, undo) => {
  const { action, dispatch } = await readyToGrant(person)
  const calls = faults.calls.length
  await house.rows(`update muster.identity set ${makeSo} where person_key = $1`, person)
  await house.provision(dispatch)
  expect(grantsSince(calls)).toEqual([])
  expect(await stateOf(action)).toBe('ready')
  await house.rows(`update muster.identity set ${undo} where person_key = $1`, person)
  await house.quiesce()
  expect(await house.groupsOf(person)).toContain('CBS_LoanEntry')
})

test('the moment at which access ends has passed before the claim reads: the grant stays, without any event', async () => {
  const start = await house.now()
  await house.tell({ ...works('P-2', start - 1000), lastDayEndsAt: start + 5_000 })
  await house.evaluateAll()
  await house.shift(600)
  for (const { id } of await house.dispatchAll()) {
    await house.shift(5_000)
    const calls = faults.calls.length
    await house.provision(id)
    expect(faults.calls.slice(calls)).toEqual([])
  }
  await house.quiesce()
  expect(await house.account('P-2')).toBeNull()
})

test('the claim read first: evaluation waits for it, sees a call going out and sends its inverse at once', async () => {
  const { start, action, dispatch } = await readyToGrant('P-3')
  const claimed = gates.stopAt('claim:read')
  const provisioning = house.provision(dispatch)
  await claimed.reached
  await house.tell(leaves('P-3', start + 1))
  const evaluating = house.evaluateAll('leaver')
  // It can only wait: its locks are the claim's. The database says so.
  await house.waitingForALock()
  expect(await inversesOf(action)).toEqual([])
  claimed.open()
  await Promise.all([provisioning, evaluating])
  expect(await inversesOf(action)).toHaveLength(1)
  await isGone('P-3')
})

test('evaluation wrote first: the claim waits for its commit and then finds its actions superseded', async () => {
  const { start, action, dispatch } = await readyToGrant('P-4')
  await house.tell(leaves('P-4', start + 1))
  const saved = gates.stopAt('evaluate:saved')
  const evaluating = house.evaluateAll('leaver')
  await saved.reached
  const calls = faults.calls.length
  const provisioning = house.provision(dispatch)
  await house.waitingForALock()
  saved.open()
  await Promise.all([provisioning, evaluating])
  expect(grantsSince(calls)).toEqual([])
  expect(await stateOf(action)).toBe('superseded')
  await isGone('P-4')
})

test('the same without any pause in the claim, whose two statements then travel together', async () => {
  const { start, action, dispatch } = await readyToGrant('P-11')
  await house.tell(leaves('P-11', start + 1))
  const saved = gates.stopAt('evaluate:saved')
  const evaluating = house.evaluateAll('leaver')
  await saved.reached
  const calls = faults.calls.length
  const { pause, ...settings } = house.engine.settings
  const provisioning = provision({ ...house.engine, settings }, dispatch)
  await house.waitingForALock()
  saved.open()
  await Promise.all([provisioning, evaluating])
  expect(pause).toBeDefined()
  expect(grantsSince(calls)).toEqual([])
  expect(await stateOf(action)).toBe('superseded')
  await isGone('P-11')
})

test('evaluation stands between its locks and its reads: no claim slips in between', async () => {
  const { start, action, dispatch } = await readyToGrant('P-5')
  // The event is not told yet when the claim would be asked: only the lock keeps it out.
  await house.rows(`update muster.identity set work_due_at = muster.now() where person_key = 'P-5'`)
  const locked = gates.stopAt('evaluate:locked')
  const evaluating = house.evaluateAll()
  await locked.reached
  const provisioning = house.provision(dispatch)
  await house.waitingForALock()
  locked.open()
  await Promise.all([provisioning, evaluating])
  expect(await stateOf(action)).not.toBe('superseded')
  await house.tell(leaves('P-5', start + 1))
  await isGone('P-5')
})

test('a plan that went on while the call was out: settling finds the person overtaken, locks again in order, makes it due', async () => {
  const { start, action, dispatch } = await readyToGrant('P-6')
  const called = gates.stopAt('provision:called')
  const provisioning = house.provision(dispatch)
  await called.reached
  expect(await house.groupsOf('P-6')).toContain('CBS_LoanEntry')
  await house.tell(leaves('P-6', start + 1))
  await house.evaluateAll('leaver')
  const passed = gates.passed.length
  called.open()
  await provisioning
  expect(gates.passed.slice(passed).filter((label) => label === 'settle:locked')).toHaveLength(2)
  expect(await stateOf(action)).toBe('done')
  const [row] = await house.rows<{ due: boolean }>(
    `select work_due_at <= muster.now() as due from muster.identity where person_key = 'P-6'`,
  )
  expect(row?.due).toBe(true)
  await isGone('P-6')
  const revoked = (await auditOf(house)).filter(
    ({ kind, body }) => kind === 'outcome' && body.kind === 'revoke' && body.changed === true,
  )
  expect(revoked.length).toBeGreaterThan(0)
})

test('a leaver who is evaluated while a grant settles waits for it and revokes what it gave', async () => {
  const { start, action, dispatch } = await readyToGrant('P-7')
  const settling = gates.stopAt('settle:locked')
  const provisioning = house.provision(dispatch)
  await settling.reached
  await house.tell(leaves('P-7', start + 1))
  const evaluating = house.evaluateAll('leaver')
  await house.waitingForALock()
  settling.open()
  await Promise.all([provisioning, evaluating])
  expect(await stateOf(action)).toBe('done')
  expect(await inversesOf(action)).toEqual([])
  await isGone('P-7')
})

test('the dispatcher took it while evaluation looked: evaluation looks again until nothing new shows', async () => {
  const start = await house.now()
  await house.tell(works('P-8', start - 1000))
  await house.evaluateAll()
  await house.shift(600)
  const guarded = gates.stopAt('evaluate:locked')
  await house.tell(leaves('P-8', start))
  const evaluating = house.evaluateAll('leaver')
  await guarded.reached
  // What evaluation has locked is not dispatched, and nobody waits for it.
  expect(await house.dispatchAll()).toEqual([])
  guarded.open()
  await evaluating
  await house.quiesce()
  expect(await house.account('P-8')).toBeNull()
})

test('somebody moves back before the earlier grants went out: nothing of the superseded plan is sent', async () => {
  const { start, action, dispatch } = await readyToGrant('P-9')
  await house.tell(works('P-9', start + 1, { jobCode: 'TELLER' }))
  await house.evaluateAll()
  await house.provision(dispatch)
  expect(await stateOf(action)).toBe('superseded')
  await house.quiesce()
  expect(await house.groupsOf('P-9')).toContain('CBS_TellerCash')
  expect(await house.groupsOf('P-9')).not.toContain('CBS_LoanEntry')
  expect(await brokenLaws(house)).toEqual([])
})
