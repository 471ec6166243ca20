/** A leaver's sessions and access on one target: in which order they go, and that neither waits for the other's trouble. */
import { afterEach, expect, test } from 'vitest'
import type { Connector, Operation } from '../../../src/connectors/connector.ts'
import { observeSettled } from '../../../src/connectors/settled.ts'
import type { NativeId } from '../../../src/domain/ids.ts'
import type { Outcome } from '../../../src/domain/outcome.ts'
import { type House, openHouse } from '../../support/house.ts'
import { setLocked } from './behind-our-back.ts'
import { leaves, lending, works } from './people.ts'

let house: House
let calls: (readonly Operation[])[]
/** What comes of ending sessions; pending: it is told when it is asked for. */
let fate: 'done' | 'failed' | 'hung' | 'pending'
/** So often shutting does not work. */
let stuck: number
/** So often nothing is known of it, and nothing has come of it yet. */
let lost: number
afterEach(() => house.close())

const signedOut = (account: NativeId): Outcome => ({
  kind: 'done',
  changed: true,
  evidence: { read: 'x', code: '0', account, entitlement: null },
  grants: [],
})

/** The directory, as if it had sessions. One that hangs takes the rest of the lease with it: what comes after has not begun. */
const withSessions = (real: Connector): Connector => ({
  ...real,
  apply: async (operations, context) => {
    calls.push(operations)
    const outcomes: Outcome[] = []
    let over = false
    for (const operation of operations) {
      if (over) outcomes.push({ kind: 'retry', cause: { code: '', word: 'lease' } })
      else if (operation.op === 'disable' && stuck-- > 0)
        outcomes.push({ kind: 'retry', cause: { code: '', word: 'stuck' } })
      else if (operation.op === 'disable' && lost-- > 0)
        outcomes.push({ kind: 'unknown', cause: { code: '', word: 'lost' } })
      else if (operation.op !== 'endSessions') outcomes.push(...(await real.apply([operation], context)))
      else if (fate === 'done') outcomes.push(signedOut(operation.account))
      else if (fate === 'pending') outcomes.push({ kind: 'pending', handle: 'h', pollAfterMs: 5_000 })
      else {
        over = fate === 'hung'
        const cause = { code: '', word: fate }
        outcomes.push(
          over ? { kind: 'retry', cause } : { kind: 'refused', reason: 'limit', cause, todo: '{"by":"hand"}' },
        )
      }
    }
    return outcomes
  },
  observe: (operations, observing) =>
    observeSettled(real.manifest.settleMs, operations, observing, (asked) => real.observe(asked, observing)),
  poll: async (pending) =>
    pending.map(({ operation }) => signedOut('account' in operation ? (operation.account as NativeId) : none)),
})
const none = '' as NativeId
const open = async (settleMs = 0) => {
  calls = []
  fate = 'done'
  stuck = 0
  lost = 0
  // One call of the target carries one operation, a leaver's dispatch four.
  house = await openHouse({
    connector: (real) => withSessions({ ...real, manifest: { ...real.manifest, settleMs } }),
    target: { endSessions: 'native', batchSize: 1 },
  })
  for (const person of ['P-1', 'P-2']) await house.tell(works(person, (await house.now()) - 1000))
  await house.quiesce()
  for (const person of ['P-1', 'P-2']) await house.tell(leaves(person, await house.now()))
  await house.evaluateAll('leaver')
  calls = []
}
const round = async () => {
  for (const { id } of await house.dispatchAll('leaver')) await house.provision(id)
}
const opsOf = (operations: readonly Operation[]) => operations.map(({ op }) => op)
const leaving = ['disable', 'endSessions', ...lending.map(() => 'revoke')]
/** Whom a round did not shut, another hand does: they are signed out once more, and the other is not. */
const shutElsewhere = async () => {
  await round()
  const stillOpen = await house.rows<{ person: string }>(
    'select i.person_key as person from muster.account a join muster.identity i on i.id = a.identity_id where a.enabled',
  )
  expect(stillOpen).toHaveLength(1)
  for (const { person } of stillOpen) await setLocked(house, person, true)
  calls = []
  await house.quiesce()
  expect(calls.map(opsOf)).toEqual([['disable'], ['endSessions']])
  expect(await house.rows('select from muster.account where sessions_ended_at is null')).toEqual([])
}

test('of each leaver all goes together, shut and signed out before access ends, however much leaves', async () => {
  await open()
  await round()
  expect(calls.map(opsOf)).toEqual([leaving, leaving])
  // Signed out by the call that shut them: nothing is left to be planned.
  expect(await house.rows('select from muster.identity where work_due_at <= muster.now()')).toEqual([])
})

test('signed out while they could not be shut yet: shut later, they are signed out once more', async () => {
  await open()
  stuck = 2
  await round()
  calls = []
  await house.quiesce()
  expect(calls.flatMap(opsOf).sort()).toEqual(['disable', 'disable', 'endSessions', 'endSessions'])
})

test('signed out while they could not be shut yet, then shut by another hand: they are signed out once more', async () => {
  await open()
  // Of one alone: the other is shut and signed out by one call.
  stuck = 1
  await shutElsewhere()
})

test('the end of their sessions went out before they were shut and is told afterwards: they are signed out once more, and only then', async () => {
  await open()
  fate = 'pending'
  // Of P-1 alone: P-2 is shut and signed out by one call.
  stuck = 1
  await round()
  expect(calls.map(opsOf)).toEqual([leaving, leaving])
  calls = []
  await house.quiesce()
  const [again, ...more] = calls.filter((operations) => operations.some(({ op }) => op === 'endSessions'))
  expect(opsOf(again ?? [])).toEqual(['endSessions'])
  expect(more).toEqual([])
  expect(calls.flatMap(opsOf)[0]).toBe('disable')
  expect(await house.rows('select from muster.account where sessions_ended_at is null')).toEqual([])
})

test('what shut them was lost, and came of it only after the end of their sessions went out: they are signed out once more', async () => {
  await open(3_600_000)
  fate = 'pending'
  // Of one alone: the other is shut and signed out by one call.
  lost = 1
  await shutElsewhere()
})

test.each(['failed', 'hung'] as const)(
  'ending sessions %s: that holds up the revokes for one attempt at most, and is done later by what was held',
  async (how) => {
    await open()
    fate = how
    await round()
    await house.shift(1_000)
    await round()
    expect(await house.groupsOf('P-1')).toEqual([])
    expect(await house.groupsOf('P-2')).toEqual([])
    const again = calls.filter((operations) => operations.some(({ op }) => op === 'endSessions')).slice(2)
    expect(again.flatMap(opsOf)).toEqual(['endSessions', 'endSessions'])
    const told = await house.rows(`select detail->>'todo' as todo from muster.finding where kind = 'limit'`)
    expect(told).toEqual(how === 'hung' ? [] : [{ todo: '{"by":"hand"}' }, { todo: '{"by":"hand"}' }])
    fate = 'done'
    await house.quiesce()
    const held = calls.at(-1)?.flatMap((operation) => (operation.op === 'endSessions' ? (operation.held ?? []) : []))
    expect(held).toHaveLength(2 * lending.length)
  },
)
