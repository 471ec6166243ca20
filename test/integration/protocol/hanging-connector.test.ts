/** A connector that never answers: its call is given up within the lease, and what it did is read back. */
import { afterEach, expect, test } from 'vitest'
import type { Connector } from '../../../src/connectors/connector.ts'
import type { Outcome } from '../../../src/domain/outcome.ts'
import { createFaults, type Fault } from '../../support/faults.ts'
import { type House, openHouse } from '../../support/house.ts'
import { until } from '../../support/until.ts'
import { auditOf, brokenLaws } from './laws.ts'
import { leaves, lending, works } from './people.ts'

let house: House
afterEach(() => house.close())
const faults = createFaults()
const leaseMs = 600

const open = async (connector: (real: Connector) => Connector = faults.wrap) => {
  faults.clear()
  faults.calls.length = 0
  house = await openHouse({ settings: { leaseMs }, connector, second: (real) => real })
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.evaluateAll()
}
const everything = [...lending, 'Second_Staff'].sort()
const held = async (person: string) => (await house.everything()).get(person)
/** Dispatches what is ready, and provisions all of it side by side, as workers do. */
const round = async () => {
  await house.shift(600)
  await Promise.all((await house.dispatchAll()).map(({ id }) => house.provision(id)))
}
const words = async () =>
  (await auditOf(house)).flatMap(({ kind, body }) => (kind === 'outcome' && body.word ? [`${body.word}`] : []))

/** Waits for its signal alone, as one does whose server says nothing: of what was sent nothing is known. */
const heedful: Fault = (operations, { signal }) =>
  new Promise((resolve) => {
    const silent: Outcome = { kind: 'unknown', cause: { code: 'ABORT_ERR', word: 'stopped' } }
    signal.addEventListener('abort', () => resolve(operations.map(() => silent)))
  })
const deaf: Fault = () => new Promise<never>(() => {})

test.each([
  ['heeds its signal', heedful, 'stopped'],
  ['ignores its signal', deaf, 'connector-hangs'],
])('one that %s: both targets go on, a leaver passes', async (_, fault, word) => {
  await open()
  faults.next(fault, 'ensureAccount')
  await round()
  expect(await words()).toEqual([word])
  expect(await house.second.account('P-1')).not.toBeNull()
  await house.tell(works('P-2', (await house.now()) - 1000))
  await house.quiesce()
  expect(faults.calls.map(({ call }) => call).slice(0, 2)).toEqual(['apply', 'observe'])
  expect([(await held('P-1'))?.groups, (await held('P-2'))?.groups]).toEqual([everything, everything])

  // A revoke of a mover hangs; then they leave.
  await house.tell(works('P-1', await house.now(), { jobCode: 'CA', department: 'LENDING' }))
  faults.next(fault, 'revoke')
  await house.evaluateAll()
  await round()
  await house.tell(leaves('P-1', await house.now()))
  await house.quiesce()
  expect(await held('P-1')).toEqual({ locked: true, groups: [] })
  expect(await brokenLaws(house)).toEqual([])
})

test('one that ends one day after all is a zombie: what it wrote is found and taken back', async () => {
  const opened = Promise.withResolvers<void>()
  await open()
  await round()
  faults.next(async (operations, _context, real) => {
    await opened.promise
    return real(operations, { signal: new AbortController().signal, mayWrite: () => true })
  }, 'grant')
  await house.evaluateAll()
  await round()
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
