/** A target whose reads may be behind: while a change may be on its way, none of them is believed. */
import { afterEach, expect, test } from 'vitest'
import type { Connector } from '../../../src/connectors/connector.ts'
import { observeSettled } from '../../../src/connectors/settled.ts'
import { answerLost, createFaults, createGates, requestLost } from '../../support/faults.ts'
import { type House, openHouse } from '../../support/house.ts'
import { brokenLaws } from './laws.ts'
import { leaves, works } from './people.ts'

const settleMs = 60_000
const stale = { kind: 'done', changed: false } as const
let house: House
afterEach(() => house.close())

/** The directory behind replicas: as long as `behind.now`, every read shows what was asked for. */
const open = async () => {
  const faults = createFaults()
  const gates = createGates()
  const behind = { now: false }
  const replicas = (real: Connector): Connector => ({
    ...real,
    manifest: { ...real.manifest, settleMs },
    observe: (operations, observing) =>
      observeSettled(settleMs, operations, observing, async (asked) =>
        behind.now
          ? asked.map(({ account }) => ({
              ...stale,
              evidence: { read: 'x', code: '', account, entitlement: null } as never,
            }))
          : real.observe(asked, observing),
      ),
  })
  house = await openHouse({ settings: { pause: gates.pause }, connector: (real) => faults.wrap(replicas(real)) })
  return { faults, gates, behind }
}
const grants = () =>
  house.rows<{ state: string; unknown: boolean }>(
    `select state::text, unknown from muster.action where kind = 'grant' order by id limit 1`,
  )
/** Evaluates and sends once what may go now. */
const round = async (passMs = 600) => {
  await house.evaluateAll()
  await house.shift(passMs)
  for (const { id } of await house.dispatchAll()) await house.provision(id)
}

test('a revoke whose request was lost is sent once more; a read that shows it gone ends nothing', async () => {
  const { faults, behind } = await open()
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  await house.tell(leaves('P-1', await house.now()))
  behind.now = true
  faults.next(requestLost, 'disable', 'revoke')
  await house.evaluateAll('leaver')
  for (const { id } of await house.dispatchAll('leaver')) await house.provision(id)
  expect(await house.groupsOf('P-1')).not.toEqual([])
  await house.shift(1_000)
  for (const { id } of await house.dispatchAll('leaver')) await house.provision(id)
  expect(await house.groupsOf('P-1')).toEqual([])
  expect((await house.account('P-1'))?.locked).toBe(true)
  expect(await brokenLaws(house)).toEqual([])
})

test('a grant that was sent twice and lost twice: the settling time begins anew with the second', async () => {
  const { faults } = await open()
  await house.tell(works('P-1', (await house.now()) - 1000))
  await round()
  for (let i = 0; i < 6; i++) faults.next(requestLost, 'grant')
  await round()
  for (let i = 0; i < 6; i++) faults.next(answerLost, 'grant')
  // Not there after the settling time: sent again, and the answer is lost this time.
  await round(settleMs + 1_000)
  expect(await grants()).toEqual([{ state: 'ready', unknown: true }])
  await round(settleMs / 2)
  expect(await grants()).toEqual([{ state: 'ready', unknown: true }])
  await round(settleMs)
  expect(await grants()).toEqual([{ state: 'done', unknown: false }])
  expect(await brokenLaws(house)).toEqual([])
})

test('a late outcome is read when its target has settled, and until then nobody is paged', async () => {
  const { gates } = await open()
  await house.tell(works('P-1', (await house.now()) - 1000))
  await round()
  await house.shift(600)
  const [first] = await house.dispatchAll()
  const called = gates.stopAt('provision:called')
  const zombie = house.provision(first?.id ?? 0)
  await called.reached
  await house.shift(house.engine.settings.leaseMs + 1_000)
  await house.sweep()
  called.open()
  await zombie
  const left = async () => (await house.rows('select from muster.reobservation')).length
  expect(await left()).toBe(1)
  expect(await house.rows(`select from muster.finding where kind = 'late-outcome-unread'`)).toEqual([])
  await house.shift(settleMs)
  await house.sweep()
  expect(await left()).toBe(0)
})
