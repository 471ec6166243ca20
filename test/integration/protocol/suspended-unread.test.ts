/** What an account holds cannot be read: whoever may not sign in is shut out all the same (ADR 0023), and let in again when they may. */
import { afterEach, expect, test } from 'vitest'
import type { Outcome } from '../../../src/domain/outcome.ts'
import { linkAccount } from '../../../src/engine/link.ts'
import { type House, openHouse, target } from '../../support/house.ts'
import { works } from './people.ts'

let house: House
afterEach(() => house.close())

test.each(['by an action', 'by hand'])(
  'somebody suspended, whose account is linked %s and stays unread, is shut out',
  async (how) => {
    house = await openHouse({
      connector: (real) => ({
        ...real,
        indirectGrantsOf: async () => ({ kind: 'partial', items: [], cause: 'hidden' }),
      }),
    })
    await house.addAccount('P-1')
    await house.addMember('P-1', 'CBS_LoanEntry')
    await house.tell({ ...works('P-1', (await house.now()) - 1000), status: 'suspended' })
    await house.evaluateAll()
    if (how === 'by hand')
      expect(
        await linkAccount(house.engine, {
          person: 'P-1',
          target,
          account: String(await house.idOf('P-1')),
          reason: 'test',
          actor: { type: 'os-user', name: 'test', authenticated: false },
          signal: new AbortController().signal,
        }),
      ).toMatchObject({ kind: 'linked' })
    for (let n = 0; n < 10; n++) {
      await house.evaluateAll()
      await house.shift(60_000)
      for (const { id } of await house.dispatchAll()) await house.provision(id)
    }
    expect(await house.account('P-1')).toMatchObject({ locked: true })
  },
)

test('somebody suspended, whose grants cannot be read when they are shut out, is let in again when they are back', async () => {
  let isHidden = true
  const hiding = (outcomes: readonly Outcome[]) =>
    outcomes.map((one): Outcome => {
      if (one.kind !== 'done' || !isHidden) return one
      const { grants: _, ...rest } = one
      return rest
    })
  house = await openHouse({
    connector: (real) => ({
      ...real,
      apply: async (operations, context) => hiding(await real.apply(operations, context)),
      observe: async (operations, observing) => hiding(await real.observe(operations, observing)),
    }),
  })
  const work = async () => {
    await house.evaluateAll()
    await house.shift(60_000)
    for (const { id } of await house.dispatchAll()) await house.provision(id)
  }
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  await house.tell({ ...works('P-1', await house.now()), status: 'suspended' })
  for (let n = 0; n < 3; n++) await work()
  expect(await house.account('P-1')).toMatchObject({ locked: true })
  await house.tell(works('P-1', await house.now()))
  await work()
  isHidden = false
  for (let n = 0; n < 5; n++) await work()
  expect(await house.account('P-1')).toMatchObject({ locked: false })
})
