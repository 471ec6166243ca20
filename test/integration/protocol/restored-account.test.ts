/** A leaver's account was deleted by another hand when they left, and is restored with its id and all that it held (Entra for 30 days, AD's recycle bin). */
import { afterEach, expect, test } from 'vitest'
import type { Connector } from '../../../src/connectors/connector.ts'
import type { Outcome } from '../../../src/domain/outcome.ts'
import { reconcile } from '../../../src/engine/reconcile.ts'
import { type House, openHouse, target } from '../../support/house.ts'
import { resolved } from './behind-our-back.ts'
import { leaves, works } from './people.ts'

let house: House
afterEach(() => house.close())

test('it is shut and emptied, although that was refused while it was gone', async () => {
  const deleted = { now: false }
  const missing: Outcome = {
    kind: 'refused',
    reason: 'account-missing',
    cause: { code: '404', word: 'account-missing' },
  }
  const binned = (real: Connector): Connector => ({
    ...real,
    apply: async (operations, context) =>
      deleted.now ? operations.map(() => missing) : real.apply(operations, context),
    observe: async (operations, observing) =>
      deleted.now ? operations.map(() => missing) : real.observe(operations, observing),
    accounts: async (ids, signal) => (deleted.now ? { kind: 'complete', items: [] } : real.accounts(ids, signal)),
    grantsOf: async (ids, signal) => (deleted.now ? { kind: 'complete', items: [] } : real.grantsOf(ids, signal)),
  })
  house = await openHouse({ connector: binned })
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  await resolved(house)
  deleted.now = true
  await house.tell(leaves('P-1', await house.now()))
  await house.quiesce()
  deleted.now = false
  const run = async () => {
    await house.shift(600_000)
    await house.sweep()
    await reconcile(house.engine, target, {
      actor: { type: 'engine', name: 'test' },
      full: true,
      signal: AbortSignal.timeout(30_000),
    })
    await house.quiesce()
  }
  await run()
  await run()
  expect(await house.account('P-1')).toMatchObject({ locked: true })
  expect(await house.groupsOf('P-1')).toEqual([])
})
