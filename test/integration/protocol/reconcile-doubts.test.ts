/** What a read that shows too little, another reason, an old mark or a race may not bring about. */
import { afterEach, expect, test } from 'vitest'
import type { Connector } from '../../../src/connectors/connector.ts'
import type { NativeId } from '../../../src/domain/ids.ts'
import { provision } from '../../../src/engine/provision.ts'
import type { Reconciler } from '../../../src/engine/reconciler.ts'
import type { Transaction } from '../../../src/store/database.ts'
import { createGates } from '../../support/faults.ts'
import { type House, type HouseOptions, openHouse, target } from '../../support/house.ts'
import { asDirectoryRoot } from '../../support/stack.ts'
import { findingsOf, reconciled, reporting, resolved, reverting, setLocked, settledIn } from './behind-our-back.ts'
import { auditOf } from './laws.ts'
import { approverJob, leaves, lending, works } from './people.ts'

let house: House
afterEach(() => house.close())

const open = async (people: readonly string[], options: HouseOptions = {}) => {
  house = await openHouse(options)
  await settledIn(house, people)
}

const run = (more: { acceptShrunken?: boolean } = {}, engine: Reconciler = house.engine) =>
  reconciled(house, more, engine)

const findings = () => findingsOf(house)

const driftEntries = async () => (await auditOf(house)).filter(({ kind }) => kind === 'drift')

const locked = (person: string, to: boolean) => setLocked(house, person, to)
const removed = async (...people: readonly string[]) => {
  for (const person of people)
    await asDirectoryRoot(house.ldap, async (client) => client.del((await house.account(person))?.dn ?? ''))
}

const crowd = Array.from({ length: 8 }, (_, n) => `P-${n + 1}`)

test('a leaver let in again is out again, also where a list lacks too much to be believed in that', async () => {
  await open([...crowd, 'P-9'])
  await house.tell(leaves('P-9', (await house.now()) - 1))
  await house.quiesce()
  for (const person of crowd) await house.removeMember(person, 'App_Crm')
  await house.addMember('P-9', 'App_Crm')
  expect(await run()).toMatchObject({ appeared: 1, missing: 0, shrunken: [{ key: 'App_Crm' }] })
  await house.quiesce()
  expect(await house.groupsOf('P-9')).toEqual([])
})

test("a leaver's account that somebody opened is shut again, also when others are gone or cannot be read", async () => {
  /** A read of more than so many fails. */
  let most = 99
  const failing = (real: Connector): Connector => ({
    ...real,
    accounts: async (ids, signal) =>
      ids.length > most ? { kind: 'partial', items: [], cause: 'busy (51)' } : real.accounts(ids, signal),
  })
  await open([...crowd, 'P-9'], { connector: failing })
  await house.tell(leaves('P-9', (await house.now()) - 1))
  await house.quiesce()
  await removed(...crowd.slice(0, 4))
  await locked('P-9', false)
  most = 0
  expect(await run()).toMatchObject({ reopened: 0, gone: 0, accountsUnread: 'busy (51)' })
  most = 1
  expect(await run()).toMatchObject({ reopened: 1, gone: 4, accountsUnread: '4 of 8 accounts are not shown' })
  await house.quiesce()
  expect(await house.account('P-9')).toMatchObject({ locked: true })
})

test('accounts that are gone, as a human has said, are no doubt the next time; nor are those of leavers who are out', async () => {
  await open(crowd)
  await removed(...crowd.slice(0, 4))
  expect(await run()).toMatchObject({ accountsUnread: '4 of 8 accounts are not shown' })
  expect(await run({ acceptShrunken: true })).toMatchObject({ gone: 4, accountsUnread: null, shrunken: [] })
  expect(await run()).toMatchObject({ gone: 4, accountsUnread: null, shrunken: [] })
  for (const person of crowd.slice(4, 7)) await house.tell(leaves(person, (await house.now()) - 1))
  await house.quiesce()
  await removed(...crowd.slice(4, 7))
  expect(await run()).toMatchObject({ gone: 7, accountsUnread: null })
})

test('what somebody took away and policy only reports is not given again for another reason', async () => {
  await open(['P-1', 'P-0'], { revised: reporting })
  await house.removeMember('P-1', 'CBS_ViewOnly')
  expect(await run()).toMatchObject({ missing: 1 })
  await house.quiesce()
  await house.tell(works('P-1', (await house.now()) + 1_000, approverJob))
  await house.shift(2_000)
  await house.quiesce()
  expect(await house.groupsOf('P-1')).not.toContain('CBS_ViewOnly')
  expect(await house.groupsOf('P-1')).toContain('CBS_LoanApprove')
})

