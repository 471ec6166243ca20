/** The schedule of reconciliation, where a target does not answer. */
import { afterEach, expect, test, vi } from 'vitest'
import { answering } from '../../../src/connectors/answering.ts'
import { type Listing, reconcileDue } from '../../../src/engine/reconcile-due.ts'
import { type House, openHouse } from '../../support/house.ts'
import { findingsOf } from './behind-our-back.ts'
import { works } from './people.ts'

let house: House
const ending = new AbortController()
afterEach(async () => {
  vi.restoreAllMocks()
  ending.abort()
  await house.close()
})

test('a target whose list never ends is listed again, or told: days without a reconciliation are not silent', async () => {
  let asked = 0
  house = await openHouse({
    connector: (real) =>
      answering({
        ...real,
        membersOf: async function* () {
          asked += 1
          await new Promise<never>(() => {})
        },
      }),
  })
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  // Whatever patience a listing has, it is over as soon as it was asked.
  const patience = new AbortController()
  vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => patience.signal)
  const listing: Listing = new Map()
  await reconcileDue(house.engine, listing, ending.signal)
  await expect.poll(() => asked).toBe(1)
  patience.abort()
  await expect
    .poll(async () => {
      await house.shift(86_400_000)
      await reconcileDue(house.engine, listing, ending.signal)
      await house.sweep()
      return asked > 1 || (await findingsOf(house)).length > 0
    })
    .toBe(true)
})
