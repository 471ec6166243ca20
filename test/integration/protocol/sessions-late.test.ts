/** Where accounts cannot be shut (AWS), whoever is let in after their sessions were ended may have begun another one with that. */
import { afterEach, expect, test } from 'vitest'
import type { Connector, Operation } from '../../../src/connectors/connector.ts'
import type { NativeId } from '../../../src/domain/ids.ts'
import type { Outcome } from '../../../src/domain/outcome.ts'
import { checkLeavers } from '../../../src/engine/check-leavers.ts'
import { defaultGuardLimits } from '../../../src/planning/guard.ts'
import { createFaults, delayedWrite } from '../../support/faults.ts'
import { type House, openHouse } from '../../support/house.ts'
import { leaves, works } from './people.ts'
import { stalledGrant } from './stalled-grant.ts'

let house: House
afterEach(() => house.close())

const signedOut = (account: NativeId): Outcome => ({
  kind: 'done',
  changed: true,
  evidence: { read: 'x', code: '0', account, entitlement: null },
  grants: [],
})

/** The directory, as if it had sessions and could not shut an account. */
const open = async () => {
  const faults = createFaults()
  const ended: Operation[] = []
  const revokes = { denied: false }
  const ends = { pending: false }
  const withSessions = (real: Connector): Connector => ({
    ...real,
    apply: async (operations, context) => {
      const outcomes: Outcome[] = []
      for (const operation of operations)
        if (operation.op === 'endSessions') {
          ended.push(operation)
          outcomes.push(
            ends.pending ? { kind: 'pending', handle: 'h', pollAfterMs: 600_000 } : signedOut(operation.account),
          )
        } else if (revokes.denied && operation.op === 'revoke')
          outcomes.push({ kind: 'refused', reason: 'not-allowed', cause: { code: '50', word: 'denied' } })
        else outcomes.push(...(await real.apply([operation], context)))
      return outcomes
    },
    poll: async (asked) =>
      asked.map(({ operation }) => signedOut(('account' in operation ? operation.account : '') as NativeId)),
  })
  house = await openHouse({
    connector: (real) => faults.wrap(withSessions(real)),
    target: {
      endSessions: 'native',
      disable: 'none',
      guard: { ...defaultGuardLimits, disables: { absolute: 3, percent: null } },
    },
  })
  return { faults, ended, revokes, ends }
}

test('a grant that was going out when its person left lands after the sessions were ended: they are ended once more', async () => {
  const { faults, ended } = await open()
  const { start, worker, outstanding } = await stalledGrant(house, faults)
  await house.tell(leaves('P-1', start + 1))
  await house.evaluateAll()
  for (const { id } of await house.dispatchAll('leaver')) await house.provision(id)
  expect(ended).toHaveLength(1)
  worker.open()
  await outstanding
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
  expect(ended).toHaveLength(2)
})

test('a leaver whom another hand let in again: what they began with that is ended, too', async () => {
  const { ended } = await open()
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  await house.tell(leaves('P-1', await house.now()))
  await house.quiesce()
  expect(ended).toHaveLength(1)
  await house.addMember('P-1', 'CBS_LoanEntry')
  await house.shift(301_000)
  await checkLeavers(house.engine, new AbortController().signal)
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
  expect(ended).toHaveLength(2)
})

test('a grant that nobody ever saw, and its inverse took away: what was begun with it is ended, too', async () => {
  const { faults, ended } = await open()
  const start = await house.now()
  await house.tell(works('P-1', start - 1000, { jobCode: 'TELLER', department: 'LENDING' }))
  await house.quiesce()
  const late = delayedWrite()
  faults.next(late.fault, 'grant')
  await house.tell(works('P-1', start))
  await house.evaluateAll()
  await house.shift(600)
  for (const { id } of await house.dispatchAll()) await house.provision(id)
  await house.tell(leaves('P-1', start + 1))
  await house.evaluateAll()
  for (const { id } of await house.dispatchAll('leaver')) await house.provision(id)
  expect(ended).toHaveLength(1)
  await late.write()
  await house.shift(5_000)
  for (let round = 0; round < 3; round++) {
    for (const { id } of await house.dispatchAll('leaver')) await house.provision(id)
    await house.shift(5_000)
  }
  expect(await house.groupsOf('P-1')).toEqual([])
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
  expect(ended).toHaveLength(2)
})

test('a leaver whom another hand let in, and who cannot be put out yet: signed out at once, and once more when they are out', async () => {
  const { ended, revokes } = await open()
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  await house.tell(leaves('P-1', await house.now()))
  await house.quiesce()
  await house.addMember('P-1', 'CBS_LoanEntry')
  await house.shift(301_000)
  revokes.denied = true
  await checkLeavers(house.engine, new AbortController().signal)
  await house.evaluateAll()
  for (const { id } of await house.dispatchAll('leaver')) await house.provision(id)
  expect(await house.groupsOf('P-1')).toEqual(['CBS_LoanEntry'])
  expect(ended).toHaveLength(2)
  revokes.denied = false
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
  expect(ended).toHaveLength(3)
})

test('the end of their sessions takes its time, and they are put out only meanwhile: they are signed out once more, and then no more', async () => {
  const { ended, revokes, ends } = await open()
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  Object.assign(revokes, { denied: true })
  Object.assign(ends, { pending: true })
  await house.tell(leaves('P-1', await house.now()))
  const round = async () => {
    await house.evaluateAll()
    for (const { id } of await house.dispatchAll('leaver')) await house.provision(id)
  }
  await round()
  expect(ended).toHaveLength(1)
  expect(await house.groupsOf('P-1')).not.toEqual([])
  Object.assign(revokes, { denied: false })
  await house.shift(120_000)
  await round()
  expect(await house.groupsOf('P-1')).toEqual([])
  expect(ended).toHaveLength(1)
  Object.assign(ends, { pending: false })
  await house.shift(600_000)
  await round()
  expect(await house.rows('select from muster.account where sessions_ended_at is null')).toHaveLength(1)
  await house.quiesce()
  expect(ended).toHaveLength(2)
  expect(await house.rows('select from muster.account where sessions_ended_at is null')).toEqual([])
})

test('three leave, and each is signed out twice: to the guard they are three', async () => {
  const { ended, revokes, ends } = await open()
  const people = ['P-1', 'P-2', 'P-3']
  for (const person of people) await house.tell(works(person, (await house.now()) - 1000))
  await house.quiesce()
  Object.assign(revokes, { denied: true })
  Object.assign(ends, { pending: true })
  for (const person of people) await house.tell(leaves(person, await house.now()))
  const round = async () => {
    await house.evaluateAll()
    for (const { id } of await house.dispatchAll('leaver')) await house.provision(id)
  }
  await round()
  Object.assign(revokes, { denied: false })
  await house.shift(120_000)
  await round()
  Object.assign(ends, { pending: false })
  await house.shift(600_000)
  await round()
  await house.quiesce()
  expect(await house.rows('select from muster.hold')).toEqual([])
  expect(ended).toHaveLength(6)
  expect(
    await house.rows(
      `select guard_released as second, count(*)::int as n from muster.action where kind = 'endSessions' group by 1 order by 1`,
    ),
  ).toEqual([
    { second: false, n: 3 },
    { second: true, n: 3 },
  ])
})