test('what was once taken away and is long since back comes back with a leaver whose leave is rescinded', async () => {
  await open(['P-1', 'P-0'], { revised: reporting })
  await house.removeMember('P-1', 'App_Crm')
  await run()
  await house.quiesce()
  await house.addMember('P-1', 'App_Crm')
  await run()
  await house.quiesce()
  await house.tell(leaves('P-1', (await house.now()) - 1, { id: 'leave-1' }))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
  await house.tell(leaves('P-1', (await house.now()) - 1, { action: 'rescind', supersedes: 'leave-1' }))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(lending)
})

test('an account is told and audited once, for as long as it is so', async () => {
  await open(['P-1', 'P-0'])
  await locked('P-1', true)
  for (let n = 0; n < 3; n++) await run()
  expect(await driftEntries()).toHaveLength(1)
  await locked('P-1', false)
  await run()
  await locked('P-1', true)
  await run()
  expect(await driftEntries()).toHaveLength(2)
})

test('an account that an action of ours is opening is not opened behind our back', async () => {
  const gates = createGates()
  await open(['P-1', 'P-0'], { settings: { pause: gates.pause } })
  await house.tell({ ...works('P-1', (await house.now()) - 500), status: 'leave' })
  await house.quiesce()
  expect(await house.account('P-1')).toMatchObject({ locked: true })
  await house.tell(works('P-1', (await house.now()) - 400))
  await house.evaluateAll()
  await house.shift(600)
  const called = gates.stopAt('provision:called')
  const [dispatch] = await house.dispatchAll()
  const provisioning = house.provision(dispatch?.id ?? 0)
  await called.reached
  expect(await house.account('P-1')).toMatchObject({ locked: false })
  expect(await run()).toMatchObject({ reopened: 0 })
  called.open()
  await provisioning
  expect(await run()).toMatchObject({ reopened: 0 })
  expect(await findings()).toEqual([])
})

test('drift that is to be reverted and cannot be is told: protected, observed, of a leaver', async () => {
  const shielded = (text: string) => reverting(text).replace(/^( {2}Staff_Vpn:\n)/m, '$1    protected: true\n')
  await open(['P-1', 'P-2', 'P-0'], { revised: shielded })
  await house.tell(leaves('P-2', (await house.now()) - 1))
  await house.quiesce()
  await house.addMember('P-1', 'Staff_Vpn')
  await house.addMember('P-2', 'Staff_Vpn')
  expect(await run()).toMatchObject({ appeared: 2 })
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toContain('Staff_Vpn')
  expect(await findings()).toEqual(['grant-unexplained', 'grant-unexplained'])
  await house.rows(`update muster.target set mode = 'observe'`)
  await house.addMember('P-1', 'App_RiskDesk')
  await run()
  await house.evaluateAll()
  expect(await findings()).toEqual(['grant-unexplained', 'grant-unexplained', 'grant-unexplained'])
})

