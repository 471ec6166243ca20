/** `drift: adopt` takes over what other hands gave; what a late worker of ours gave is nobody's wish (L9). */
import { afterEach, expect, test } from 'vitest'
import { planAdoption } from '../../../src/engine/adopt.ts'
import { reconcile } from '../../../src/engine/reconcile.ts'
import { createFaults, createGates } from '../../support/faults.ts'
import { type House, openHouse, target } from '../../support/house.ts'
import { reporting, resolved } from './behind-our-back.ts'
import { works } from './people.ts'
import { stalledGrant } from './stalled-grant.ts'

let house: House
afterEach(() => house.close())
const adopting = (text: string) => reporting(text).replaceAll(/^( {4})(risk: )/gm, '$1drift: adopt\n$1$2')
const run = async () => {
  await reconcile(house.engine, target, {
    actor: { type: 'engine', name: 'test' },
    signal: new AbortController().signal,
  })
  await house.quiesce()
}

const open = async () => {
  const gates = createGates()
  const faults = createFaults()
  house = await openHouse({ settings: { pause: gates.pause }, connector: faults.wrap, revised: adopting })
  return { gates, ...(await stalledGrant(house, faults)) }
}
const expire = async () => {
  await house.shift(house.engine.settings.leaseMs + 1)
  await house.sweep()
  await house.quiesce()
}
type Open = Awaited<ReturnType<typeof open>>
/** A reconciliation sees what the worker wrote before its outcome is rejected. */
const writesLate = async ({ gates, worker, outstanding }: Open) => {
  const called = gates.stopAt('provision:called')
  worker.open()
  await called.reached
  expect(await house.groupsOf('P-1')).toContain('CBS_LoanEntry')
  await run()
  called.open()
  await outstanding
  await house.quiesce()
}
const takenBack = async () => {
  expect(await house.rows('select adopted_by from muster.adopted')).toEqual([])
  expect(await house.groupsOf('P-1')).not.toContain('CBS_LoanEntry')
}

test('a zombie writes what its person has moved away from, and a reconciliation sees it first: taken back, not adopted', async () => {
  const zombie = await open()
  await house.tell(works('P-1', zombie.start + 1, { jobCode: 'TELLER', department: 'LENDING' }))
  await expire()
  await resolved(house)
  await run()
  expect(await house.groupsOf('P-1')).not.toContain('CBS_LoanEntry')
  await writesLate(zombie)
  await takenBack()
})

test('the second attempt was proved, and another hand has taken it away since: what the first one writes is not adopted', async () => {
  const zombie = await open()
  // An emptied list would not be believed.
  await house.tell(works('P-0', zombie.start))
  await expire()
  await resolved(house)
  await run()
  expect(await house.groupsOf('P-1')).toContain('CBS_LoanEntry')
  await house.removeMember('P-1', 'CBS_LoanEntry')
  await run()
  expect(await house.rows('select from muster.grants where missing')).toHaveLength(1)
  await house.tell(works('P-1', await house.now(), { jobCode: 'TELLER', department: 'LENDING' }))
  await house.quiesce()
  await writesLate(zombie)
  await takenBack()
})

test('a zombie writes what its person has moved away from, and the first list of all shows it: no part of what stood there before', async () => {
  const { gates, start, worker, outstanding } = await open()
  await house.tell(works('P-1', start + 1, { jobCode: 'TELLER', department: 'LENDING' }))
  await expire()
  await resolved(house)
  const called = gates.stopAt('provision:called')
  worker.open()
  await called.reached
  await run()
  expect(await house.rows('select from muster.grants where not given and not appeared')).not.toEqual([])
  expect((await planAdoption(house.engine, target)).map(({ key }) => key)).toEqual([])
  called.open()
  await outstanding
  await house.quiesce()
  await takenBack()
})
