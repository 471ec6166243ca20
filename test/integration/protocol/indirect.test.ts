/** What is held by nested groups or the primary group counts in every conflict, and is neither granted, revoked nor taken for a grant. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { TargetId } from '../../../src/domain/ids.ts'
import { checkLeavers } from '../../../src/engine/check-leavers.ts'
import { explainAccess } from '../../../src/engine/explain-access.ts'
import { linkAccount, unlinkAccount } from '../../../src/engine/link.ts'
import { createPolicyBook } from '../../../src/engine/policy-book.ts'
import { reconcile } from '../../../src/engine/reconcile.ts'
import { mergeEntitlements, type Twin } from '../../../src/store/merge-entitlements.ts'
import { type House, openHouse } from '../../support/house.ts'
import { findingsOf, reporting, resolved } from './behind-our-back.ts'
import { auditOf, brokenLaws } from './laws.ts'
import { nestedGroups } from './nested-groups.ts'
import { approverJob, approving, leaves, lending, works } from './people.ts'

let house: House
let groups: ReturnType<typeof nestedGroups>
const target = 'bank-ldap' as TargetId
const minute = 60_000
const withoutEntry = lending.filter((key) => key !== 'CBS_LoanEntry')

beforeEach(async () => {
  groups = nestedGroups()
  house = await openHouse({ connector: groups.wrap, revised: reporting })
  await house.addGroups([`cn=Admins,${house.tree.groups}`])
})
afterEach(() => house.close())

const hires = async (person: string, job?: Record<string, string>) => {
  await house.tell(works(person, (await house.now()) - 1000, job))
  await house.quiesce()
}
const run = (more: { full?: boolean; acceptShrunken?: boolean } = {}) =>
  reconcile(house.engine, target, {
    actor: { type: 'engine', name: 'test' },
    signal: new AbortController().signal,
    ...more,
  })
const openHolds = async () =>
  (
    await house.rows<{ key: string }>(
      `select e.key from muster.hold h join muster.entitlement e on e.id = h.entitlement_id where h.kind = 'sod' and h.closed_at is null order by 1`,
    )
  ).map(({ key }) => key)
/** What of ours was ever asked for: `revoke CBS_LoanApprove`. */
const asked = async () =>
  (
    await house.rows<{ word: string }>(
      `select distinct a.kind || ' ' || e.key as word from muster.action a join muster.entitlement e on e.id = a.entitlement_id order by 1`,
    )
  ).map(({ word }) => word)
const heldIndirectly = () =>
  house.rows<{ entitlement: string; via: string; stands: boolean }>(
    `select entitlement, via, gone_verified_at is null as stands from auditor.indirect order by first_verified_at`,
  )
const findings = () => findingsOf(house)

test('known before the first grant to an account that was found: what would complete a conflict is held, and why says by which way', async () => {
  await groups.nest(house, 'Admins', 'CBS_LoanApprove')
  await house.addAccount('P-1')
  await house.addMember('P-1', 'Admins')
  await hires('P-1')
  expect(await house.groupsOf('P-1')).toEqual(['Admins', ...withoutEntry])
  expect(await openHolds()).toEqual(['CBS_LoanEntry'])
  expect(await findings()).toEqual(['grant-indirect'])
  expect(await heldIndirectly()).toEqual([{ entitlement: 'CBS_LoanApprove', via: 'nested', stands: true }])
  expect(
    await house.rows(`select from muster.grants g join muster.entitlement e on e.id = g.entitlement_id
    where e.key = 'CBS_LoanApprove'`),
  ).toEqual([])
  const why = await explainAccess(house.engine.db, createPolicyBook(), 'P-1', 'CBS_LoanEntry', null)
  expect(why).toMatchObject({
    explanation: { verdict: { kind: 'held' }, conflicts: [{ others: [{ standing: 'indirect' }] }] },
    indirect: [
      { entitlement: 'CBS_LoanApprove', via: 'nested', path: [expect.stringContaining('Admins'), 'CBS_LoanApprove'] },
    ],
  })
  expect((await auditOf(house)).filter(({ kind }) => kind === 'indirect-access')).toHaveLength(1)

  // As long as nothing complete says otherwise.
  groups.unnest()
  groups.failNext(1)
  await resolved(house)
  expect(await run({ full: true })).toMatchObject({ indirectUnread: 'away' })
  await house.quiesce()
  expect(await openHolds()).toEqual(['CBS_LoanEntry'])
  expect(await findings()).toContain('reconcile-incomplete')

  expect(await run()).toMatchObject({ indirectUnread: null, indirect: 0 })
  await house.quiesce()
  await house.sweep()
  expect(await house.groupsOf('P-1')).toEqual(['Admins', ...lending])
  expect(await findings()).not.toContain('grant-indirect')
  expect(await heldIndirectly()).toMatchObject([{ stands: false }])
  expect((await asked()).filter((word) => word.startsWith('revoke'))).toEqual([])
})