test('a grant whose outcome is written while its drift is judged is no drift', async () => {
  await open(['P-1', 'P-0'], { revised: reverting })
  await house.tell(works('P-1', (await house.now()) - 500, { ...approverJob, location: 'Pune' }))
  await house.evaluateAll()
  await house.shift(600)
  for (const { id } of await house.dispatchAll()) {
    const [row] = await house.rows<{ kind: string }>('select kind from muster.dispatch where id = $1', id)
    if (row?.kind !== 'grant') await house.provision(id)
  }
  const [grant] = await house.rows<{ id: number }>(
    `select id from muster.dispatch where kind = 'grant' and state = 'queued' order by id`,
  )
  const [applied, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const real = house.engine.connectors.get(target) as Connector
  const slow: Connector = {
    ...real,
    apply: async (operations, context) => {
      const outcomes = await real.apply(operations, context)
      applied.resolve()
      await go.promise
      return outcomes
    },
  }
  const providing = provision({ ...house.engine, connectors: new Map([[target, slow]]) }, grant?.id ?? 0)
  await applied.promise
  // Its outcome commits between any two questions that are asked about it.
  let asked = 0
  const db: Reconciler['db'] = {
    ...house.engine.db,
    query: (statement) => house.engine.db.query(statement),
    transaction: (work) =>
      house.engine.db.transaction((tx: Transaction) =>
        work({
          ...tx,
          query: async (statement) => {
            const judging = ['reconcile-in-work', 'grants-verified-since', 'grants-lock-present']
            if (judging.includes(statement.name ?? '') && ++asked === 2) {
              go.resolve()
              await providing
            }
            return tx.query(statement)
          },
        }),
      ),
  }
  const before = (await driftEntries()).length
  const result = await run({}, { ...house.engine, db })
  expect(asked).toBeGreaterThanOrEqual(2)
  expect(result).toMatchObject({ appeared: 0, passing: 1 })
  expect(await driftEntries()).toHaveLength(before)
})

test('a group whose members are hidden is not read: nothing is believed gone, no conflict is completed', async () => {
  let hidden = false
  const hiding = (real: Connector): Connector => ({
    ...real,
    async *membersOf(refs, signal) {
      const entry = house.entitlements.find(({ key }) => key === 'CBS_LoanEntry')?.id
      for await (const list of real.membersOf(refs, signal))
        yield hidden && list.entitlement === entry
          ? { kind: 'complete', entitlement: list.entitlement, members: [] }
          : list
    },
    grantsOf: async (ids, signal) => {
      const read = await real.grantsOf(ids, signal)
      if (!hidden || read.kind !== 'complete') return read
      return { kind: 'complete', items: read.items.filter((one) => !one.entitlement.name.includes('CBS_LoanEntry')) }
    },
  })
  await open(['P-1', 'P-2', 'P-3'], { connector: hiding, revised: reporting })
  hidden = true
  expect(await run()).toMatchObject({ missing: 0, shrunken: [{ key: 'CBS_LoanEntry', believed: 3, gone: 3 }] })
  await house.tell(works('P-1', (await house.now()) + 1_000, approverJob))
  await house.shift(2_000)
  hidden = false
  await house.quiesce()
  const groups = await house.groupsOf('P-1')
  expect(groups.includes('CBS_LoanEntry') && groups.includes('CBS_LoanApprove')).toBe(false)
})

test('whom a rule keeps in a list since is not gone from it: the list is believed, and what we granted there ended', async () => {
  let ruled = false
  const keeping = (real: Connector): Connector => ({
    ...real,
    async *membersOf(refs, signal) {
      const entry = house.entitlements.find(({ key }) => key === 'CBS_LoanEntry')?.id
      const kept = (await house.rows<{ id: NativeId }>('select native_id as id from muster.account')).map(
        ({ id }) => id,
      )
      for await (const list of real.membersOf(refs, signal))
        yield ruled && list.entitlement === entry
          ? { kind: 'complete', entitlement: list.entitlement, members: [], kept }
          : list
    },
    grantsOf: async (ids, signal) => {
      const read = await real.grantsOf(ids, signal)
      if (!ruled || read.kind !== 'complete') return read
      return { kind: 'complete', items: read.items.filter((one) => !one.entitlement.name.includes('CBS_LoanEntry')) }
    },
  })
  await open(['P-1', 'P-2', 'P-3'], { connector: keeping, revised: reporting })
  ruled = true
  expect(await run()).toMatchObject({ missing: 3, shrunken: [], unread: [] })
  expect(await run()).toMatchObject({ missing: 0, shrunken: [], unread: [] })
})

test('what a first list shows and is not written down is shown for the first time by the next one', async () => {
  house = await openHouse({ revised: reverting })
  await house.addAccount('P-1')
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  await resolved(house)
  await house.tell(works('P-1', (await house.now()) - 500, { jobCode: 'TELLER', department: 'RETAIL' }))
  await house.evaluateAll()
  await house.addMember('P-1', 'CBS_TellerCash')
  expect(await run()).toMatchObject({ found: 0, passing: 1 })
  await house.tell(works('P-1', (await house.now()) - 100))
  await house.quiesce()
  expect(await run()).toMatchObject({ appeared: 0, found: 1 })
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toContain('CBS_TellerCash')
})

test('a run that another one overtook writes down nothing that is over by then', async () => {
  const gates = createGates()
  await open(['P-1', 'P-0'], { revised: reverting, settings: { pause: gates.pause } })
  await house.addMember('P-1', 'Staff_Vpn')
  const compared = gates.stopAt('reconcile:compared')
  const overtaken = run()
  await compared.reached
  expect(await run()).toMatchObject({ appeared: 1 })
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(lending)
  compared.open()
  expect(await overtaken).toMatchObject({ appeared: 0, passing: 1 })
  expect(await driftEntries()).toHaveLength(1)
})
