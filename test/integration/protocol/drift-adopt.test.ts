/** `drift: adopt`: what somebody is let into behind Muster becomes wanted, by nobody's hand but with the reason adopted. */
import { afterEach, expect, test } from 'vitest'
import { endAdoption, planAdoption } from '../../../src/engine/adopt.ts'
import { applyPolicy } from '../../../src/engine/apply-policy.ts'
import { reconcile } from '../../../src/engine/reconcile.ts'
import { bankPolicies, type House, openHouse, target } from '../../support/house.ts'
import { findingsOf, reporting, resolved } from './behind-our-back.ts'
import { auditOf, brokenLaws } from './laws.ts'
import { leaves, lending, works } from './people.ts'

let house: House
afterEach(() => house.close())
const actor = { type: 'os-user', name: 'ida', authenticated: false } as const
const adopting = (text: string) => reporting(text).replaceAll(/^( {4})(risk: )/gm, '$1drift: adopt\n$1$2')

const open = async (...people: readonly string[]) => {
  house = await openHouse({ revised: adopting })
  for (const person of people) await house.tell(works(person, (await house.now()) - 1000))
  await house.quiesce()
  await resolved(house)
  expect(await run()).toMatchObject({ appeared: 0, missing: 0 })
}
const run = async () => {
  const told = await reconcile(house.engine, target, { actor, signal: new AbortController().signal })
  await house.quiesce()
  await house.sweep()
  return told
}
const adopted = async () =>
  (
    await house.rows<{ line: string }>(
      `select person_key || ' ' || entitlement || ' ' || adopted_by as line from auditor.adopted where ended_at is null order by 1`,
    )
  ).map(({ line }) => line)
const findings = () => findingsOf(house)

test('let in behind Muster: adopted and audited; a mover keeps it until a rule gives it, a leaver loses it, no rehire brings it back', async () => {
  await open('P-1', 'P-0')
  await house.addMember('P-1', 'Staff_Vpn')
  expect(await run()).toMatchObject({ appeared: 1 })
  expect(await adopted()).toEqual(['P-1 Staff_Vpn drift: adopt'])
  expect(await findings()).toEqual([])
  const entries = (await auditOf(house)).filter(({ kind }) => kind === 'adopted')
  expect(entries.map(({ body }) => body)).toMatchObject([{ by: 'drift: adopt', actor: { type: 'engine' } }])
  expect(await brokenLaws(house)).toEqual([])
  await house.tell(works('P-1', (await house.now()) + 1_000, { jobCode: 'X-1', department: 'OPS' }))
  await house.shift(2_000)
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toContain('Staff_Vpn')
  await house.tell(leaves('P-1', await house.now()))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
  await house.tell(works('P-1', (await house.now()) + 1_000))
  await house.shift(2_000)
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(lending)
})

test('not for a leaver, nor for what Muster took away or a human has ended before', async () => {
  await open('P-1', 'P-2', 'P-0')
  await house.tell(leaves('P-1', (await house.now()) - 1))
  await house.quiesce()
  await house.addMember('P-1', 'Staff_Vpn')
  await run()
  expect(await adopted()).toEqual([])
  expect(await house.groupsOf('P-1')).toEqual([])

  // The guard has counted all that P-1 lost.
  await house.shift(3_700_000)
  await house.addMember('P-2', 'Staff_Vpn')
  await run()
  expect(await endAdoption(house.engine, 'P-2', 'Staff_Vpn', 'certified away', actor)).toBe('ended')
  await house.quiesce()
  await house.addMember('P-2', 'Staff_Vpn')
  await run()
  expect(await adopted()).toEqual([])
  expect(await findings()).toEqual(['grant-unexplained'])

  // Of her former job, and given back by another hand.
  await house.tell(works('P-2', (await house.now()) + 1_000, { jobCode: 'X-1', department: 'OPS' }))
  await house.shift(2_000)
  await house.quiesce()
  await house.addMember('P-2', 'CBS_LoanEntry')
  await run()
  expect(await adopted()).toEqual([])
})

test('not what stands in a conflict: it is told, and goes on to be nobody’s wish', async () => {
  await open('P-1', 'P-0')
  await house.addMember('P-1', 'CBS_LoanApprove')
  await run()
  expect(await adopted()).toEqual([])
  expect(await findings()).toEqual(['grant-unexplained', 'sod-violation'])
  expect(await house.groupsOf('P-1')).toContain('CBS_LoanApprove')
})

test('taken out behind Muster is only reported; what stood there before the first list waits for a human', async () => {
  await open('P-1', 'P-0')
  await house.removeMember('P-1', 'App_Crm')
  expect(await run()).toMatchObject({ missing: 1 })
  expect(await house.groupsOf('P-1')).not.toContain('App_Crm')
  expect(await findings()).toEqual(['grant-missing'])

  await house.addAccount('P-3')
  await house.addMember('P-3', 'Staff_Vpn')
  await house.tell(works('P-3', (await house.now()) - 1000))
  await house.quiesce()
  await run()
  expect(await adopted()).toEqual([])
  expect((await planAdoption(house.engine, target)).map(({ key, stands }) => `${key} ${stands}`)).toEqual([
    'Staff_Vpn rest',
  ])
})

test('an entitlement that becomes `adopt` takes over what was only reported until then', async () => {
  house = await openHouse({ revised: reporting })
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  await resolved(house)
  await run()
  await house.addMember('P-1', 'Staff_Vpn')
  await run()
  expect(await adopted()).toEqual([])
  const files = bankPolicies(house.tree.groups).map(({ path, text }) => ({ path, text: adopting(text) }))
  await applyPolicy(house.engine, files, actor)
  await house.quiesce()
  expect(await adopted()).toEqual(['P-1 Staff_Vpn drift: adopt'])
})
