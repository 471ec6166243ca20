/** A target that takes changes on and finishes them later: asked by their handle, counted as either result until then. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Connector, notSo, type Operation } from '../../../src/connectors/connector.ts'
import type { Outcome } from '../../../src/domain/outcome.ts'
import { type House, openHouse } from '../../support/house.ts'
import { auditOf, brokenLaws } from './laws.ts'
import { leaves, lending, works } from './people.ts'

/** The directory, but for grants, which it takes on under a handle. */
const slowly = (real: Connector) => {
  const calls: string[] = []
  /** By handle: what became of it. */
  const fate = { finish: true, fail: 0, deaf: 0, waits: 1 }
  const asked = new Map<string, number>()
  const taken = new Map<string, Operation>()
  const connector: Connector = {
    ...real,
    apply: async (operations, context) => {
      const outcomes: Outcome[] = []
      for (const operation of operations) {
        if (operation.op !== 'grant') outcomes.push(...(await real.apply([operation], context)))
        else {
          calls.push('apply')
          const handle = `request-${taken.size + 1}`
          taken.set(handle, operation)
          outcomes.push({ kind: 'pending', handle, pollAfterMs: 1_000 })
        }
      }
      return outcomes
    },
    poll: async (pending, signal) => {
      const outcomes: Outcome[] = []
      for (const { operation, handle } of pending) {
        calls.push(`poll ${handle}`)
        expect(operation).toEqual(taken.get(handle))
        const times = (asked.get(handle) ?? 0) + 1
        asked.set(handle, times)
        if (fate.deaf > 0) {
          fate.deaf -= 1
          outcomes.push({ kind: 'unknown', cause: { code: '', word: 'not-read' } })
        } else if (times <= fate.waits || !fate.finish) outcomes.push({ kind: 'pending', handle, pollAfterMs: 1_000 })
        else if (fate.fail > 0) {
          fate.fail -= 1
          outcomes.push({ kind: 'retry', cause: { code: 'FAILED', word: notSo } })
        } else outcomes.push(...(await real.apply([operation], { signal, mayWrite: () => true })))
      }
      return outcomes
    },
  }
  return { connector, calls, fate }
}

let house: House
let slow: ReturnType<typeof slowly>
beforeEach(async () => {
  house = await openHouse({
    connector: (real) => {
      slow = slowly(real)
      return slow.connector
    },
  })
})
afterEach(() => house.close())

const grants = () =>
  house.rows<{ state: string; unknown: boolean; handle: string | null; attempts: number }>(
    `select state::text, unknown, handle, attempts from muster.action where kind = 'grant' order by id`,
  )
/** Evaluates and sends once what may go now. */
const round = async () => {
  await house.evaluateAll()
  await house.shift(600)
  for (const { id } of await house.dispatchAll()) await house.provision(id)
}

test('taken on once, asked for by its handle until it is done, and no attempt is burnt by asking', async () => {
  await house.tell(works('P-1', (await house.now()) - 1000))
  await round()
  await round()
  expect(await grants()).toEqual(
    lending.map(() => ({ state: 'ready', unknown: true, handle: expect.stringMatching(/^request-/), attempts: 0 })),
  )
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(lending)
  expect(slow.calls.filter((call) => call === 'apply')).toHaveLength(lending.length)
  expect(slow.calls.filter((call) => call === 'poll request-1')).toHaveLength(2)
  expect((await grants()).map(({ state, handle }) => [state, handle])).toEqual(lending.map(() => ['done', null]))
  const told = (await auditOf(house)).filter(({ kind, body }) => kind === 'outcome' && body.kind === 'grant')
  expect(new Set(told.map(({ body }) => body.outcome))).toEqual(new Set(['pending', 'done']))
  expect(told).toHaveLength(3 * lending.length)
  expect(await brokenLaws(house)).toEqual([])
})

test('a poll that tells nothing asks for the same thing again', async () => {
  await house.tell(works('P-1', (await house.now()) - 1000))
  await round()
  await round()
  slow.fate.deaf = lending.length
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(lending)
  expect(slow.calls.filter((call) => call === 'apply')).toHaveLength(lending.length)
  expect(await brokenLaws(house)).toEqual([])
})

test('taken on and then not done: tried anew as after a failure, with a new handle', async () => {
  await house.tell(works('P-1', (await house.now()) - 1000))
  slow.fate.fail = 1
  await round()
  await round()
  await house.shift(1_000)
  await round()
  await house.shift(1_000)
  await round()
  const failed = (await grants()).filter(({ handle, unknown }) => handle === null && !unknown)
  expect(failed.filter(({ state }) => state === 'ready')).toEqual([
    { state: 'ready', unknown: false, handle: null, attempts: 1 },
  ])
  expect(slow.calls.filter((call) => call === 'apply')).toHaveLength(lending.length)
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(lending)
  expect(slow.calls.filter((call) => call === 'apply')).toHaveLength(lending.length + 1)
  expect(await brokenLaws(house)).toEqual([])
})

test('a leaver does not wait for what was taken on, and it is undone when it is done after all', async () => {
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  slow.fate.finish = false
  await round()
  await round()
  await house.tell(leaves('P-1', start))
  await house.evaluateAll('leaver')
  const [inverses] = await house.rows<{ n: number }>(
    'select count(*) as n from muster.action where inverse_of is not null',
  )
  expect(inverses?.n).toBe(lending.length)
  for (const { id } of await house.dispatchAll('leaver')) await house.provision(id)
  slow.fate.finish = true
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
  expect(slow.calls.filter((call) => call.startsWith('poll'))).not.toEqual([])
  expect(await brokenLaws(house)).toEqual([])
})
