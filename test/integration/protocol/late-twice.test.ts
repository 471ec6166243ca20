/** A late outcome is read when its target has settled: since the last write that may have been late, and beside what others verified meanwhile. */
import { afterEach, expect, test } from 'vitest'
import { type Connector, notSo } from '../../../src/connectors/connector.ts'
import { observeSettled } from '../../../src/connectors/settled.ts'
import type { Outcome } from '../../../src/domain/outcome.ts'
import { provision } from '../../../src/engine/provision.ts'
import { reobserve } from '../../../src/engine/reobserve.ts'
import {
  finishReobservation,
  postponeReobservation,
  reobservationOf,
  saveReobservation,
} from '../../../src/store/reobservations.ts'
import { createFaults, createGates, stalled } from '../../support/faults.ts'
import { type House, openHouse, target } from '../../support/house.ts'
import { until } from '../../support/until.ts'
import { auditOf } from './laws.ts'
import { approverJob, works } from './people.ts'
import { stalledGrant } from './stalled-grant.ts'

const settleMs = 60_000
let house: House
afterEach(() => house.close())

/** The directory behind replicas that hear of a change when its settling time is over; `hidden`: grants they have not heard of. */
const open = async () => {
  const faults = createFaults()
  const gates = createGates()
  const hidden = { grants: false }
  const replicas = (real: Connector): Connector => ({
    ...real,
    manifest: { ...real.manifest, settleMs },
    observe: (operations, observing) =>
      observeSettled(settleMs, operations, observing, async (asked) => {
        const told = await real.observe(asked, observing)
        return told.map((outcome, at) =>
          hidden.grants && asked[at]?.op === 'grant' ? { kind: 'retry', cause: { code: '', word: notSo } } : outcome,
        )
      }),
  })
  house = await openHouse({ settings: { pause: gates.pause }, connector: (real) => faults.wrap(replicas(real)) })
  return { faults, gates, hidden }
}
const late = () => house.rows<{ tries: number }>('select tries from muster.reobservation')
const settled = async (ms: number) => {
  await house.shift(ms)
  await house.sweep()
  await house.quiesce()
}

test('a call that was given up, whose outcome came too late, and that wrote at last: its time begins with the write', async () => {
  const { faults, gates, hidden } = await open()
  const start = await house.now()
  await house.tell(works('P-1', start - 1000, { jobCode: 'TELLER', department: 'LENDING' }))
  await house.quiesce()
  await house.tell(works('P-1', start))
  await house.evaluateAll()
  await house.shift(600)
  const refs = await house.dispatchAll()
  const [grant] = await house.rows<{ dispatch: number }>(
    `select a.dispatch_id as dispatch from muster.action a join muster.entitlement e on e.id = a.entitlement_id where e.key = 'CBS_LoanEntry' and a.kind = 'grant'`,
  )
  for (const { id } of refs) if (id !== grant?.dispatch) await house.provision(id)
  const worker = stalled()
  faults.next(worker.fault, 'grant')
  const called = gates.stopAt('provision:called')
  const impatient = { ...house.engine, settings: { ...house.engine.settings, leaseMs: 500 } }
  const outstanding = provision(impatient, grant?.dispatch ?? 0)
  // Given up within its lease; before that is written down, the lease is over.
  await called.reached
  await house.shift(1_000)
  await house.sweep()
  called.open()
  await outstanding
  expect(await late()).toEqual([{ tries: 1 }])
  await house.tell(works('P-1', start + 1, { jobCode: 'TELLER', department: 'LENDING' }))
  await house.evaluateAll()
  // Nearly settled since the rejection: only now the hung call writes.
  await house.shift(settleMs - 10_000)
  await house.sweep()
  expect(await late()).toEqual([{ tries: 2 }])
  worker.open()
  await until(async () => (await house.groupsOf('P-1')).includes('CBS_LoanEntry'))
  await until(async () => ((await late())[0]?.tries ?? 0) > 2)
  hidden.grants = true
  await settled(15_000)
  // By now every replica has heard of it.
  hidden.grants = false
  await settled(settleMs)
  expect(await house.groupsOf('P-1')).not.toContain('CBS_LoanEntry')
})

