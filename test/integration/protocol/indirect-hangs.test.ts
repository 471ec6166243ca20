/** What somebody holds indirectly is slow to read: whoever is to be shut out does not wait for it. */
import { afterEach, expect, test } from 'vitest'
import { type House, openHouse } from '../../support/house.ts'
import { leaves, works } from './people.ts'

let house: House
afterEach(() => house.close())

test('one leaver’s account is only now found: another’s, shut by the same call, is settled before its nested groups are read', async () => {
  const opened = Promise.withResolvers<void>()
  let hangs = false
  house = await openHouse({
    connector: (real) => ({
      ...real,
      indirectGrantsOf: async () => {
        if (hangs) await opened.promise
        return { kind: 'complete', items: [] }
      },
    }),
  })
  await house.tell(works('P-1', (await house.now()) - 2000))
  await house.quiesce()
  await house.addAccount('P-2')
  hangs = true
  const now = await house.now()
  await house.tell(leaves('P-1', now))
  await house.tell(works('P-2', now - 2000))
  await house.tell(leaves('P-2', now - 1000))
  await house.evaluateAll('leaver')
  const refs = await house.dispatchAll('leaver')
  const outstanding = Promise.all(refs.map(({ id }) => house.provision(id)))
  const shut = () =>
    house.rows<{ state: string }>(
      `select a.state::text from muster.action a join muster.identity i on i.id = a.identity_id where i.person_key = 'P-1' and a.kind = 'disable'`,
    )
  try {
    await expect.poll(async () => (await house.account('P-1'))?.locked).toBe(true)
    await expect.poll(shut).toEqual([{ state: 'done' }])
  } finally {
    opened.resolve()
    await outstanding
  }
})
