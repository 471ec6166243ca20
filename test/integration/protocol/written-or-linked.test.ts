/** What is linked, written or granted and must not be. */
import { afterEach, expect, test } from 'vitest'
import type { Connector, Operation } from '../../../src/connectors/connector.ts'
import { observeSettled } from '../../../src/connectors/settled.ts'
import type { TargetId } from '../../../src/domain/ids.ts'
import type { Outcome } from '../../../src/domain/outcome.ts'
import { linkAccount, unlinkAccount } from '../../../src/engine/link.ts'
import { outcomeEntry } from '../../../src/engine/outcome-entry.ts'
import { answerLost, createFaults, createGates } from '../../support/faults.ts'
import { type House, type HouseOptions, openHouse } from '../../support/house.ts'
import { conflicts } from './laws.ts'
import { approverJob, leaves, works } from './people.ts'

let house: House
let faults: ReturnType<typeof createFaults>
let gates: ReturnType<typeof createGates>
afterEach(() => house.close())
const target = 'bank-ldap' as TargetId
const actor = { type: 'os-user', name: 'somebody', authenticated: false } as const
const link = (person: string, account: string) =>
  linkAccount(house.engine, { person, target, account, reason: 'looked', actor, signal: new AbortController().signal })
const unlink = (person: string) => unlinkAccount(house.engine, { person, target, reason: 'looked', actor })
const idOf = async (person: string) => String(await house.idOf(person))
const open = async (options: HouseOptions = {}) => {
  faults = createFaults()
  gates = createGates()
  house = await openHouse({ connector: faults.wrap, settings: { pause: gates.pause }, ...options })
}

test('a link that is refused does not forget that the account is not theirs', async () => {
  await open()
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  const account = await idOf('P-1')
  await unlink('P-1')
  await house.tell({
    person: 'P-2',
    effectiveAt: (await house.now()) - 1000,
    attributes: { jobCode: 'NONE' },
    status: 'prehire',
  })
  await house.evaluateAll()
  expect(await link('P-2', account)).toMatchObject({ kind: 'linked' })
  expect(await link('P-1', account)).toEqual({ kind: 'somebody-elses', person: 'P-2' })
  expect(await house.rows('select native_id from muster.not_theirs')).toEqual([{ native_id: account }])
})

test('a protected account is not linked to a leaver who is looked for', async () => {
  const accounts: string[] = []
  await open({ target: { protect: { accounts, entitlements: [] } } })
  await house.addAccount('P-1')
  await house.addAccount('OLD')
  accounts.push(await idOf('P-1'), await idOf('OLD'))
  await house.tell(leaves('P-1', (await house.now()) - 1000))
  await house.evaluateAll()
  await house.shift(2_005)
  for (const { id } of await house.dispatchAll()) await house.provision(id)
  expect(await house.rows('select native_id from muster.account where unlinked_at is null')).toEqual([])
})

test('a protected account is not linked by hand', async () => {
  const accounts: string[] = []
  await open({ target: { protect: { accounts, entitlements: [] } } })
  await house.addAccount('OLD')
  accounts.push(await idOf('OLD'))
  await house.tell({
    person: 'P-2',
    effectiveAt: (await house.now()) - 1000,
    attributes: { jobCode: 'NONE' },
    status: 'prehire',
  })
  await house.evaluateAll()
  expect((await link('P-2', await idOf('OLD'))).kind).not.toBe('linked')
})

test('a protected group is protected however the catalogue spells its name', async () => {
  const entitlements: string[] = []
  await open({
    target: { protect: { accounts: [], entitlements } },
    revised: (text) => text.replaceAll('cn=App_Crm,', 'cn=App_Crm, '),
  })
  entitlements.push(`cn=App_Crm,${house.tree.groups}`)
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).not.toContain('App_Crm')
})