test('a late outcome that wrote nothing is read just after the second attempt was proved: that one stays known', async () => {
  const { faults, hidden } = await open()
  const { start, worker, outstanding } = await stalledGrant(house, {
    ...faults,
    // Its request never arrives.
    next: (fault, ...ops) =>
      faults.next(
        async (operations, context) => {
          await fault([], context, async () => [])
          return operations.map(() => ({ kind: 'unknown', cause: { code: 'ECONNRESET', word: 'connection-lost' } }))
        },
        ...ops,
      ),
  })
  await house.shift(house.engine.settings.leaseMs + 1)
  await house.sweep()
  await house.shift(10_000)
  worker.open()
  await outstanding
  expect(await late()).toEqual([{ tries: 1 }])
  // Settled for the first attempt: it was not so, and the second one is proved.
  await house.shift(settleMs - 9_000)
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toContain('CBS_LoanEntry')
  // They move, and before anybody has evaluated that, the late outcome is read by a replica that has not heard of the second.
  await house.tell(works('P-1', start + 1, { jobCode: 'TELLER', department: 'LENDING' }))
  hidden.grants = true
  await house.shift(9_000)
  await house.sweep()
  // Nor does what was proved so lately tell what the first attempt did.
  expect(await late()).toEqual([{ tries: 2 }])
  await house.quiesce()
  expect(await house.groupsOf('P-1')).not.toContain('CBS_LoanEntry')
  hidden.grants = false
  await settled(settleMs)
  expect(await late()).toEqual([])
})

test('a late outcome that nobody has read yet may be held: what conflicts with it is not given meanwhile', async () => {
  const { faults } = await open()
  const { start, worker, outstanding } = await stalledGrant(house, faults)
  await house.tell(works('P-1', start + 1, { jobCode: 'TELLER', department: 'LENDING' }))
  await house.shift(house.engine.settings.leaseMs + 1)
  await house.sweep()
  await house.quiesce()
  worker.open()
  await outstanding
  expect(await late()).toEqual([{ tries: 1 }])
  expect(await house.groupsOf('P-1')).toContain('CBS_LoanEntry')
  await house.tell(works('P-1', await house.now(), approverJob))
  for (let n = 0; n < 4; n++) {
    await house.evaluateAll()
    await house.shift(600)
    for (const { id } of await house.dispatchAll()) await house.provision(id)
    const groups = await house.groupsOf('P-1')
    expect(groups.includes('CBS_LoanEntry') && groups.includes('CBS_LoanApprove')).toBe(false)
  }
  await house.shift(10_000)
  await house.sweep()
  await settled(settleMs)
  expect(await house.groupsOf('P-1')).not.toContain('CBS_LoanEntry')
  expect(await house.groupsOf('P-1')).toContain('CBS_LoanApprove')
  // Told once that it was rejected, and once what is known of it, however often it was read.
  const told = (await auditOf(house)).filter(({ kind }) => kind === 'late-outcome-rejected')
  expect(told.map(({ body }) => body.held)).toEqual([null, true])
})

test('while a late outcome is being read for the first time, it counts already', async () => {
  const { faults } = await open()
  const { start, worker, outstanding } = await stalledGrant(house, faults)
  await house.shift(house.engine.settings.leaseMs + 1)
  await house.tell(works('P-1', start + 1, { jobCode: 'TELLER', department: 'LENDING' }))
  await house.sweep()
  await house.quiesce()
  await house.tell(works('P-1', await house.now(), approverJob))
  await house.evaluateAll()
  const held = () => house.rows('select from muster.hold where closed_at is null')
  expect(await held()).toEqual([])
  let counted = 0
  faults.betweenReadAndAnswer(async () => {
    await house.evaluateAll()
    counted = (await held()).length
  }, 'grant')
  worker.open()
  await outstanding
  expect(counted).toBe(1)
})

