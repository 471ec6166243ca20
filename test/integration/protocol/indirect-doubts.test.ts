/** What is held by nested groups or the primary group, where a read of it came too late, or told more than one thing at once. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { leaveChecksMs } from '../../../src/domain/leave-check.ts'
import { checkLeavers } from '../../../src/engine/check-leavers.ts'
import { createGates, type Gates } from '../../support/faults.ts'
import { type House, openHouse } from '../../support/house.ts'
import { findingsOf, reconciled, reporting, resolved } from './behind-our-back.ts'
import { nestedGroups } from './nested-groups.ts'
import { leaves, works } from './people.ts'

let house: House
let groups: ReturnType<typeof nestedGroups>
let gates: Gates

beforeEach(async () => {
  groups = nestedGroups()
  gates = createGates()
  house = await openHouse({ connector: groups.wrap, revised: reporting, settings: { pause: gates.pause } })
})
afterEach(() => house.close())

test('a leaver’s account was linked unread: whoever is rehired gets no grant before what it holds indirectly is known', async () => {
  await groups.setPrimary(house, 'CBS_LoanApprove')
  await house.addAccount('P-1')
  groups.failNext(1_000)
  const now = await house.now()
  await house.tell(works('P-1', now - 2000))
  await house.tell(leaves('P-1', now - 1000))
  await house.quiesce()
  expect(await house.rows('select indirect_read_at from muster.account')).toEqual([{ indirect_read_at: null }])
  groups.failNext(0)
  await house.tell(works('P-1', (await house.now()) - 1))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toContain('App_Crm')
  expect(await house.groupsOf('P-1')).not.toContain('CBS_LoanEntry')
})

test('many lose what they held and hold something else instead: what they gained counts, whatever becomes of the losses', async () => {
  await groups.setPrimary(house, 'CBS_TellerCash')
  const people = ['P-1', 'P-2', 'P-3', 'P-4']
  for (const person of people)
    await house.tell(works(person, (await house.now()) - 1000, { jobCode: 'X-1', department: 'OPS' }))
  await house.quiesce()
  await resolved(house)
  await groups.setPrimary(house, 'CBS_LoanApprove')
  const told = await reconciled(house, { full: true })
  expect(told).toMatchObject({ indirectUnread: expect.stringContaining('4 of 4') })
  expect(await house.rows('select from muster.account where indirect_read_at is null')).toHaveLength(4)
  await house.tell(works('P-1', await house.now()))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toContain('App_Crm')
  expect(await house.groupsOf('P-1')).not.toContain('CBS_LoanEntry')
  // Nor is the loss believed because one of them was read by itself.
  const holds = [{ key: 'CBS_LoanApprove' }, { key: 'CBS_TellerCash' }].flatMap((one) => people.map(() => one))
  expect(
    await house.rows(`select e.key from muster.indirect n join muster.entitlement e on e.id = any(n.entitlements) and e.managed
      where n.gone_verified_at is null order by 1`),
  ).toEqual(holds)
})

/** People whom a rule keeps in CBS_TellerCash, seen so by a full run. */
const keptByRule = async (...people: readonly string[]) => {
  for (const person of people)
    await house.tell(works(person, (await house.now()) - 1000, { jobCode: 'X-1', department: 'OPS' }))
  await house.quiesce()
  await resolved(house)
  await groups.keep(house, 'CBS_TellerCash', 'rule')
  expect(await reconciled(house, { full: true })).toMatchObject({ indirect: people.length, indirectUnread: null })
}
const leavesEmpty = async (person: string) => {
  await house.tell(leaves(person, (await house.now()) - 1))
  await house.quiesce()
  expect(await house.groupsOf(person)).toEqual([])
}

test('a group is a rule’s no longer and its members stay: that they are ordinary members is no loss to be doubted, and a leaver’s goes', async () => {
  const people = ['P-1', 'P-2', 'P-3', 'P-4']
  await keptByRule(...people)
  await groups.setPrimary(house, null)
  for (const person of people) await house.addMember(person, 'CBS_TellerCash')
  expect(await reconciled(house, { full: true })).toMatchObject({ appeared: 4, indirectUnread: null })
  await leavesEmpty('P-1')
})

test('who became an ordinary member and could not be read in full is one, also where a later call reads only what they gained', async () => {
  await keptByRule('P-1')
  await groups.setPrimary(house, null)
  await house.addMember('P-1', 'CBS_TellerCash')
  groups.failNext(1)
  expect(await reconciled(house, { full: true })).toMatchObject({ appeared: 1, indirectUnread: 'away' })
  const reads = groups.reads()
  await groups.setPrimary(house, 'Staff_Vpn')
  await house.tell(works('P-1', (await house.now()) - 1))
  await house.quiesce()
  expect(groups.reads()).toBeGreaterThan(reads)
  await leavesEmpty('P-1')
})

