/** What goes out together: how many leavers, and when more gather behind what is queued already. */
import { afterEach, expect, test } from 'vitest'
import { type Claim, claim } from '../../../src/engine/claim.ts'
import { dispatch } from '../../../src/engine/dispatch.ts'
import { carryOut } from '../../../src/engine/provision.ts'
import { defaultGuardLimits } from '../../../src/planning/guard.ts'
import { type House, openHouse } from '../../support/house.ts'
import { asDirectoryRoot } from '../../support/stack.ts'
import { leaves, lending, works } from './people.ts'

let house: House
afterEach(() => house.close())

/** What is on the queue came there only now, however long the machine took: in a minute. */
const justQueued = () =>
  house.rows(`update muster.dispatch set created_at = muster.now() + interval '1 min' where state = 'queued'`)
const dispatched = async (lane: 'leaver' | 'bulk'): Promise<readonly number[]> =>
  (await dispatch(house.engine, lane)).map(({ id }) => id)

test('of bulk work more gathers behind four queued dispatches of a target, and for at most five seconds', async () => {
  house = await openHouse()
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  await house.evaluateAll()
  await house.shift(600)
  for (const id of await dispatched('bulk')) await house.provision(id)
  await house.shift(600)
  const grants = await dispatched('bulk')
  expect(grants).toHaveLength(lending.length)

  await house.tell(works('P-2', start - 1000))
  await house.evaluateAll()
  await house.shift(600)
  const [first, second, ...fourQueued] = grants
  await house.provision(first as number)
  await house.provision(second as number)
  expect(fourQueued).toHaveLength(4)
  await justQueued()
  expect(await dispatched('bulk')).toEqual([])
  await house.provision(fourQueued[0] as number)
  expect(await dispatched('bulk')).toHaveLength(1)
  await justQueued()

  await house.tell(works('P-3', start - 1000))
  await house.evaluateAll()
  await house.shift(600)
  expect(await dispatched('bulk')).toEqual([])
  await house.shift(65_000)
  expect(await dispatched('bulk')).toHaveLength(1)
})

test('of leavers more gather behind one queued dispatch, and for at most two seconds', async () => {
  house = await openHouse()
  const start = await house.now()
  for (const person of ['P-1', 'P-2', 'P-3']) await house.tell(works(person, start - 1000))
  await house.quiesce()
  const leave = async (person: string) => {
    await house.tell(leaves(person, await house.now()))
    await house.shift(5)
    await house.evaluateAll('leaver')
  }
  await leave('P-1')
  const [queued] = await dispatched('leaver')
  expect(queued).toBeDefined()
  await justQueued()
  await leave('P-2')
  expect(await dispatched('leaver')).toEqual([])
  // The moment that a worker takes the first, they may go: nobody waits for a poll.
  house.nudged.length = 0
  const taken = await claim(house.engine, queued as number)
  expect(house.nudged).toContain('dispatch:leaver')
  expect(await dispatched('leaver')).toHaveLength(1)
  await carryOut(house.engine, taken as Claim, performance.now())
  await justQueued()
  await leave('P-3')
  expect(await dispatched('leaver')).toEqual([])
  await house.shift(62_000)
  expect(await dispatched('leaver')).toHaveLength(1)
  for (const { id } of await house.rows<{ id: number }>(`select id from muster.dispatch where state = 'queued'`))
    await house.provision(id)
  for (const person of ['P-1', 'P-2', 'P-3']) expect(await house.groupsOf(person)).toEqual([])
})

test('a dispatch holds at most 500 leavers, and of each of them everything', async () => {
  const unlimited = { absolute: null, percent: 100 }
  const guard = { ...defaultGuardLimits, revokes: unlimited, disables: unlimited, entitlementRevokes: unlimited }
  house = await openHouse({ target: { guard } })
  const people = Array.from({ length: 502 }, (_, i) => `P-${i}`)
  await asDirectoryRoot(house.ldap, async (client) => {
    for (const person of people)
      await client.add(`uid=${person.toLowerCase()},${house.tree.people}`, {
        objectClass: 'inetOrgPerson',
        uid: person.toLowerCase(),
        cn: person,
        sn: person,
        employeeNumber: person,
      })
  })
  const start = await house.now()
  for (const person of people) await house.tell(works(person, start - 1000, { jobCode: 'X' }))
  await house.quiesce()
  for (const person of people) await house.tell(leaves(person, await house.now()))
  await house.shift(5)
  await house.evaluateAll('leaver')
  const [first = 0, second = 0, ...more] = await dispatched('leaver')
  expect(more).toEqual([])
  const members = await house.rows<{ people: number; actions: number }>(
    `select count(distinct identity_id) as people, count(*) as actions from muster.action
      where dispatch_id = any($1) group by dispatch_id order by 1`,
    [first, second],
  )
  const each = (members[0]?.actions ?? 0) / 2
  expect(each).toBeGreaterThan(1)
  expect(members).toEqual([
    { people: 2, actions: 2 * each },
    { people: 500, actions: 500 * each },
  ])
})