test('what is rejected once more while it is read stays to be read; profiles are not kept, and what was told is not asked again', async () => {
  await open()
  await house.tell(works('P-1', await house.now()))
  await house.quiesce()
  const { db } = house.engine
  const [person] = await house.rows<{ id: number }>('select id from muster.identity')
  const account = { id: 1, identity_id: person?.id, kind: 'ensureAccount', profile: { personKey: 'P-1' } }
  const grant = { id: 2, identity_id: person?.id, kind: 'grant', entitlement_id: 1, profile: null }
  const of = { dispatch: 1_000_000, target, lane: 'bulk', actions: [account, grant] } as const
  const read = async () => await reobservationOf<typeof account | typeof grant>(db, of.dispatch)
  await db.transaction((tx) => saveReobservation(tx, of))
  expect(await house.rows(`select actions->0->'profile' as profile from muster.reobservation`)).toEqual([
    { profile: null },
  ])
  const first = await read()
  expect(first?.actions).toMatchObject([{ profile: { personKey: 'P-1', jobCode: 'RM' } }, { profile: null }])
  await house.shift(3_600_000)
  await db.transaction((tx) => saveReobservation(tx, of))
  const stale = { recorded: first?.recorded ?? 0, left: [] }
  expect(await db.transaction((tx) => finishReobservation(tx, of.dispatch, stale.recorded))).toBe(false)
  await db.transaction((tx) => postponeReobservation(tx, of.dispatch, stale))
  const second = await read()
  expect(second?.actions.map(({ id }) => id)).toEqual([1, 2])
  expect(second?.rejectedMsAgo).toBeLessThan(3_600_000)
  const recorded = second?.recorded ?? 0
  await db.transaction((tx) => postponeReobservation(tx, of.dispatch, { recorded, left: [grant] }))
  expect((await read())?.actions.map(({ id }) => id)).toEqual([2])
  expect(await db.transaction((tx) => finishReobservation(tx, of.dispatch, recorded))).toBe(true)
  expect(await read()).toBe(null)
})

test.each([
  { after: 0, known: 'nothing yet', told: [null], left: [{ tries: 2 }] },
  { after: settleMs, known: 'all of it', told: [true], left: [] },
])('read by two at once, and whoever is first tells $known: told once', async ({ after, ...expected }) => {
  const { faults } = await open()
  const { worker, outstanding } = await stalledGrant(house, faults)
  await house.shift(house.engine.settings.leaseMs + 1)
  await house.sweep()
  await house.quiesce()
  const told = async () =>
    (await auditOf(house)).filter(({ kind }) => kind === 'late-outcome-rejected').map(({ body }) => body.held)
  const [dispatch] = await house.rows<{ id: number }>("select id from muster.dispatch where state = 'expired'")
  faults.betweenReadAndAnswer(async () => {
    await house.shift(after)
    await reobserve(house.engine, { dispatch: dispatch?.id ?? 0, target, lane: 'bulk' })
  }, 'grant')
  worker.open()
  await outstanding
  expect([await told(), await late()]).toEqual([expected.told, expected.left])
})

test('what a late revoke finds gone it may have taken, though another read saw it first; not what went before it was sent', async () => {
  const { faults } = await open()
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  const [first, second] = await house.rows<{ account: number; entitlement: number }>(
    'select account_id as account, entitlement_id as entitlement from muster.grants order by 2 limit 2',
  )
  const gone = (of: typeof first, minutes: number) =>
    house.rows(
      `update muster.grants set gone_verified_at = n.at, gone_recorded_at = n.at, first_verified_at = n.at - interval '1 hour', last_verified_at = n.at
        from (select muster.now() - make_interval(mins => $3) as at) n where account_id = $1 and entitlement_id = $2`,
      of?.account,
      of?.entitlement,
      minutes,
    )
  await gone(first, 5)
  await gone(second, 15)
  const dispatch = 1_000_000
  await house.rows(
    `insert into muster.dispatch (id, target, lane, size, actions, state, created_at)
      values ($1, $2, 'bulk', 2, '{}', 'expired', muster.now() - interval '10 minutes')`,
    dispatch,
    target,
  )
  const [person] = await house.rows<{ id: number; subject_ref: string }>('select id, subject_ref from muster.identity')
  const account_native = await house.idOf('P-1')
  const actions = [first, second].map((one, n) => ({
    ...{
      id: n + 1,
      kind: 'revoke',
      identity_id: person?.id,
      subject_ref: person?.subject_ref,
      decision_id: 1,
      attempts: 1,
    },
    ...{ account_id: one?.account, account_native, entitlement_id: one?.entitlement, lookup: '', profile: null },
  }))
  await house.engine.db.transaction((tx) => saveReobservation(tx, { dispatch, target, lane: 'bulk', actions }))
  const evidence = { read: 'member-values', code: '', account: account_native, entitlement: null }
  faults.nextReadFails({ kind: 'done', changed: false, evidence } as Outcome, 'revoke')
  await house.sweep()
  expect(await late()).toEqual([])
  expect(
    await house.rows('select taken from muster.grants where gone_verified_at is not null order by entitlement_id'),
  ).toEqual([{ taken: true }, { taken: false }])
})