test('an account of ours is read, too, and gets nothing before that read is complete', async () => {
  await groups.setPrimary(house, 'CBS_LoanApprove')
  groups.failNext(2)
  await house.tell(works('P-1', (await house.now()) - 1000))
  const grants: number[] = []
  await house.quiesce(async () => {
    grants.push((await house.groupsOf('P-1')).length)
  })
  expect(grants.slice(0, 2)).toEqual([0, 0])
  expect(await house.groupsOf('P-1')).toEqual(withoutEntry)
  expect(await openHolds()).toEqual(['CBS_LoanEntry'])
})

test('linked by hand, it counts as well; unlinked, no more', async () => {
  await hires('P-1')
  const [own] = await house.rows<{ native_id: string }>('select native_id from muster.account')
  const act = {
    person: 'P-1',
    target,
    reason: 'test',
    actor: { type: 'os-user', name: 'test', authenticated: false },
  } as const
  await groups.setPrimary(house, 'CBS_LoanApprove')
  await unlinkAccount(house.engine, act)
  const again = { ...act, account: own?.native_id ?? '', signal: new AbortController().signal }
  groups.failNext(9)
  expect(await linkAccount(house.engine, again)).toEqual({ kind: 'unread', cause: 'away' })
  groups.failNext(0)
  expect(await linkAccount(house.engine, again)).toMatchObject({ kind: 'linked' })
  await house.evaluateAll()
  expect(await findings()).toEqual(expect.arrayContaining(['grant-indirect', 'sod-violation']))
})

test('wanted and held indirectly: granted all the same; no longer wanted: the grant goes, and nothing else', async () => {
  await groups.setPrimary(house, 'CBS_LoanEntry')
  await hires('P-1')
  expect(await house.groupsOf('P-1')).toEqual(lending)
  expect(await findings()).toEqual([])
  // What is held still both ways is no conflict that the plan's own revoke could free.
  await hires('P-1', approverJob)
  expect(await house.groupsOf('P-1')).toEqual(approving.filter((key) => key !== 'CBS_LoanApprove'))
  expect(await openHolds()).toEqual(['CBS_LoanApprove'])
  expect((await asked()).filter((word) => word.startsWith('revoke'))).toEqual(['revoke CBS_LoanEntry'])
  expect(await findings()).toEqual(['grant-indirect'])
})

test('by the change log: a nesting in a listed group, and what a grant of ours has brought', async () => {
  await house.addAccount('P-1')
  await house.addMember('P-1', 'Admins')
  await hires('P-1')
  await hires('P-2')
  await resolved(house)
  await run({ full: true })
  const before = groups.reads()
  await run()
  expect(groups.reads() - before).toBe(0)
  await groups.nest(house, 'Admins', 'CBS_LoanApprove')
  await groups.change(house, 'CBS_LoanApprove')
  expect(await run()).toMatchObject({ extent: 'delta', indirect: 1 })
  await house.evaluateAll()
  expect(await findings()).toEqual(expect.arrayContaining(['grant-indirect', 'sod-violation']))

  await groups.nest(house, 'Staff_Vpn', 'CBS_TellerCash')
  await house.addMember('P-2', 'Staff_Vpn')
  await groups.change(house, 'Staff_Vpn')
  expect(await run()).toMatchObject({ appeared: 1, indirect: 1 })
  expect(await heldIndirectly()).toMatchObject([{ entitlement: 'CBS_LoanApprove' }, { entitlement: 'CBS_TellerCash' }])
})

test('what turns out to be an entitlement of the catalogue is held as that', async () => {
  await groups.setPrimary(house, 'Admins')
  await hires('P-1')
  expect(await house.groupsOf('P-1')).toEqual(lending)
  expect(await findings()).toEqual([])
  const [twin] = await house.rows<Twin>(
    `select a.id as "from", a.native_id as "nativeId", e.id as "into" from muster.entitlement a, muster.entitlement e
      where a.lookup like 'cn=Admins,%' and e.key = 'CBS_LoanApprove'`,
  )
  await house.engine.db.transaction((tx) => mergeEntitlements(tx, twin === undefined ? [] : [twin]))
  await house.evaluateAll()
  expect(await heldIndirectly()).toMatchObject([{ entitlement: 'CBS_LoanApprove', stands: true }])
  expect(await findings()).toEqual(['grant-indirect', 'sod-violation'])
})

