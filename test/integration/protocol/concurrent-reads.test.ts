/** A complete read of what an account holds, while a revoke of the same person ends: what is older overrules nothing. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createGates } from '../../support/faults.ts'
import { type House, openHouse } from '../../support/house.ts'
import { brokenLaws } from './laws.ts'
import { managerJob, works } from './people.ts'

let gates: ReturnType<typeof createGates>
let house: House
beforeEach(async () => {
  gates = createGates()
  house = await openHouse({ settings: { pause: gates.pause } })
})
afterEach(() => house.close())

/** Somebody is suspended and moves: the account is shut (which reads what it holds), and a group goes, side by side. */
const shutting = async () => {
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  await house.quiesce()
  await house.tell({ ...works('P-1', start, { ...managerJob, department: 'RETAIL' }), status: 'suspended' })
  await house.evaluateAll()
  await house.shift(600)
  const refs = await house.dispatchAll()
  const [revoke] = await house.rows<{ dispatch: number }>(
    `select a.dispatch_id as dispatch from muster.action a join muster.entitlement e on e.id = a.entitlement_id
     where e.key = 'Dept_Lending' and a.kind = 'revoke' and a.state = 'dispatched'`,
  )
  const [disable] = await house.rows<{ dispatch: number }>(
    `select dispatch_id as dispatch from muster.action where kind = 'disable' and state = 'dispatched'`,
  )
  const others = refs.filter(({ id }) => id !== revoke?.dispatch && id !== disable?.dispatch)
  for (const { id } of others) await house.provision(id)
  // The account is shut and has been read; nothing of it is written yet.
  const read = gates.stopAt('provision:called')
  const reading = house.provision(disable?.dispatch ?? 0)
  await read.reached
  return { revoke: () => house.provision(revoke?.dispatch ?? 0), write: read.open, reading }
}

const isAsBelieved = async () => {
  expect(await house.groupsOf('P-1')).not.toContain('Dept_Lending')
  await house.quiesce()
  expect(await brokenLaws(house)).toEqual([])
}

test('the revoke is verified after the read and before it is written', async () => {
  const { revoke, write, reading } = await shutting()
  await house.shift(5)
  await revoke()
  write()
  await reading
  await isAsBelieved()
})

test('the revoke is written and not committed when the read is', async () => {
  const { revoke, write, reading } = await shutting()
  await house.shift(5)
  // Both come as far as the audit, in this order; the revoke's link is marked by then.
  const called = gates.stopAt('provision:called')
  const revoking = revoke()
  await called.reached
  const commit = await house.holdAudit([
    () => {
      called.open()
      return revoking
    },
  ])
  write()
  await house.waitingForALock(2)
  await commit()
  await reading
  await isAsBelieved()
})
