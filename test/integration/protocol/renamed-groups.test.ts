/** A group may be renamed or moved on its target under our hands: what is taken away is the group, not its name. */
import { afterEach, expect, test } from 'vitest'
import { defaultGuardLimits } from '../../../src/planning/guard.ts'
import { type House, openHouse } from '../../support/house.ts'
import { asDirectoryRoot } from '../../support/stack.ts'
import { approverJob, leaves, works } from './people.ts'

let house: House
afterEach(() => house.close())

const unlimited = { absolute: null, percent: null }
const renameGroup = (from: string, to: string) =>
  asDirectoryRoot(house.ldap, (client) => client.modifyDN(house.groupDn(from), `cn=${to}`))
const notDone = () =>
  house.rows(`select kind, state, outcome from muster.action where state not in ('done', 'superseded')`)

test('a managed group was renamed: a leaver leaves it', async () => {
  house = await openHouse()
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  await renameGroup('CBS_LoanEntry', 'CBS_LoanEntry2')
  await house.tell(leaves('P-1', await house.now()))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
  expect(await notDone()).toEqual([])
})

test('another group has its name now: a leaver leaves the one that was meant', async () => {
  house = await openHouse()
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  await renameGroup('CBS_LoanEntry', 'CBS_Old')
  await house.addGroups([house.groupDn('CBS_LoanEntry')])
  await house.tell(leaves('P-1', await house.now()))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
  expect(await notDone()).toEqual([])
})

test('renamed under a wave of movers, more than are asked one by one: all leave it', async () => {
  house = await openHouse({ target: { guard: { ...defaultGuardLimits, revokes: unlimited } } })
  const people = Array.from({ length: 12 }, (_, at) => `P-${at}`)
  for (const person of people) await house.tell(works(person, (await house.now()) - 1000))
  await house.quiesce()
  await renameGroup('CBS_LoanEntry', 'CBS_LoanEntry2')
  for (const person of people)
    await house.tell(works(person, await house.now(), { jobCode: 'NONE', department: 'NONE' }))
  await house.quiesce()
  for (const person of people) expect(await house.groupsOf(person)).not.toContain('CBS_LoanEntry2')
  expect(await notDone()).toEqual([])
})

test('an unmanaged group was renamed since it was seen: a leaver leaves it', async () => {
  house = await openHouse()
  await house.addGroups([`cn=Secret,${house.tree.groups}`])
  await house.addAccount('P-1')
  await house.addMember('P-1', 'Secret')
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  await renameGroup('Secret', 'Secret2')
  await house.tell(leaves('P-1', await house.now()))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
  expect(await notDone()).toEqual([])
})

test('what is in no catalogue takes the name that a read sees', async () => {
  house = await openHouse()
  await house.addGroups([`cn=Secret,${house.tree.groups}`])
  const seen = async (person: string, group: string) => {
    await house.addAccount(person)
    await house.addMember(person, group)
    await house.tell(works(person, (await house.now()) - 1000))
    await house.quiesce()
    return house.rows(`select lookup, lookup_key from muster.entitlement where key is null`)
  }
  await seen('P-1', 'Secret')
  await renameGroup('Secret', 'Secret2')
  expect(await seen('P-2', 'Secret2')).toEqual([
    { lookup: house.groupDn('Secret2'), lookup_key: house.groupDn('Secret2').toLowerCase() },
  ])
})

test('a renamed group is given to nobody: the catalogue names what it means', async () => {
  house = await openHouse()
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  await renameGroup('CBS_LoanEntry', 'CBS_LoanEntry2')
  await house.tell(works('P-2', (await house.now()) - 1000))
  await house.quiesce()
  expect(await house.groupsOf('P-2')).not.toContain('CBS_LoanEntry2')
  expect(await house.rows(`select kind from muster.finding where closed_at is null`)).toEqual([
    { kind: 'entitlement-missing' },
  ])
  // Who moves away from it leaves it by whatever name.
  await house.tell(works('P-1', await house.now(), approverJob))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).not.toContain('CBS_LoanEntry2')
  expect(await house.groupsOf('P-1')).toContain('CBS_LoanApprove')
})
