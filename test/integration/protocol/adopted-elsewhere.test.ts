/** An adoption keeps what stands on the account that was looked at, and is no reason to give it to another one (ADR 0017, 0022). */
import { afterEach, expect, test } from 'vitest'
import type { NativeId } from '../../../src/domain/ids.ts'
import { applyAdoption } from '../../../src/engine/adopt.ts'
import { linkAccount, unlinkAccount } from '../../../src/engine/link.ts'
import { reconcile } from '../../../src/engine/reconcile.ts'
import { type House, openHouse, target } from '../../support/house.ts'
import { asDirectoryRoot } from '../../support/stack.ts'
import { reporting, resolved } from './behind-our-back.ts'
import { works } from './people.ts'

let house: House
afterEach(() => house.close())
const actor = { type: 'os-user', name: 'ida', authenticated: false } as const
const act = () => ({
  person: 'P-1',
  target,
  reason: 'a namesake',
  actor,
  signal: new AbortController().signal,
})
const run = async (acceptShrunken = false) => {
  await reconcile(house.engine, target, { actor, acceptShrunken, signal: new AbortController().signal })
  await house.quiesce()
}
const following = (text: string) =>
  /^ {2}App_RiskDesk:/m.test(text)
    ? `${text}\nimplications:\n  risk-desk: { holds: App_RiskDesk, grants: { entitlements: [Staff_Vpn] } }\n`
    : text

/** P-1 was linked to a namesake's account, a human has mended that: what of the namesake's did P-1's own account get? */
const movedToTheirOwn = async () => {
  await house.addAccount('OWN-1', { uid: 'own' })
  expect(await unlinkAccount(house.engine, act())).toMatchObject({ kind: 'unlinked' })
  expect(await house.rows('select from muster.adopted where ended_at is null')).toEqual([])
  const own = String(await house.idOf('OWN-1')) as NativeId
  expect(await linkAccount(house.engine, { ...act(), account: own })).toMatchObject({ kind: 'linked' })
  await house.quiesce()
  const groups = await house.groupsOf('OWN-1')
  expect(groups).toContain('Staff_Intranet')
  return groups
}

test('what a human adopted of an account that was somebody else’s is not given to the person’s own account', async () => {
  house = await openHouse({ revised: following })
  await house.addAccount('P-1')
  await house.addMember('P-1', 'App_RiskDesk')
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  expect((await applyAdoption(house.engine, target, 'day one', actor)).map(({ key }) => key)).toEqual(['App_RiskDesk'])
  await house.quiesce()
  const groups = await movedToTheirOwn()
  expect(groups).not.toContain('App_RiskDesk')
  expect(groups).not.toContain('Staff_Vpn')
})

test('what drift: adopt took over of an account that was somebody else’s is not given to the person’s own account', async () => {
  const adopting = (text: string) => reporting(text).replaceAll(/^( {4})(risk: )/gm, '$1drift: adopt\n$1$2')
  house = await openHouse({ revised: adopting })
  await house.addAccount('P-1')
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  await resolved(house)
  await run()
  await house.addMember('P-1', 'App_RiskDesk')
  await run()
  expect(await house.rows('select from muster.adopted')).toHaveLength(1)
  expect(await movedToTheirOwn()).not.toContain('App_RiskDesk')
})

test('what was adopted and taken away with the whole account is not given to the next one', async () => {
  house = await openHouse()
  await house.addAccount('P-1')
  await house.addMember('P-1', 'App_RiskDesk')
  for (const person of ['P-1', 'P-2', 'P-3', 'P-4', 'P-5', 'P-6'])
    await house.tell(works(person, (await house.now()) - 1000))
  await house.quiesce()
  expect((await applyAdoption(house.engine, target, 'day one', actor)).map(({ key }) => key)).toEqual(['App_RiskDesk'])
  await house.quiesce()
  await run()
  for (const group of await house.groupsOf('P-1')) await house.removeMember('P-1', group)
  const dn = (await house.account('P-1'))?.dn ?? ''
  await asDirectoryRoot(house.ldap, (client) => client.del(dn))
  await run(true)
  expect(await house.rows('select from muster.account where gone_at is not null')).toHaveLength(1)
  expect(await movedToTheirOwn()).not.toContain('App_RiskDesk')
})
