/** A human lets parked actions be tried again: planned anew, so only what the present plan wants is ever sent. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Outcome } from '../../../src/domain/outcome.ts'
import { retryAction, retryParkedOn } from '../../../src/engine/retry-actions.ts'
import { openDatabase } from '../../../src/store/database.ts'
import { createFaults } from '../../support/faults.ts'
import { type House, openHouse, target } from '../../support/house.ts'
import { findingsOf } from './behind-our-back.ts'
import { brokenLaws } from './laws.ts'
import { leaves, lending, works } from './people.ts'

let faults: ReturnType<typeof createFaults>
let house: House
beforeEach(async () => {
  faults = createFaults()
  house = await openHouse({ connector: faults.wrap })
})
afterEach(() => house.close())

const somebody = { type: 'os-user', name: 'op', authenticated: false } as const
const refused: Outcome = { kind: 'refused', reason: 'not-allowed', cause: { code: '50', word: 'insufficient-access' } }
const parked = () =>
  house.rows<{ id: number; kind: string; attempts: number }>(
    `select id, kind::text, attempts from muster.action where state = 'parked' order by id`,
  )
const grants = () =>
  faults.calls.flatMap(({ call, operations }) =>
    call === 'apply' ? operations.filter(({ op }) => op === 'grant') : [],
  )
/** These joiners' grants are refused, and parked. */
const parkGrantsOf = async (...people: readonly string[]) => {
  for (let calls = 0; calls < 10; calls++) faults.next(async (operations) => operations.map(() => refused), 'grant')
  for (const person of people) await house.tell(works(person, (await house.now()) - 1000))
  await house.quiesce()
  faults.clear()
  return parked()
}

test('one, then all of a target: made anew, sent, done; the reason is bound by the audit and told to auditors', async () => {
  const [first, ...others] = await parkGrantsOf('P-1', 'P-2')
  expect(others.length).toBe(lending.length * 2 - 1)
  expect(await findingsOf(house)).toContain('not-allowed')
  expect(await retryAction(house.engine, first?.id ?? 0, 'Amit has the right now', somebody)).toMatchObject({
    kind: 'retried',
    actions: 1,
  })
  await house.quiesce()
  expect(await parked()).toEqual(others)
  expect(await retryParkedOn(house.engine, target, 'all have it', somebody)).toBe(others.length)
  await house.quiesce()
  for (const person of ['P-1', 'P-2']) expect(await house.groupsOf(person)).toEqual(lending)
  expect(await brokenLaws(house)).toEqual([])
  await house.sweep()
  expect(await findingsOf(house)).toEqual([])

  const auditor = openDatabase({ url: house.database.auditorUrl, max: 1, applicationName: 'test-auditor' })
  const told = await auditor.query({
    text: `select t.person_key, t.reason, t.actor ->> 'name' as actor, count(*)::int as times from auditor.person_trail t
      where t.kind = 'action-retried' group by 1, 2, 3 order by 1, 2`,
    values: [],
  })
  await auditor.close()
  expect(told).toContainEqual({ person_key: 'P-1', reason: 'Amit has the right now', actor: 'op', times: 1 })
  expect(told).toContainEqual({ person_key: 'P-2', reason: 'all have it', actor: 'op', times: lending.length })
  expect(await house.rows(`select 1 from audit.entry where convert_from(bytes, 'UTF8') like '%Amit%'`)).toEqual([])
})

test('what nobody wants any more is never sent, also when the human is faster than the evaluation', async () => {
  const [first] = await parkGrantsOf('P-1')
  const before = grants().length
  // Ingested, not yet evaluated.
  await house.tell(leaves('P-1', await house.now()))
  expect(await retryAction(house.engine, first?.id ?? 0, 'mended', somebody)).toMatchObject({ kind: 'retried' })
  await house.shift(600)
  for (const { id } of await house.dispatchAll()) await house.provision(id)
  await house.quiesce()
  expect(grants().length).toBe(before)
  expect(await house.groupsOf('P-1')).toEqual([])
  expect(await brokenLaws(house)).toEqual([])
})

test('what a leaver must lose and the target forbids rests, and is told; a day later it is asked for once; allowed, it goes by itself', async () => {
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  for (let calls = 0; calls < 99; calls++)
    faults.next(async (operations, context, real) => {
      const allowed = operations.filter(({ op }) => op !== 'revoke')
      const outcomes = [...(await real(allowed, context))]
      return operations.map(({ op }) => (op === 'revoke' ? refused : (outcomes.shift() ?? refused)))
    })
  await house.tell(leaves('P-1', await house.now()))
  await house.quiesce()
  expect(await house.account('P-1')).toMatchObject({ locked: true })
  const rested = await parked()
  expect(rested.map(({ kind }) => kind)).toEqual(lending.map(() => 'revoke'))
  expect(rested.map(({ attempts }) => attempts)).toEqual(lending.map(() => 8))
  await house.shift(86_400_000)
  await house.sweep()
  await house.quiesce()
  expect((await parked()).map(({ attempts }) => attempts)).toEqual(lending.map(() => 9))
  expect(await findingsOf(house)).toContain('not-allowed!')
  faults.clear()
  await house.shift(86_400_000)
  await house.sweep()
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
  await house.sweep()
  expect(await findingsOf(house)).toEqual([])
  expect(await brokenLaws(house)).toEqual([])
})

test('what is not parked is refused, and stays as it is', async () => {
  expect(await retryAction(house.engine, 4711, 'why', somebody)).toEqual({ kind: 'unknown-action' })
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.evaluateAll()
  const [open] = await house.rows<{ id: number }>(
    `select id from muster.action where state = 'ready' order by id limit 1`,
  )
  expect(await retryAction(house.engine, open?.id ?? 0, 'why', somebody)).toEqual({
    kind: 'not-parked',
    state: 'ready',
  })
  await house.quiesce()
  expect(await retryAction(house.engine, open?.id ?? 0, 'why', somebody)).toEqual({ kind: 'not-parked', state: 'done' })
  expect(await retryParkedOn(house.engine, target, 'why', somebody)).toBe(0)
  expect(await house.rows(`select 1 from audit.entry where kind = 'action-retried'`)).toEqual([])
})