test('while a target settles, «not so» of a grant whose worker died proves nothing: no conflict is completed', async () => {
  const late: { operation: Operation; real: Connector }[] = []
  let isSlow = false
  const settleMs = 600_000
  await open({
    connector: (real) =>
      faults.wrap({
        ...real,
        // Whatever is written shows within ten minutes, and not before.
        manifest: { ...real.manifest, settleMs, pending: true },
        observe: (operations, observing) =>
          observeSettled(settleMs, operations, observing, (asked) => real.observe(asked, observing)),
        poll: async () => [],
        apply: async (operations, context) => {
          const [first] = operations
          if (isSlow && first?.op === 'grant' && first.entitlement.lookup.includes('CBS_LoanEntry')) {
            isSlow = false
            for (const operation of operations) late.push({ operation, real })
            return operations.map((): Outcome => ({ kind: 'pending', handle: 'settling', pollAfterMs: 1_000 }))
          }
          return real.apply(operations, context)
        },
      }),
  })
  const start = await house.now()
  await house.tell(works('P-1', start - 1000, { jobCode: 'TELLER', department: 'LENDING' }))
  await house.quiesce()
  await house.tell(works('P-1', start))
  await house.evaluateAll()
  await house.shift(600)
  const refs = await house.dispatchAll()
  const [entry] = await house.rows<{ dispatch: number }>(
    `select a.dispatch_id as dispatch from muster.action a join muster.entitlement e on e.id = a.entitlement_id where e.key = 'CBS_LoanEntry' and a.kind = 'grant'`,
  )
  for (const { id } of refs) if (id !== entry?.dispatch) await house.provision(id)
  isSlow = true
  gates.dieAt('provision:called')
  await expect(house.provision(entry?.dispatch ?? 0)).rejects.toThrow()
  expect(late).toHaveLength(1)
  // The lease is over long before the target has settled in a house with a short lease; here the lease is what is waited out.
  await house.shift(house.engine.settings.leaseMs + 1_000)
  await house.sweep()
  await house.tell(works('P-1', start + 1, approverJob))
  await house.evaluateAll()
  for (let i = 0; i < 6; i++) {
    await house.shift(600)
    for (const { id } of await house.dispatchAll()) await house.provision(id)
    await house.evaluateAll()
  }
  const elapsed = (await house.now()) - start
  expect(elapsed).toBeLessThan(settleMs)
  for (const { operation, real } of late)
    await real.apply([operation], { signal: new AbortController().signal, mayWrite: () => true })
  expect(await conflicts(house, [['CBS_LoanEntry', 'CBS_LoanApprove']])).toEqual([])
})

test('the audit of ended sessions does not say that they shut the account', () => {
  house = { close: async () => {} } as never
  const action = { id: 1, subject_ref: 's', decision_id: 1, kind: 'endSessions', entitlement_id: null, attempts: 0 }
  const outcome: Outcome = {
    kind: 'done',
    changed: true,
    evidence: { read: 'x', code: '0', account: 'a', entitlement: null } as never,
    account: { nativeId: 'a', enabled: true, attributesHash: '', origin: 'known' } as never,
    grants: [],
  }
  const entry = outcomeEntry(
    0,
    { dispatch: 1, target, lane: 'leaver', token: '', claimedAt: 0, actions: [] },
    { action, outcome, next: { kind: 'done' } } as never,
    null,
    { by: 'native-id', account: null },
  )
  const text = entry.text
  expect(text).not.toContain('"before":{"enabled":false}')
})

test("nobody is linked by hand while an account of theirs may just have been made: it would be nobody's", async () => {
  await open()
  await house.addAccount('OLD-7', { uid: 'old' })
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.evaluateAll()
  await house.shift(600)
  faults.next(answerLost, 'ensureAccount')
  for (const { id } of await house.dispatchAll()) await house.provision(id)
  expect((await house.account('P-1'))?.locked).toBe(false)
  const answer = await link('P-1', await idOf('OLD-7'))
  await house.quiesce()
  await house.tell(leaves('P-1', await house.now()))
  await house.quiesce()
  const told = await house.rows('select kind from muster.finding')
  expect({ answer: answer.kind, made: (await house.account('P-1'))?.locked, told }).not.toEqual({
    answer: 'linked',
    made: false,
    told: [],
  })
})

test('linked by hand while their account is just being made: the finding about it stays, and a leaver does not keep it', async () => {
  await open()
  await house.addAccount('OLD-7', { uid: 'old' })
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.evaluateAll()
  await house.shift(600)
  const [ref] = await house.dispatchAll()
  const called = gates.stopAt('provision:called')
  const going = house.provision(ref?.id ?? 0)
  await called.reached
  const answer = await link('P-1', await idOf('OLD-7'))
  called.open()
  await going
  await house.quiesce()
  await house.sweep()
  await house.tell(leaves('P-1', await house.now()))
  await house.quiesce()
  await house.shift(120_000)
  await house.sweep()
  const told = await house.rows('select kind from muster.finding where closed_at is null')
  expect({ answer: answer.kind, made: (await house.account('P-1'))?.locked, told }).not.toEqual({
    answer: 'linked',
    made: false,
    told: [],
  })
})
