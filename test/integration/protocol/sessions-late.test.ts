/** Where accounts cannot be shut (AWS), whoever is let in after their sessions were ended may have begun another one with that. */
import { afterEach, expect, test } from 'vitest'
import type { Connector, Operation } from '../../../src/connectors/connector.ts'
import type { Outcome } from '../../../src/domain/outcome.ts'
import { checkLeavers } from '../../../src/engine/check-leavers.ts'
import { createFaults, delayedWrite } from '../../support/faults.ts'
import { type House, openHouse } from '../../support/house.ts'
import { leaves, works } from './people.ts'
import { stalledGrant } from './stalled-grant.ts'

let house: House
afterEach(() => house.close())

/** The directory, as if it had sessions and could not shut an account. */
const open = async () => {
  const faults = createFaults()
  const ended: Operation[] = []
  const revokes = { denied: false }
  const withSessions = (real: Connector): Connector => ({
    ...real,
    apply: async (operations, context) => {
      const outcomes: Outcome[] = []
      for (const operation of operations)
        if (operation.op === 'endSessions') {
          ended.push(operation)
          const { account } = operation
          outcomes.push({
            kind: 'done',
            changed: true,
            evidence: { read: 'x', code: '0', account, entitlement: null },
            grants: [],
          })
        } else if (revokes.denied && operation.op === 'revoke')
          outcomes.push({ kind: 'refused', reason: 'not-allowed', cause: { code: '50', word: 'denied' } })
        else outcomes.push(...(await real.apply([operation], context)))
      return outcomes
    },
  })
  house = await openHouse({
    connector: (real) => faults.wrap(withSessions(real)),
    target: { endSessions: 'native', disable: 'none' },
  })
  return { faults, ended, revokes }
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
