/** A directory that follows renames by itself (the refint overlay): memberships move to the new name under our hands. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Connector, Operation } from '../../src/connectors/connector.ts'
import { createLdapConnector } from '../../src/connectors/ldap/connector.ts'
import type { NativeId } from '../../src/domain/ids.ts'
import { freshName } from '../support/stack.ts'
import { type LdapWorld, makeLdap, openLdapWorld, target } from './ldap-world.ts'
import { always, grant, revoke, said } from './world.ts'

let world: LdapWorld
let connector: Connector
beforeAll(async () => {
  world = await openLdapWorld({
    globalLines: ['moduleload refint'],
    databaseLines: ['overlay refint', 'refint_attributes member', 'refint_nothing "cn=nobody"'],
  })
  connector = makeLdap(world)
})
afterAll(async () => {
  await connector?.close()
  await world?.close()
})
const saying = async (operations: readonly Operation[]) => (await connector.apply(operations, always)).map(said)
const addAccount = async () => (await world.addAccounts([world.person(freshName())]))[0] as NativeId

test('renamed between resolve and revoke: the membership that moved to the new name is revoked', async () => {
  const account = await addAccount()
  const group = await world.addGroup(freshName(), [account])
  world.faults.atNextWrite('before-commit', async () => {
    await world.rename(account)
    // refint works in the background of the rename.
    await expect.poll(() => world.membersOf(group)).toEqual([account])
  })
  expect(await saying([revoke(account, group)])).toEqual(['changed'])
  expect(await world.rawMembers(group)).toEqual(['cn=nobody'])
})

test('renamed between grant and read-back: granted once, under the new name', async () => {
  const account = await addAccount()
  const group = await world.addGroup(freshName())
  world.faults.atNextWrite('after-commit', async () => {
    await world.rename(account)
    await expect.poll(() => world.membersOf(group)).toEqual([account])
  })
  expect(await saying([grant(account, group)])).toEqual(['changed'])
  expect(await world.membersOf(group)).toEqual([account])
  expect(await world.rawMembers(group)).toHaveLength(2)
})

test('moved out of peopleBase, an account is the one that it was: read, shut, taken out, not deleted unseen', async () => {
  const [account, gone] = [await addAccount(), await addAccount()]
  const group = await world.addGroup(freshName(), [account])
  await world.asRoot.add(`ou=former,${world.ldap.baseDn}`, { objectClass: 'organizationalUnit' })
  const dn = `cn=${freshName()},ou=former,${world.ldap.baseDn}`
  await world.asRoot.modifyDN(String((await world.entryOf(account))?.dn), dn)
  await expect.poll(() => world.rawMembers(group)).toContain(dn)
  await world.asRoot.del(String((await world.entryOf(gone))?.dn))
  expect(await connector.accounts([account, gone], always.signal)).toMatchObject({
    kind: 'complete',
    items: [{ nativeId: account, name: dn }],
  })
  expect(await connector.grantsOf([account, gone], always.signal)).toMatchObject({
    kind: 'complete',
    items: [{ account, entitlement: { nativeId: group.nativeId } }],
  })
  const nowhere = `cn=${freshName()},ou=former,${world.ldap.baseDn}`
  expect(await connector.whoIs([dn, group.lookup, nowhere], always.signal)).toEqual({
    kind: 'complete',
    items: [{ member: dn, account }],
    unseen: [nowhere],
  })
  const deletions = [account, gone].map((one) => ({ op: 'deleteAccount', account: one }) as const)
  expect((await connector.observe(deletions, always)).map(said)).toEqual(['not-so', 'was-so'])
  expect(await saying([revoke(account, group), { op: 'disable', account }])).toEqual(['changed', 'changed'])
  expect(await world.entryOf(account)).toMatchObject({ dn, pwdAccountLockedTime: '000001010000Z' })
  expect(await world.rawMembers(group)).not.toContain(dn)
})

test('where Muster may not look beyond peopleBase, one who is out of sight is not gone, and the others are who they are', async () => {
  // No database of this server is at that name: every search there is answered with 32.
  const blind = createLdapConnector(target, world.configure({ searchBase: 'dc=example' }))
  try {
    const [here, away, lost] = [await addAccount(), await addAccount(), await addAccount()]
    const group = await world.addGroup(freshName(), [here])
    await world.asRoot.del(String((await world.entryOf(lost))?.dn))
    expect(await blind.accounts([here, lost], always.signal)).toMatchObject({
      kind: 'partial',
      items: [{ nativeId: here, enabled: true }],
    })
    expect(await blind.grantsOf([lost, here], always.signal)).toMatchObject({
      kind: 'partial',
      items: [{ account: here, entitlement: { nativeId: group.nativeId } }],
    })
    const outcomes = await blind.apply([{ op: 'disable', account: lost }, revoke(here, group)], always)
    expect(outcomes.map(said)).toEqual(['refused:configuration', 'changed'])
    expect(outcomes[0]).toMatchObject({ cause: { code: '32', word: 'account-out-of-sight' } })

    const unit = `ou=${freshName()},${world.ldap.baseDn}`
    await world.asRoot.add(unit, { objectClass: 'organizationalUnit' })
    const dn = `cn=${freshName()},${unit}`
    world.faults.atNextWrite('after-commit', async () => {
      await world.asRoot.modifyDN(String((await world.entryOf(away))?.dn), dn)
      await expect.poll(() => world.rawMembers(group)).toContain(dn)
    })
    expect(await blind.apply([grant(away, group)], always)).toMatchObject([
      { kind: 'unknown', cause: { word: 'unverified-no-such-object' } },
    ])
    expect((await blind.check(always.signal)).problems.join()).toContain('account-out-of-sight')
  } finally {
    await blind.close()
  }
})
