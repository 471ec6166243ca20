import { afterEach, expect, test } from 'vitest'
import { createFaults, stalled } from '../../support/faults.ts'
import { type House, openHouse } from '../../support/house.ts'
import { leaves, works } from './people.ts'

let house: House
afterEach(() => house.close())

test('the zombie wrote, and the directory does not answer when it is read again: read once more until it tells', async () => {
  const faults = createFaults()
  house = await openHouse({ connector: faults.wrap })
  const start = await house.now()
  await house.tell(works('P-1', start - 1000, { jobCode: 'TELLER', department: 'LENDING' }))
  await house.quiesce()
  await house.tell(works('P-1', start))
  await house.evaluateAll()
  await house.shift(600)
  const refs = await house.dispatchAll()
  const [grant] = await house.rows<{ dispatch: number }>(
    `select a.dispatch_id as dispatch from muster.action a join muster.entitlement e on e.id = a.entitlement_id where e.key = 'CBS_LoanEntry' and a.kind = 'grant'`,
  )
  for (const { id } of refs) if (id !== grant?.dispatch) await house.provision(id)
  const worker = stalled()
  faults.next(worker.fault, 'grant')
  const outstanding = house.provision(grant?.dispatch ?? 0)
  await worker.reached
  await house.shift(house.engine.settings.leaseMs + 1)
  await house.sweep()
  await house.quiesce()
  await house.tell(leaves('P-1', start + 1))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
  faults.nextReadFails({ kind: 'unknown', cause: { code: 'ETIMEDOUT', word: 'operation-timeout' } }, 'grant')
  worker.open()
  await outstanding
  await house.quiesce()
  await house.shift(3_600_000)
  await house.sweep()
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
  const open = await house.rows<{ kind: string }>(
    `select kind from muster.finding where kind = 'late-outcome-unread' and closed_at is null`,
  )
  expect(open).toEqual([])
  expect(await house.rows('select 1 from muster.reobservation')).toEqual([])
})