test('many who became ordinary members and could not be read in full: the next run by the change log takes that for no loss', async () => {
  const people = ['P-1', 'P-2', 'P-3', 'P-4']
  await keptByRule(...people)
  await groups.setPrimary(house, null)
  for (const person of people) await house.addMember(person, 'CBS_TellerCash')
  await groups.change(house, 'CBS_TellerCash')
  groups.failNext(7)
  expect(await reconciled(house)).toMatchObject({ extent: 'delta', appeared: 4, indirectUnread: 'away' })
  await groups.change(house)
  await groups.setPrimary(house, 'Staff_Vpn')
  expect(await reconciled(house)).toMatchObject({ extent: 'delta', indirectUnread: null })
  await leavesEmpty('P-1')
})

test('what a call carries over is not verified by it: a grant that was seen since it was read is one', async () => {
  await keptByRule('P-1')
  const verified = () =>
    house.rows<{ at: number }>('select extract(epoch from last_verified_at)::float8 as at from muster.indirect')
  const before = await verified()
  await groups.setPrimary(house, null)
  await house.rows('update muster.account set indirect_read_at = null')
  await house.tell(works('P-1', (await house.now()) - 1))
  await house.quiesce()
  expect(await house.rows('select from muster.account where indirect_read_at is null')).toEqual([])
  expect(await verified()).toEqual(before)
})

test.each([
  { beside: 'after their evaluation', meanwhile: false },
  { beside: 'while their evaluation is being written down', meanwhile: true },
])(
  'a run that cannot read somebody, $beside, holds up what they were to be given: it is read first, and not by the next run',
  async ({ meanwhile }) => {
    await house.tell(works('P-1', (await house.now()) - 1000, { jobCode: 'X-1', department: 'OPS' }))
    await house.quiesce()
    await resolved(house)
    await house.tell(works('P-1', (await house.now()) - 1))
    const saved = meanwhile ? gates.stopAt('evaluate:saved') : null
    const evaluating = house.evaluateAll()
    await (saved?.reached ?? evaluating)
    await groups.setPrimary(house, 'CBS_LoanApprove')
    groups.failNext(1)
    const running = reconciled(house, { full: true })
    if (saved !== null) {
      await Promise.race([running, isWaiting()])
      saved.open()
      await evaluating
    }
    expect(await running).toMatchObject({ indirectUnread: 'away' })
    await house.quiesce()
    expect(await house.groupsOf('P-1')).toContain('App_Crm')
    expect(await house.groupsOf('P-1')).not.toContain('CBS_LoanEntry')
  },
)

/** Somebody waits for a lock. */
const isWaiting = () =>
  expect
    .poll(() =>
      house.rows(
        `select from pg_stat_activity where datname = current_database() and application_name = 'test-engine' and wait_event_type = 'Lock'`,
      ),
    )
    .not.toEqual([])

test('what a leaver still holds indirectly could not be read while they were checked: the full run that reads it tells it', async () => {
  await groups.setPrimary(house, 'Staff_Vpn')
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  await resolved(house)
  await house.tell(leaves('P-1', (await house.now()) - 1))
  await house.quiesce()
  groups.failNext(1_000)
  for (const ms of leaveChecksMs) {
    await house.shift(ms)
    await checkLeavers(house.engine, new AbortController().signal)
    await house.quiesce()
  }
  // A check that could not read it is not made.
  expect(await house.rows('select step, tries from muster.leave_check')).toEqual([{ step: 0, tries: 3 }])
  groups.failNext(0)
  const told = await reconciled(house, { full: true })
  expect(told).toMatchObject({ indirectUnread: null })
  await house.quiesce()
  await house.sweep()
  expect(await findingsOf(house)).toContain('leaver-holds-indirectly')
})

test('whoever was out of sight gets no grant between the run that sees them and its read of what they hold indirectly', async () => {
  await house.tell(works('P-1', (await house.now()) - 1000, { jobCode: 'X-1', department: 'OPS' }))
  await house.quiesce()
  await resolved(house)
  await reconciled(house)
  await groups.setPrimary(house, 'CBS_LoanApprove')
  // As a run has found it.
  await house.rows('update muster.account set out_of_sight = true, behind_at = muster.now()')
  const compared = gates.stopAt('reconcile:compared')
  const running = reconciled(house)
  await compared.reached
  await house.tell(works('P-1', await house.now()))
  await house.quiesce()
  compared.open()
  expect(await running).toMatchObject({ extent: 'delta', outOfSight: 0, indirectUnread: null })
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toContain('App_Crm')
  expect(await house.groupsOf('P-1')).not.toContain('CBS_LoanEntry')
})
