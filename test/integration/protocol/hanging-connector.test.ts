/** A connector that never answers: its call is given up within the lease, and what it did is read back. */
import { afterEach, expect, test } from 'vitest'
import type { Connector, Operation } from '../../../src/connectors/connector.ts'
import type { NativeId } from '../../../src/domain/ids.ts'
import type { Outcome } from '../../../src/domain/outcome.ts'
import { type Claim, claim } from '../../../src/engine/claim.ts'
import { carryOut } from '../../../src/engine/provision.ts'
import { createFaults, type Fault, withoutLease } from '../../support/faults.ts'
import { type House, openHouse, target } from '../../support/house.ts'
import { until } from '../../support/until.ts'
import { auditOf, brokenLaws } from './laws.ts'
import { leaves, lending, works } from './people.ts'

let house: House
afterEach(() => house.close())
const faults = createFaults()
/** Its call is given up within this; the lease in the database lasts longer, so that there is time to write that down. */
const leaseMs = 500

const open = async (connector: (real: Connector) => Connector = faults.wrap) => {
  faults.clear()
  faults.calls.length = 0
  house = await openHouse({ connector, second: (real) => real })
  await house.tell(works('P-1', (await house.now()) - 1000))
  // What of the target is Muster's own is asked first of all, once: the call that hangs is none that waits for that.
  await house.engine.connectors.get(target)?.protects?.('' as NativeId, new AbortController().signal)
}
const everything = [...lending, 'Second_Staff'].sort()
const held = async (person: string) => (await house.everything()).get(person)
/** Dispatches what is ready; the first call of the first target meets this fault, the others go on beside it, as with workers. */
const round = async (fault: Fault | null = null) => {
  await house.evaluateAll()
  await house.shift(600)
  const refs = await house.dispatchAll()
  const hung = fault === null ? undefined : refs.find((ref) => ref.target === target)
  if (fault === null || hung === undefined) return void (await Promise.all(refs.map(({ id }) => house.provision(id))))
  const begun = Promise.withResolvers<void>()
  faults.next((...call) => {
    begun.resolve()
    return fault(...call)
  })
  const impatient = { ...house.engine, settings: { ...house.engine.settings, leaseMs } }
  const claimed = await claim(house.engine, hung.id)
  const outstanding = carryOut(impatient, claimed as Claim, performance.now())
  await begun.promise
  await Promise.all(refs.filter(({ id }) => id !== hung.id).map(({ id }) => house.provision(id)))
  await outstanding
}
const words = async () =>
  (await auditOf(house)).flatMap(({ kind, body }) => (kind === 'outcome' && body.word ? [`${body.word}`] : []))

/** Waits for its signal alone, as one does whose server says nothing: of what was sent nothing is known. */
const heedful: Fault = (operations, { signal }) =>
  new Promise((resolve) => {
    const silent: Outcome = { kind: 'unknown', cause: { code: 'ABORT_ERR', word: 'stopped' } }
    const end = () => resolve(operations.map(() => silent))
    if (signal.aborted) end()
    else signal.addEventListener('abort', end)
  })
const deaf: Fault = () => new Promise<never>(() => {})

test.each([
  ['heeds its signal', heedful, 'stopped'],
  ['ignores its signal', deaf, 'connector-hangs'],
])('one that %s: both targets go on, a leaver passes', async (_, fault, word) => {
  await open()
  await round(fault)
  expect(await words()).toEqual([word])
  expect(await house.second.account('P-1')).not.toBeNull()
  await house.tell(works('P-2', (await house.now()) - 1000))
  await house.quiesce()
  expect(faults.calls.map(({ call }) => call).slice(0, 2)).toEqual(['apply', 'observe'])
  expect([(await held('P-1'))?.groups, (await held('P-2'))?.groups]).toEqual([everything, everything])

  // A mover's revoke hangs; then they leave.
  await house.tell(works('P-1', await house.now(), { jobCode: 'CA', department: 'LENDING' }))
  await round(fault)
  await house.tell(leaves('P-1', await house.now()))
  await house.quiesce()
  expect(await held('P-1')).toEqual({ locked: true, groups: [] })
  expect(await brokenLaws(house)).toEqual([])
})

test('one that ends one day after all is a zombie: what it wrote is found and taken back', async () => {
  const opened = Promise.withResolvers<void>()
  await open()
  await round()
  await round(async (operations, context, real) => {
    await opened.promise
    return real(operations, withoutLease(context))
  })
  expect(await words()).toEqual(['connector-hangs'])
  await house.quiesce()
  await house.tell(leaves('P-1', await house.now()))
  await house.quiesce()
  expect((await held('P-1'))?.groups).toEqual([])

  opened.resolve()
  await until(async () =>
    (await auditOf(house)).some(({ kind, body }) => kind === 'late-outcome-rejected' && body.held === true),
  )
  await house.quiesce()
  expect((await held('P-1'))?.groups).toEqual([])
  expect(await brokenLaws(house)).toEqual([])
})

const silence: Outcome = { kind: 'unknown', cause: { code: 'ETIMEDOUT', word: 'no-answer' } }
test.each([
  ['tells nothing', async (operations: readonly Operation[]) => operations.map(() => silence)],
  ['fails', () => Promise.reject(new Error('connection terminated'))],
])(
  'one that ends one day after all, and the read that follows %s: what it wrote is taken back all the same',
  async (_, read) => {
    const opened = Promise.withResolvers<void>()
    let isBlind = false
    let blindReads = 0
    await open((real) =>
      faults.wrap({
        ...real,
        observe: async (operations, signal) => {
          if (!isBlind) return real.observe(operations, signal)
          blindReads += 1
          return read(operations)
        },
      }),
    )
    await round()
    await round(async (operations, context, real) => {
      await opened.promise
      return real(operations, withoutLease(context))
    })
    await house.quiesce()
    await house.tell(leaves('P-1', await house.now()))
    await house.quiesce()
    expect((await held('P-1'))?.groups).toEqual([])

    isBlind = true
    opened.resolve()
    await until(async () => blindReads > 0)
    isBlind = false
    await until(async () => {
      await house.shift(60_000)
      await house.sweep()
      await house.quiesce()
      return (await held('P-1'))?.groups.length === 0
    })
  },
)