test('when many lose at once what they held, a human says that it is so', async () => {
  await groups.setPrimary(house, 'CBS_LoanApprove')
  for (const person of ['P-1', 'P-2', 'P-3', 'P-4']) await house.tell(works(person, (await house.now()) - 1000))
  await house.quiesce()
  await resolved(house)
  await groups.setPrimary(house, null)
  expect(await run({ full: true })).toMatchObject({ indirectUnread: expect.stringContaining('4 of 4') })
  await house.quiesce()
  expect(await openHolds()).toHaveLength(4)
  expect(await run({ acceptShrunken: true })).toMatchObject({ indirectUnread: null })
  await house.quiesce()
  expect(await openHolds()).toEqual([])
})

/** Leavers are read again, so long after the last time. */
const check = async (ms: number) => {
  await house.shift(ms)
  await checkLeavers(house.engine, new AbortController().signal)
  await house.quiesce()
  await house.sweep()
}

test('a leaver is shut and emptied; what is left by other ways is told, until it is gone', async () => {
  await groups.setPrimary(house, 'Staff_Vpn')
  await hires('P-1')
  await house.tell(leaves('P-1', (await house.now()) - 1))
  await house.quiesce()
  await house.sweep()
  expect((await house.account('P-1'))?.locked).toBe(true)
  expect(await house.groupsOf('P-1')).toEqual([])
  expect((await asked()).filter((word) => word === 'revoke Staff_Vpn')).toEqual([])
  expect(await findings()).toEqual([])
  await check(5 * minute)
  expect(await findings()).toEqual(['leaver-holds-indirectly'])
  await groups.setPrimary(house, null)
  await check(60 * minute)
  expect(await findings()).toEqual([])
  expect(await brokenLaws(house)).toEqual([])
})

test('what a rule keeps a leaver in is told once it had its time, known to the catalogue or not; it is never revoked, and over with its rule', async () => {
  await hires('P-1')
  await groups.keep(house, 'Admins', 'rule')
  expect(await run({ full: true })).toMatchObject({ indirectUnread: null })
  // HR tells of it late: their time begins with that.
  await house.shift(60 * minute)
  await house.tell(leaves('P-1', (await house.now()) - 50 * minute))
  await house.quiesce()
  await check(5 * minute)
  expect(await findings()).toEqual([])
  await check(60 * minute)
  expect(await house.rows(`select kind, detail ->> 'via' as via from muster.finding where closed_at is null`)).toEqual([
    { kind: 'leaver-holds-indirectly', via: 'rule' },
  ])
  expect(await house.rows(`select id from muster.action where open`)).toEqual([])
  // No read that failed is its end; and where it was closed, the next run tells it again.
  groups.failNext(1)
  expect(await run({ full: true })).toMatchObject({ indirectUnread: 'away' })
  await house.rows('update muster.identity set work_due_at = muster.now()')
  await house.quiesce()
  await house.sweep()
  expect(await findings()).toContain('leaver-holds-indirectly')
  await house.rows('update muster.finding set closed_at = muster.now()')
  expect(await run({ full: true })).toMatchObject({ indirectUnread: null })
  await house.quiesce()
  expect(await findings()).toEqual(['leaver-holds-indirectly'])
  await groups.setPrimary(house, null)
  await check(24 * 60 * minute)
  expect(await findings()).toEqual([])
  expect(await brokenLaws(house)).toEqual([])
})

test('what another directory keeps somebody in needs no grant, also where a rule wants it; and counts in conflicts from the list on', async () => {
  await groups.keep(house, 'CBS_LoanEntry', 'sync')
  await hires('P-1')
  expect(await house.groupsOf('P-1')).toEqual(withoutEntry)
  expect(
    await house.rows(`select a.state from muster.action a join muster.entitlement e on e.id = a.entitlement_id
      where e.key = 'CBS_LoanEntry'`),
  ).toEqual([{ state: 'superseded' }])
  expect(await findings()).toEqual([])
  await resolved(house)
  await run({ full: true })
  await groups.keep(house, 'CBS_LoanApprove', 'rule')
  await groups.change(house, 'CBS_LoanApprove')
  expect(await run()).toMatchObject({ extent: 'delta', appeared: 0, indirect: 1 })
  await house.evaluateAll()
  expect(await findings()).toContain('grant-indirect')
  expect(await openHolds()).toEqual(['CBS_LoanEntry'])
})
