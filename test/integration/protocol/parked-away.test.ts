/** A target that was away for longer than bulk work waits: what takes access away is not forgotten when it is back. */
import { afterEach, expect, test } from 'vitest'
import type { Connector } from '../../../src/connectors/connector.ts'
import type { Outcome } from '../../../src/domain/outcome.ts'
import { reconcile } from '../../../src/engine/reconcile.ts'
import { type House, openHouse, target } from '../../support/house.ts'
import { works } from './people.ts'

let house: House
afterEach(() => house.close())
const silent: Outcome = { kind: 'retry', cause: { code: 'ECONNREFUSED', word: 'no-connection', elsewhere: true } }
const away = { now: false }
const leavable = (real: Connector): Connector => ({
  ...real,
  apply: async (operations, context) => (away.now ? operations.map(() => silent) : real.apply(operations, context)),
})
/** P-1 becomes somebody else while the target is away; then it is back, and has been reconciled. */
const changedMeanwhile = async (next: Parameters<House['tell']>[0]) => {
  away.now = true
  await house.tell(next)
  // Whatever waits for the target goes on waiting: nothing is given up.
  await expect(house.quiesce()).rejects.toThrow('not quiet')
  away.now = false
  for (let n = 0; n < 2; n++) {
    await house.shift(3_600_000)
    await house.sweep()
    await reconcile(house.engine, target, {
      actor: { type: 'engine', name: 'test' },
      full: true,
      signal: AbortSignal.timeout(30_000),
    })
    await house.quiesce()
  }
}
const open = async () => {
  away.now = false
  house = await openHouse({ connector: leavable })
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toContain('CBS_LoanEntry')
}

test('whoever moved loses what they held before', async () => {
  await open()
  await changedMeanwhile(works('P-1', await house.now(), { jobCode: 'TELLER', department: 'LENDING' }))
  expect(await house.groupsOf('P-1')).not.toContain('CBS_LoanEntry')
})

test('whoever was suspended is shut out', async () => {
  await open()
  await changedMeanwhile({ ...works('P-1', await house.now()), status: 'suspended' })
  expect(await house.account('P-1')).toMatchObject({ locked: true })
})
