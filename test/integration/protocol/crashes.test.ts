/** Death at every stage boundary: nothing is lost, nothing stays half done, and the audit tells of the attempt. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createFaults, createGates } from '../../support/faults.ts'
import { type House, openHouse } from '../../support/house.ts'
import { auditOf, brokenLaws } from './laws.ts'
import { approverJob, approving, leaves, lending, works } from './people.ts'

let gates: ReturnType<typeof createGates>
let faults: ReturnType<typeof createFaults>
let house: House
beforeEach(async () => {
  gates = createGates()
  faults = createFaults()
  house = await openHouse({ settings: { pause: gates.pause }, connector: faults.wrap })
})
afterEach(() => house.close())

const boundaries = [
  'evaluate:locked',
  'evaluate:saved',
  'dispatch:guarded',
  'claim:locked',
  'claim:read',
  'provision:claimed',
  'provision:called',
  'settle:locked',
] as const

/** Runs until everything is done or somebody dies. */
const untilDeath = async (run: () => Promise<void> = () => house.quiesce()): Promise<boolean> => {
  try {
    await run()
    return false
  } catch (error) {
    if ((error as { code?: string }).code === 'ECONNRESET') return true
    throw error
  }
}

test.each(boundaries)('death at %s while somebody joins, moves and leaves', async (label) => {
  const start = await house.now()
  const steps = [
    { tell: works('P-1', start - 1000), wants: lending },
    { tell: works('P-1', start, approverJob), wants: approving },
    { tell: leaves('P-1', start + 1), wants: [] },
  ]
  for (const { tell, wants } of steps) {
    await house.tell(tell)
    gates.dieAt(label)
    expect(await untilDeath()).toBe(true)
    // Whoever takes over dies at the same place.
    gates.dieAt(label)
    expect(await untilDeath(() => house.recover())).toBe(true)
    await house.recover()
    expect(await house.groupsOf('P-1')).toEqual(wants)
    expect(await brokenLaws(house)).toEqual([])
  }
  expect((await house.account('P-1'))?.locked).toBe(true)
})

test('the attempt stands in the audit though its outcome never came', async () => {
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  gates.dieAt('provision:called')
  expect(await untilDeath()).toBe(true)
  const kinds = (await auditOf(house))
    .map(({ kind }) => kind)
    .filter((kind) => kind === 'attempt' || kind === 'outcome')
  expect(kinds).toEqual(['attempt'])
  expect(await house.account('P-1')).not.toBeNull()
})

test('death before the claim commits leaves no attempt, because there was none', async () => {
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  gates.dieAt('claim:read')
  expect(await untilDeath()).toBe(true)
  expect((await auditOf(house)).filter(({ kind }) => kind === 'attempt')).toEqual([])
  expect(faults.calls).toEqual([])
})

test('a job that was lost between database and queue gets a new number, and the old one finds nothing left to do', async () => {
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  await house.evaluateAll()
  await house.shift(600)
  const [lost] = await house.dispatchAll()
  expect((await house.sweep()).requeue).toEqual([])
  await house.shift(61_000)
  const { requeue } = await house.sweep()
  expect(requeue).toMatchObject([{ id: lost?.id, queueNo: 2 }])
  await Promise.all([house.provision(lost?.id ?? 0), house.provision(lost?.id ?? 0)])
  expect(faults.calls).toHaveLength(1)
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(lending)
  expect(await brokenLaws(house)).toEqual([])
})

test('an open action beyond its deadline becomes a finding, once', async () => {
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  await house.evaluateAll()
  await house.shift(house.engine.settings.bulkDeadlineMs + 1)
  const open = await house.rows<{ n: number }>(`select count(*) as n from muster.action where state = 'ready'`)
  expect((await house.sweep()).overdue).toBe(open[0]?.n)
  expect((await house.sweep()).overdue).toBe(0)
  const findings = await house.rows<{ times: number }>(`select times from muster.finding where kind = 'action-overdue'`)
  expect(findings).toHaveLength(open[0]?.n ?? 0)
})
