/** What takes away is sent once more while nobody knows what became of the first call: the second call's answer says nothing of the first. */
import { afterEach, expect, test } from 'vitest'
import type { Connector } from '../../../src/connectors/connector.ts'
import { observeSettled } from '../../../src/connectors/settled.ts'
import type { Outcome } from '../../../src/domain/outcome.ts'
import { answerLost, createFaults } from '../../support/faults.ts'
import { type House, openHouse } from '../../support/house.ts'
import { leaves, works } from './people.ts'

const settleMs = 60_000
let house: House
afterEach(() => house.close())

test('a revoke whose answer was lost, and whose second call never began, stays unknown: whoever moves back gets it again', async () => {
  const faults = createFaults()
  const lagging = (real: Connector): Connector => ({
    ...real,
    manifest: { ...real.manifest, settleMs },
    observe: (operations, observing) =>
      observeSettled(settleMs, operations, observing, (asked) => real.observe(asked, observing)),
  })
  house = await openHouse({ connector: (real) => faults.wrap(lagging(real)) })
  const round = async (passMs: number) => {
    await house.evaluateAll()
    await house.shift(passMs)
    for (const { id } of await house.dispatchAll()) await house.provision(id)
  }
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toContain('CBS_LoanEntry')
  await house.tell(works('P-1', await house.now(), { jobCode: 'TELLER', department: 'LENDING' }))
  faults.next(answerLost, 'revoke')
  await round(600)
  const revokes = () =>
    house.rows<{ state: string; unknown: boolean }>(
      `select a.state::text, a.unknown from muster.action a join muster.entitlement e on e.id = a.entitlement_id where a.kind = 'revoke' and e.key = 'CBS_LoanEntry'`,
    )
  expect(await house.groupsOf('P-1')).not.toContain('CBS_LoanEntry')
  expect(await revokes()).toEqual([{ state: 'ready', unknown: true }])
  // The lease was short: nothing of the second call has begun.
  faults.next(
    async (operations) => operations.map(() => ({ kind: 'retry', cause: { code: '', word: 'lease' } })),
    'revoke',
  )
  await round(2_000)
  await house.tell(works('P-1', await house.now()))
  for (let i = 0; i < 4; i++) await round(settleMs)
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toContain('CBS_LoanEntry')
})

/** Replicas that have not heard yet, while `behind.now`, that accounts were opened. */
const openShownShut = async () => {
  const faults = createFaults()
  const behind = { now: false }
  const shown = (outcome: Outcome): Outcome =>
    behind.now && outcome.kind === 'done' && outcome.account !== undefined
      ? { ...outcome, account: { ...outcome.account, enabled: false } }
      : outcome
  const lagging = (real: Connector): Connector => ({
    ...real,
    manifest: { ...real.manifest, settleMs },
    apply: async (operations, context) =>
      (await real.apply(operations, context)).map((outcome, index) =>
        operations[index]?.op === 'ensureAccount' ? shown(outcome) : outcome,
      ),
    observe: (operations, observing) =>
      observeSettled(settleMs, operations, observing, async (asked) =>
        (await real.observe(asked, observing)).map(shown),
      ),
  })
  house = await openHouse({ connector: (real) => faults.wrap(lagging(real)) })
  return { faults, behind }
}
const lead = { jobCode: 'RM', department: 'LENDING', jobTitle: 'Lead' }
const suspended = async () => {
  await house.tell({ ...works('P-1', await house.now(), lead), status: 'suspended' })
  await house.quiesce()
  return (await house.account('P-1'))?.locked
}
/** What may go now, sent once. */
const send = async (passMs: number) => {
  await house.shift(passMs)
  for (const { id } of await house.dispatchAll()) await house.provision(id)
}

test('an account that is found within the settling time is there; whether it is open is not known: who is suspended is shut all the same', async () => {
  const { faults, behind } = await openShownShut()
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  await house.tell({ ...works('P-1', await house.now()), status: 'leave' })
  await house.quiesce()
  expect((await house.account('P-1'))?.locked).toBe(true)
  // Back, with another title: opened, and the answer about the attributes is lost.
  await house.tell(works('P-1', await house.now(), lead))
  faults.next(answerLost, 'ensureAccount')
  await house.evaluateAll()
  await send(600)
  expect((await house.account('P-1'))?.locked).toBe(false)
  expect(await house.rows(`select kind::text from muster.action where unknown`)).toEqual([{ kind: 'ensureAccount' }])
  behind.now = true
  await send(2_000)
  behind.now = false
  expect(await suspended()).toBe(true)
})

test('an account whose creation was not confirmed is linked by what a read finds, and nothing else of it is believed', async () => {
  const { faults } = await openShownShut()
  await house.tell(works('P-1', (await house.now()) - 1000))
  faults.next(answerLost, 'ensureAccount')
  await house.evaluateAll()
  await send(600)
  await send(2_000)
  expect(await house.rows('select enabled, attributes_hash, grants_read_at from muster.account')).toEqual([
    { enabled: null, attributes_hash: null, grants_read_at: null },
  ])
  // Asked for once more.
  await house.quiesce()
  expect(await house.rows(`select enabled, attributes_hash is not null as known from muster.account`)).toEqual([
    { enabled: true, known: true },
  ])
  expect(await suspended()).toBe(true)
})

test('opened a moment ago: a change of attributes that reads it shut does not make it shut', async () => {
  const { behind } = await openShownShut()
  await house.tell({ ...works('P-1', (await house.now()) - 1000), status: 'leave' })
  await house.quiesce()
  await house.tell(works('P-1', await house.now()))
  await house.quiesce()
  await house.tell(works('P-1', await house.now(), lead))
  await house.evaluateAll()
  behind.now = true
  await send(600)
  behind.now = false
  expect(await house.rows('select enabled from muster.account')).toEqual([{ enabled: true }])
  expect(await suspended()).toBe(true)
})

test('a leaver’s grant is not known yet: its revoke is sent again with growing pauses, not five times a second', async () => {
  const faults = createFaults()
  const lagging = (real: Connector): Connector => ({
    ...real,
    manifest: { ...real.manifest, settleMs },
    observe: (operations, observing) =>
      observeSettled(settleMs, operations, observing, (asked) => real.observe(asked, observing)),
  })
  house = await openHouse({ connector: (real) => faults.wrap(lagging(real)) })
  await house.tell(works('P-1', (await house.now()) - 1000, { jobCode: 'TELLER', department: 'LENDING' }))
  await house.quiesce()
  await house.tell(works('P-1', await house.now()))
  await house.evaluateAll()
  await house.shift(600)
  faults.next(answerLost, 'grant')
  for (const { id } of await house.dispatchAll()) await house.provision(id)
  await house.tell(leaves('P-1', await house.now()))
  await house.evaluateAll('leaver')
  const written = () =>
    faults.calls.filter(({ call, operations }) => call === 'apply' && operations.some(({ op }) => op === 'revoke'))
      .length
  const sentAt: number[] = []
  // Ten seconds of the sixty, or more on a slow machine.
  for (let i = 0; i < 20; i++) {
    const before = written()
    for (const { id } of await house.dispatchAll('leaver')) await house.provision(id)
    if (written() > before) sentAt.push(await house.now())
    await house.shift(500)
  }
  expect(await house.groupsOf('P-1')).toEqual([])
  expect(sentAt.length).toBeGreaterThanOrEqual(3)
  expect(sentAt.length).toBeLessThanOrEqual(10)
  expect((sentAt.at(-1) ?? 0) - (sentAt.at(-2) ?? 0)).toBeGreaterThan(2_000)
})
