/** `muster link` and `muster unlink`: a human says whose an account is, and correlation does not contradict. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { paintFor } from '../../../src/cli/paint.ts'
import { strayLines } from '../../../src/cli/stray-lines.ts'
import type { Connector, OwnThing } from '../../../src/connectors/connector.ts'
import { createLdapConnector } from '../../../src/connectors/ldap/connector.ts'
import type { NativeId, TargetId } from '../../../src/domain/ids.ts'
import { linkAccount, unlinkAccount } from '../../../src/engine/link.ts'
import { reconcile } from '../../../src/engine/reconcile.ts'
import { setTargetMode } from '../../../src/engine/set-target-mode.ts'
import { strayAccounts } from '../../../src/engine/stray-accounts.ts'
import { createFaults, createGates } from '../../support/faults.ts'
import { type House, ldapSettings, openHouse } from '../../support/house.ts'
import { setLocked } from './behind-our-back.ts'
import { auditOf, brokenLaws } from './laws.ts'
import { leaves, lending, works } from './people.ts'

let house: House
let faults: ReturnType<typeof createFaults>
let gates: ReturnType<typeof createGates>
beforeEach(async () => {
  faults = createFaults()
  gates = createGates()
  house = await openHouse({ connector: faults.wrap, settings: { pause: gates.pause } })
})
afterEach(() => house.close())

const target = 'bank-ldap' as TargetId
const actor = { type: 'os-user', name: 'somebody', authenticated: false } as const
const link = (person: string, account: string) =>
  linkAccount(house.engine, { person, target, account, reason: 'looked', actor, signal: new AbortController().signal })
const unlink = (person: string) => unlinkAccount(house.engine, { person, target, reason: 'looked', actor })
const idOf = async (person: string) => String(await house.idOf(person))
const written = () => faults.calls.filter(({ call }) => call === 'apply').length
const findings = async () =>
  (await house.rows<{ kind: string }>('select kind from muster.finding where closed_at is null order by 1')).map(
    ({ kind }) => kind,
  )
const join = async (person: string) => {
  await house.tell(works(person, (await house.now()) - 1000))
  await house.quiesce()
}

test('an account under another key is linked by hand: what it holds counts, and a conflict with it is held', async () => {
  await house.addAccount('OLD-7', { uid: 'old' })
  await house.addMember('OLD-7', 'CBS_LoanApprove')
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.evaluateAll()
  expect(await link('P-1', await idOf('OLD-7'))).toEqual({ kind: 'linked', grants: 1 })
  await house.quiesce()
  expect(await house.account('P-1')).toBeNull()
  expect(await house.groupsOf('OLD-7')).toContain('CBS_LoanApprove')
  expect(await house.groupsOf('OLD-7')).toContain('CBS_ViewOnly')
  expect(await house.groupsOf('OLD-7')).not.toContain('CBS_LoanEntry')
  const [entry] = (await auditOf(house)).filter(({ kind }) => kind === 'account-linked')
  expect(entry?.body).toMatchObject({ actor: { name: 'somebody' }, grants: [expect.any(String)] })
  expect(JSON.stringify(entry?.body)).not.toContain('looked')
})

test('whoever would be found at the account of another writes nothing to it: a finding', async () => {
  await house.addAccount('P-2', { uid: 'old' })
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.evaluateAll()
  expect(await link('P-1', await idOf('P-2'))).toMatchObject({ kind: 'linked' })
  await house.quiesce()
  const before = await house.lastWriteTo('P-2')
  const groups = await house.groupsOf('P-2')
  await join('P-2')
  expect(await house.lastWriteTo('P-2')).toBe(before)
  expect(await house.groupsOf('P-2')).toEqual(groups)
  expect(await findings()).toEqual(['account-ambiguous'])
  expect(await house.rows(`select detail - 'action' as detail from muster.finding`)).toEqual([
    { detail: { target, word: 'linked-to-another', accounts: await idOf('P-2') } },
  ])
  expect(await house.rows(`select outcome, state from muster.action where kind = 'ensureAccount' and open`)).toEqual([
    { outcome: 'refused', state: 'parked' },
  ])
})

test('linked by hand, a leaver loses it all', async () => {
  await house.addAccount('OLD-7', { uid: 'old' })
  await house.addMember('OLD-7', 'CBS_LoanApprove')
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  await house.quiesce()
  await house.tell(leaves('P-1', start))
  await house.quiesce()
  expect(await link('P-1', await idOf('OLD-7'))).toMatchObject({ kind: 'has-another' })
  expect(await unlink('P-1')).toMatchObject({ kind: 'unlinked' })
  expect(await link('P-1', await idOf('OLD-7'))).toEqual({ kind: 'linked', grants: 1 })
  await house.quiesce()
  expect(await house.groupsOf('OLD-7')).toEqual([])
  expect((await house.account('OLD-7'))?.locked).toBe(true)
})

test('an account that is not theirs is left as it is, and never linked or written again by correlation', async () => {
  await join('P-1')
  const before = written()
  expect(await unlink('P-1')).toMatchObject({ kind: 'unlinked', account: await idOf('P-1') })
  await house.quiesce()
  await house.tell({
    ...works('P-1', (await house.now()) - 500),
    attributes: { jobCode: 'RM', department: 'LENDING', jobTitle: 'New' },
  })
  await house.quiesce()
  expect(written()).toBe(before)
  expect(await house.groupsOf('P-1')).toEqual(lending)
  expect(await findings()).toContain('account-ambiguous')
  expect(await house.rows('select from muster.account where unlinked_at is null')).toEqual([])
  expect(await link('P-1', await idOf('P-1'))).toEqual({ kind: 'linked', grants: lending.length })
  await house.quiesce()
  expect(await brokenLaws(house)).toEqual([])
})

test('a leaver whose account was said not to be theirs: looked for, found, and not touched', async () => {
  await join('P-1')
  await unlink('P-1')
  await house.tell(leaves('P-1', await house.now()))
  await house.evaluateAll()
  await house.shift(2_005)
  for (const { id } of await house.dispatchAll()) await house.provision(id)
  expect((await house.account('P-1'))?.locked).toBe(false)
  expect(await findings()).toContain('account-ambiguous')
})

test("somebody else's account, nobody's account, nobody: told, nothing is changed", async () => {
  await join('P-1')
  await house.tell({
    person: 'P-2',
    effectiveAt: (await house.now()) - 1000,
    attributes: { jobCode: 'NONE' },
    status: 'prehire',
  })
  await house.evaluateAll()
  expect(await link('P-2', await idOf('P-1'))).toEqual({ kind: 'somebody-elses', person: 'P-1' })
  expect(await link('P-2', '00000000-0000-4000-8000-000000000000')).toEqual({ kind: 'no-account' })
  expect(await link('P-3', await idOf('P-1'))).toEqual({ kind: 'unknown-person' })
  expect(await link('P-1', await idOf('P-1'))).toEqual({ kind: 'was-so' })
  expect(await unlink('P-2')).toEqual({ kind: 'not-linked' })
  expect((await auditOf(house)).filter(({ kind }) => kind.startsWith('account-'))).toEqual([])
})

test('nobody is unlinked while a change of theirs is going out', async () => {
  const start = await house.now()
  await join('P-1')
  await house.tell(leaves('P-1', start))
  await house.evaluateAll('leaver')
  const [first] = await house.dispatchAll('leaver')
  const called = gates.stopAt('provision:called')
  const going = house.provision(first?.id ?? 0)
  await called.reached
  expect(await unlink('P-1')).toEqual({ kind: 'in-work' })
  called.open()
  await going
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
})

test('accounts of nobody, and open ones of people who left, are listed; those of others are not', async () => {
  await house.addAccount('OLD-7', { uid: 'old' })
  await house.addAccount('', { uid: 'robot', locked: true })
  const start = await house.now()
  for (const person of ['P-1', 'P-2', 'P-3']) await house.tell(works(person, start - 1000))
  await house.quiesce()
  for (const person of ['P-2', 'P-3']) await house.tell(leaves(person, start))
  await house.quiesce()
  await setLocked(house, 'P-3', false)
  const read = await strayAccounts(house.engine, target, new AbortController().signal)
  if (read.kind === 'unread') throw new Error(read.cause)
  expect(read.accounts).toBe(5)
  expect(read.strays.map(({ key, enabled, is, person }) => [key, enabled, is, person]).sort()).toEqual(
    [
      ['OLD-7', true, 'nobody', null],
      ['P-3', true, 'left', 'P-3'],
      [null, false, 'nobody', null],
    ].sort(),
  )
})

test('Muster’s own account is linked by nobody, also where this process has done nothing else yet, as `muster link`', async () => {
  const own: OwnThing[] = []
  await house.close()
  house = await openHouse({
    connector: (real) => ({ ...faults.wrap(real), own: async () => ({ kind: 'complete', items: own }) }),
  })
  await house.addAccount('SVC-1', { uid: 'svc-muster' })
  own.push({ kind: 'account', nativeId: (await idOf('SVC-1')) as NativeId })
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.evaluateAll()
  expect(await link('P-1', await idOf('SVC-1'))).toEqual({ kind: 'protected' })
  await house.addAccount('', { uid: 'robot' })
  await house.addAccount('KRB-1', { uid: 'krbtgt' })
  await house.addAccount('GLASS-1', { uid: 'glass' })
  const [krbtgt, glass] = [await idOf('KRB-1'), await idOf('GLASS-1')]
  const real = house.engine.connectors.get(target)
  if (real === undefined) throw new Error('no connector')
  const connector: Connector = {
    ...real,
    protects: async (id) => id === glass,
    listAccounts: async (signal) => {
      const listed = await real.listAccounts(signal)
      const items = listed.items.map((item) => (item.nativeId === krbtgt ? { ...item, builtIn: true as const } : item))
      return listed.kind === 'complete' ? { ...listed, items } : listed
    },
  }
  const engine = { ...house.engine, connectors: new Map([[target, connector]]) }
  const read = await strayAccounts(engine, target, new AbortController().signal)
  if (read.kind === 'unread') throw new Error(read.cause)
  expect(read.strays.map(({ key, is }) => `${key} ${is}`).sort()).toEqual([
    'GLASS-1 protected',
    'KRB-1 built-in',
    'SVC-1 own',
    'null nobody',
  ])
  const lines = strayLines(paintFor(false), target, read.accounts, read.strays).join('\n')
  expect(lines).toContain('Muster itself')
  expect(lines).toContain('1 account of nobody: whose one is')
})

test('where no call shuts an account, an open one of a leaver is told all the same, with what it holds', async () => {
  const start = await house.now()
  for (const person of ['P-1', 'P-2']) await house.tell(works(person, start - 1000))
  await house.quiesce()
  await house.tell(leaves('P-1', start))
  await house.quiesce()
  await setLocked(house, 'P-1', false)
  expect(await unlink('P-2')).toMatchObject({ kind: 'unlinked' })
  const real = house.engine.connectors.get(target)
  if (real === undefined) throw new Error('no connector')
  const unshuttable = { ...real, manifest: { ...real.manifest, disable: 'none' as const } }
  const connectors = new Map([[target, unshuttable]])
  const read = await strayAccounts({ ...house.engine, connectors }, target, new AbortController().signal)
  if (read.kind === 'unread') throw new Error(read.cause)
  expect(read.strays.map(({ is, person, grants }) => [is, person, grants]).sort()).toEqual([
    ['stays', 'P-1', 0],
    ['theirs', 'P-2', undefined],
  ])
  const lines = strayLines(paintFor(false), target, read.accounts, read.strays).join('\n')
  expect(lines).toContain('1 account of somebody who left cannot be shut here')
  expect(lines).toContain('P-2 by its key')
  expect(lines).not.toContain('nobody who left')
})

test('observed without the person key, an account is linked by what else stands on it; it is shut when its person leaves', async () => {
  await house.close()
  house = await openHouse({ mode: 'observe', ldap: { alternatives } })
  await house.addAccount('', { uid: 'p-1' })
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.evaluateAll()
  const run = () => reconcile(house.engine, target, { actor, signal: new AbortController().signal })
  expect(await run()).toMatchObject({ linked: 1, ambiguous: 0, uncorrelatedPeople: null })
  const accounts = () => house.rows('select origin, enabled from muster.account')
  expect(await accounts()).toEqual([{ origin: 'linked', enabled: true }])
  await setTargetMode(house.engine, target, 'enforce', actor)
  await house.tell(leaves('P-1', (await house.now()) - 1))
  await house.quiesce()
  expect(await accounts()).toEqual([{ origin: 'linked', enabled: false }])
})

const alternatives = [{ property: 'uid', template: '{username}', verify: { givenName: '{givenName}' } }]
const left = (now: number) => {
  const nothing = { givenName: '', familyName: '', displayName: '', username: '' }
  return leaves('P-1', now, { attributes: nothing })
}
const nobodyWanted = (text: string) => text.replace('when: everyone', 'when: { jobCode: X }')

test('a leaver whose old name is somebody else’s by now: looked for once, and the other one is left alone', async () => {
  await house.close()
  house = await openHouse({ ldap: { alternatives } })
  await house.addAccount('P-2', { uid: 'p-1' })
  await join('P-2')
  await house.tell(leaves('P-1', await house.now()))
  await house.quiesce()
  expect(await house.rows(`select kind, state from muster.action where lane = 'leaver'`)).toEqual([
    { kind: 'ensureAccount', state: 'done' },
  ])
  expect(await house.rows('select origin, enabled from muster.account')).toEqual([{ origin: 'linked', enabled: true }])
  expect(await findings()).toEqual([])
})

test('what HR tells while a leaver is looked for is looked for, too', async () => {
  await house.close()
  house = await openHouse({ ldap: { alternatives }, settings: { pause: gates.pause }, revised: nobodyWanted })
  await house.addAccount('', { uid: 'p-1' })
  const now = await house.now()
  await house.tell(left(now))
  await house.evaluateAll()
  const [first] = await house.dispatchAll('leaver')
  const called = gates.stopAt('provision:called')
  const going = house.provision(first?.id ?? 0)
  await called.reached
  await house.tell(works('P-1', now - 1000, { department: 'OTHER' }))
  await house.evaluateAll()
  called.open()
  await going
  await house.quiesce()
  expect(await house.rows('select origin, enabled from muster.account')).toEqual([{ origin: 'linked', enabled: false }])
})

test('a leaver who was not found is looked for anew when the configuration says otherwise', async () => {
  await house.close()
  house = await openHouse({ revised: nobodyWanted })
  await house.addAccount('', { uid: 'p-1' })
  const now = await house.now()
  await house.tell(works('P-1', now - 1000, { department: 'OTHER' }))
  await house.tell(leaves('P-1', now))
  await house.quiesce()
  const looked = () => house.rows(`select state from muster.action where kind = 'ensureAccount'`)
  const again = async () => {
    await house.rows('update muster.identity set work_due_at = muster.now()')
    await house.quiesce()
  }
  await again()
  expect(await looked()).toHaveLength(1)
  const before = house.engine.connectors.get(target)
  const connectors = house.engine.connectors as Map<TargetId, Connector>
  connectors.set(target, createLdapConnector(target, ldapSettings(house.tree, undefined, { alternatives })))
  await before?.close()
  await again()
  expect(await house.rows('select origin, enabled from muster.account')).toEqual([{ origin: 'linked', enabled: false }])
})

test.each([
  { order: 'as it was', late: false },
  { order: 'the other way round', late: true },
])(
  'whoever had nothing to do with a target leaves, HR says no more than that, and tells it $order: their account without a key is found and shut',
  async ({ late }) => {
    await house.close()
    house = await openHouse({ ldap: { alternatives }, revised: nobodyWanted })
    await house.addAccount('', { uid: 'p-1' })
    const now = await house.now()
    const worked = works('P-1', now - 1000, { department: 'OTHER' })
    for (const [nth, event] of (late ? [left(now), worked] : [worked, left(now)]).entries()) {
      await house.tell(event)
      await house.quiesce()
      if (nth === 0) expect(await house.rows('select from muster.account')).toEqual([])
    }
    expect(await house.rows('select origin, enabled from muster.account')).toEqual([
      { origin: 'linked', enabled: false },
    ])
  },
)
