import { type createFaults, stalled } from '../../support/faults.ts'
import type { House } from '../../support/house.ts'
import { works } from './people.ts'

/** P-1's account exists; the call that grants CBS_LoanEntry stands still, everything else is done. */
export const stalledGrant = async (house: House, faults: ReturnType<typeof createFaults>) => {
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
  return { start, worker, outstanding }
}
