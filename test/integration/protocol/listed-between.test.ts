/** Somebody is let in behind our back, and before a reconciliation lists that, a read of ours lists all that the account holds. */
import { afterEach, expect, test } from 'vitest'
import { applyAdoption } from '../../../src/engine/adopt.ts'
import { reconcile } from '../../../src/engine/reconcile.ts'
import { type House, openHouse, target } from '../../support/house.ts'
import { reporting, resolved, reverting } from './behind-our-back.ts'
import { works } from './people.ts'

let house: House
afterEach(() => house.close())
const actor = { type: 'os-user', name: 'ida', authenticated: false } as const
const run = async () => {
  await reconcile(house.engine, target, { actor, signal: AbortSignal.timeout(30_000) })
  await house.quiesce()
}
/** P-1 is let into App_RiskDesk after a complete list without them, is suspended before the next one, and back. */
const letIn = async (revised: (text: string) => string) => {
  house = await openHouse({ revised })
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  await resolved(house)
  await run()
  await house.addMember('P-1', 'App_RiskDesk')
  await house.tell({ ...works('P-1', await house.now()), status: 'suspended' })
  await house.quiesce()
  expect((await house.account('P-1'))?.locked).toBe(true)
  await house.tell(works('P-1', await house.now()))
  await house.quiesce()
  await run()
}

test('drift: revert takes it away all the same', async () => {
  await letIn(reverting)
  expect(await house.groupsOf('P-1')).not.toContain('App_RiskDesk')
})

test('it is not what stood there before: muster adopt does not take it over', async () => {
  await letIn(reporting)
  expect((await applyAdoption(house.engine, target, 'day one', actor)).map(({ key }) => key)).toEqual([])
})
