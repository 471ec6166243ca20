/** Somebody is let in behind our back, and before a reconciliation lists that, a read of ours lists all that the account holds. */
import { afterEach, expect, test } from 'vitest'
import { applyAdoption } from '../../../src/engine/adopt.ts'
import { reconcile } from '../../../src/engine/reconcile.ts'
import { answerLost, createFaults } from '../../support/faults.ts'
import { type House, openHouse, target } from '../../support/house.ts'
import { reporting, resolved, reverting } from './behind-our-back.ts'
import { works } from './people.ts'

let house: House
afterEach(() => house.close())
const elsewhere = { jobCode: 'TELLER', department: 'LENDING' }
const kindOf = async (dispatch: number) =>
  (await house.rows<{ kind: string }>('select kind from muster.action where dispatch_id = $1', dispatch))[0]?.kind
const actor = { type: 'os-user', name: 'ida', authenticated: false } as const
const run = async () => {
  await reconcile(house.engine, target, { actor, signal: new AbortController().signal })
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
  expect(await house.rows(`select cause from muster.action where kind = 'revoke'`)).toEqual([
    { cause: { kind: 'drift' } },
  ])
})

test('it is not what stood there before: muster adopt does not take it over', async () => {
  await letIn(reporting)
  expect((await applyAdoption(house.engine, target, 'day one', actor)).map(({ key }) => key)).toEqual([])
})

test('what our own call may just have given is not behind our back', async () => {
  const faults = createFaults()
  house = await openHouse({ revised: reverting, connector: faults.wrap })
  await house.tell(works('P-1', (await house.now()) - 1000, elsewhere))
  await house.quiesce()
  await resolved(house)
  await run()
  await house.tell(works('P-1', await house.now()))
  await house.evaluateAll()
  await house.shift(600)
  faults.next(answerLost, 'grant')
  faults.next(answerLost, 'grant')
  faults.next(answerLost, 'grant')
  for (const { id } of await house.dispatchAll()) await house.provision(id)
  const unknown = await house.rows<{ entitlement_id: number }>('select entitlement_id from muster.action where unknown')
  expect(unknown.length).toBeGreaterThan(0)
  // They are read back later: first the list that comes with a disable shows them.
  await house.tell({ ...works('P-1', await house.now()), status: 'suspended' })
  for (let n = 0; n < 3; n++) {
    await house.evaluateAll()
    await house.shift(60)
    for (const { id } of await house.dispatchAll()) if ((await kindOf(id)) === 'disable') await house.provision(id)
  }
  const seen = await house.rows<{ appeared: boolean }>(
    'select appeared from muster.grants where entitlement_id = any($1)',
    unknown.map(({ entitlement_id }) => entitlement_id),
  )
  expect(seen.length).toBeGreaterThan(0)
  expect(seen.filter(({ appeared }) => appeared)).toEqual([])
})
