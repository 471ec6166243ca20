/** What the read of a late outcome shows beside what its worker was about: changes of another hand, and moves of our own. */
import { afterEach, expect, test } from 'vitest'
import { createFaults, stalled } from '../../support/faults.ts'
import { type House, type HouseOptions, openHouse } from '../../support/house.ts'
import { asDirectoryRoot } from '../../support/stack.ts'
import { findingsOf, reconciled, reverting, settledIn } from './behind-our-back.ts'
import { leaves, managerJob, works } from './people.ts'

let house: House
let faults: ReturnType<typeof createFaults>
afterEach(() => house.close())

const open = async (options: HouseOptions = {}) => {
  faults = createFaults()
  house = await openHouse({ connector: faults.wrap, ...options })
  await settledIn(house, ['P-1', 'P-0'])
}

/** The next dispatch stands still in its call until its lease is over. */
const zombie = async () => {
  await house.evaluateAll()
  await house.shift(600)
  const [ref] = await house.dispatchAll()
  const worker = stalled()
  faults.next(worker.fault)
  const outstanding = house.provision(ref?.id ?? 0)
  await worker.reached
  await house.shift(house.engine.settings.leaseMs + 1)
  expect((await house.sweep()).expired).toBe(1)
  return async () => {
    worker.open()
    await outstanding
  }
}

test('whom another hand let in is taken out again, also when the read of a late outcome is the first to show it', async () => {
  await open({ revised: reverting })
  await house.tell(works('P-1', (await house.now()) - 1, { ...managerJob, familyName: 'Wedded' }))
  const goOn = await zombie()
  await house.addMember('P-1', 'App_RiskDesk')
  await goOn()
  expect(await findingsOf(house)).toEqual([])
  await house.quiesce()
  expect(await house.groupsOf('P-1')).not.toContain('App_RiskDesk')
  expect(await house.groupsOf('P-1')).toContain('CBS_LoanEntry')
})

test('an account that a late worker of ours has moved was moved by no other hand', async () => {
  await open()
  await reconciled(house, { full: true })
  const elsewhere = `ou=elsewhere,${house.tree.people}`
  await asDirectoryRoot(house.ldap, (client) => client.add(elsewhere, { objectClass: 'organizationalUnit' }))
  await house.tell(leaves('P-1', await house.now()))
  const goOn = await zombie()
  // A second worker has shut it, and its place was seen since: then the first one moves it, as one with `leaver.moveTo` does.
  await house.quiesce()
  await reconciled(house, { full: true })
  const dn = (await house.account('P-1'))?.dn ?? ''
  await asDirectoryRoot(house.ldap, (client) => client.modifyDN(dn, `${dn.split(',')[0]},${elsewhere}`))
  await goOn()
  await house.quiesce()
  expect(await reconciled(house, { full: true })).toMatchObject({ renamed: 0 })
})
