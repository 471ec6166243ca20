/** A single leaver's short way: evaluated, dispatched and claimed in one transaction, under the same laws (ADR 0008). */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { carryOut } from '../../../src/engine/provision.ts'
import { seeOff } from '../../../src/engine/see-off.ts'
import { createFaults, createGates, requestLost } from '../../support/faults.ts'
import { type House, openHouse } from '../../support/house.ts'
import { auditOf, brokenLaws } from './laws.ts'
import { leaves, works } from './people.ts'

let gates: ReturnType<typeof createGates>
let faults: ReturnType<typeof createFaults>
let house: House
beforeEach(async () => {
  gates = createGates()
  faults = createFaults()
  house = await openHouse({ settings: { pause: gates.pause }, connector: faults.wrap })
  const start = await house.now()
  for (const person of ['P-1', 'P-2', 'P-3']) await house.tell(works(person, start - 1000))
  await house.quiesce()
  faults.calls.length = 0
})
afterEach(() => house.close())

const leave = async (person: string) => {
  await house.tell(leaves(person, await house.now()))
  await house.shift(5)
}
const shortWay = async () => {
  const seen = await seeOff(house.engine)
  for (const claim of seen.claims) await carryOut(house.engine, claim, seen.begun)
  return seen
}
const attempts = async () => (await auditOf(house)).filter(({ kind }) => kind === 'attempt').length
const isGone = async (person: string) => {
  expect(await house.groupsOf(person)).toEqual([])
  expect(await house.account(person)).toMatchObject({ locked: true })
}

test('one turn and one call: gone, verified and audited', async () => {
  await leave('P-1')
  expect((await shortWay()).claims).toHaveLength(1)
  expect(faults.calls).toHaveLength(1)
  await isGone('P-1')
  await house.quiesce()
  expect(await brokenLaws(house)).toEqual([])
})

test.each(['evaluate:saved', 'dispatch:guarded', 'claim:locked', 'claim:read'])(
  'death at %s: nothing was called, nothing is lost',
  async (label) => {
    await leave('P-1')
    gates.dieAt(label)
    await expect(seeOff(house.engine)).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(faults.calls).toEqual([])
    await house.recover()
    await isGone('P-1')
    expect(await brokenLaws(house)).toEqual([])
  },
)

test('a transaction that failed at its very end leaves no claim behind: no call without an attempt in the audit', async () => {
  await house.rows('create sequence public.tries; grant usage on sequence public.tries to public')
  await house.rows(`create function public.fail_once() returns trigger language plpgsql as $f$
    begin if new.kind = 'attempt' and nextval('public.tries') = 1 then raise exception 'full' using errcode = '22000'; end if; return new; end $f$`)
  await house.rows(
    'create trigger fail_once before insert on audit.entry for each row execute function public.fail_once()',
  )
  const before = await attempts()
  await leave('P-1')
  await shortWay()
  expect(faults.calls.length).toBe((await attempts()) - before)
  await house.quiesce()
  await isGone('P-1')
  expect(await brokenLaws(house)).toEqual([])
})

test('two engines see off the same leaver: one claim', async () => {
  await leave('P-1')
  await leave('P-2')
  await Promise.all([shortWay(), shortWay(), house.evaluateAll('leaver'), house.dispatchAll('leaver')])
  await house.quiesce()
  await isGone('P-1')
  await isGone('P-2')
  expect(await brokenLaws(house)).toEqual([])
})

test('a grant that is out when its person is seen off: the inverse goes with everything else, and again when it is known', async () => {
  const start = await house.now()
  await house.tell(works('P-1', start, { jobCode: 'TELLER', department: 'LENDING' }))
  await house.evaluateAll()
  await house.shift(600)
  await house.dispatchAll()
  const [grant] = await house.rows<{ dispatch: number; action: number }>(
    `select a.dispatch_id as dispatch, a.id as action from muster.action a join muster.entitlement e on e.id = a.entitlement_id where e.key = 'CBS_TellerCash' and a.state = 'dispatched'`,
  )
  const called = gates.stopAt('provision:called')
  const out = house.provision(grant?.dispatch ?? 0)
  await called.reached
  await leave('P-1')
  await shortWay()
  // It was there already when the inverse went out, yet its own outcome is not known: to be verified once more.
  expect(await house.groupsOf('P-1')).toEqual([])
  expect(await house.rows('select unknown from muster.action where inverse_of = $1', grant?.action)).toEqual([
    { unknown: true },
  ])
  called.open()
  await out
  await house.quiesce()
  await isGone('P-1')
  expect(await brokenLaws(house)).toEqual([])
})

test('a call that is lost on the short way is read back and sent again', async () => {
  await leave('P-1')
  faults.next(requestLost)
  await shortWay()
  expect(await house.groupsOf('P-1')).not.toEqual([])
  await house.quiesce()
  await isGone('P-1')
  expect(await brokenLaws(house)).toEqual([])
})
