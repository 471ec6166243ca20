/** Between the making of an account, which nobody has confirmed, and the read of what it holds indirectly, its person leaves. */
import { afterEach, expect, test } from 'vitest'
import { type Connector, notSo } from '../../../src/connectors/connector.ts'
import { observeSettled } from '../../../src/connectors/settled.ts'
import { answerLost, createFaults } from '../../support/faults.ts'
import { type House, openHouse } from '../../support/house.ts'
import { leaves, works } from './people.ts'

const settleMs = 60_000
let house: House
afterEach(() => house.close())

test('an account whose making is unknown is found once, unread: a replica that has not heard of it does not say that its leaver has none', async () => {
  const faults = createFaults()
  const behind = { now: false }
  const away = { now: true }
  const replicas = (real: Connector): Connector => ({
    ...real,
    manifest: { ...real.manifest, settleMs },
    observe: (operations, observing) =>
      observeSettled(settleMs, operations, observing, async (asked) =>
        behind.now
          ? asked.map(() => ({ kind: 'retry', cause: { code: '', word: notSo } }) as const)
          : real.observe(asked, observing),
      ),
    indirectGrantsOf: async () =>
      away.now ? { kind: 'partial', items: [], cause: 'away' } : { kind: 'complete', items: [] },
  })
  house = await openHouse({ connector: (real) => faults.wrap(replicas(real)) })
  await house.tell(works('P-1', (await house.now()) - 1000))
  faults.next(answerLost, 'ensureAccount')
  for (const passMs of [600, 2_000]) {
    await house.evaluateAll()
    await house.shift(passMs)
    for (const { id } of await house.dispatchAll()) await house.provision(id)
  }
  expect(await house.account('P-1')).toMatchObject({ locked: false })
  away.now = false
  behind.now = true
  await house.tell(leaves('P-1', await house.now()))
  await house.evaluateAll()
  for (const { id } of await house.dispatchAll('leaver')) await house.provision(id)
  behind.now = false
  await house.shift(settleMs)
  await house.quiesce()
  expect(await house.account('P-1')).toMatchObject({ locked: true })
})
