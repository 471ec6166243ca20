/**
 * A directory that follows renames by itself (the refint overlay): memberships move to the new name under our hands. And that lets
 * Muster do what docs/connectors/ldap.md asks for with `accounts: expect`, and nothing more.
 */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { allUses, type Connector, type Operation } from '../../src/connectors/connector.ts'
import type { LdapSettings } from '../../src/connectors/ldap/config.ts'
import { createLdapConnector } from '../../src/connectors/ldap/connector.ts'
import type { NativeId } from '../../src/domain/ids.ts'
import { requestShim } from '../support/ldap-requests.ts'
import { freshName } from '../support/stack.ts'
import { type LdapWorld, makeLdap, openLdapWorld, target } from './ldap-world.ts'
import { always, ensure, grant, revoke, said } from './world.ts'

/** The last block of access rules on the page, without its indentation. */
const leastRights = (): readonly string[] => {
  const page = readFileSync(new URL('../../docs/connectors/ldap.md', import.meta.url), 'utf8')
  const blocks = [...page.matchAll(/^ {3}```\n([\s\S]*?)^ {3}```$/gm)].map(([, text = '']) => text)
  return (blocks.at(-1) ?? '')
    .trimEnd()
    .split('\n')
    .map((line) => line.slice(3))
}

let world: LdapWorld
let outsider: Connector
let connector: Connector
beforeAll(async () => {
  const rights = leastRights()
  world = await openLdapWorld({
    access: [
      // Where people are put who are moved away: what stands for `ou=people`, as the page says.
      'access to dn.subtree="ou=quiet,ou=people,dc=bank,dc=example" attrs=entryCSN by * none',
      'access to dn.base="ou=closed,dc=bank,dc=example" attrs=entryCSN by * none',
      ...rights.slice(1, 3).map((line) => line.replace('ou=people', 'ou=former')),
      ...rights,
      'access to attrs=userPassword by self write by anonymous auth by * none',
      // `doctor` looks at the password policy.
      'access to dn.subtree="ou=policies,dc=bank,dc=example" by users read by * none',
    ],
    globalLines: ['moduleload refint'],
    databaseLines: ['overlay refint', 'refint_attributes member', 'refint_nothing "cn=nobody"'],
  })
  connector = makeLdap(world)
  outsider = createLdapConnector(target, world.configure({ account: { attributes: {} } }))
})
afterAll(async () => {
  await connector?.close()
  await outsider?.close()
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

test('an account that does not show its change sequence number: by that nothing is told, and doctor says so', async () => {
  const { baseDn } = world.ldap
  const peopleBase = `ou=quiet,${world.people}`
  await world.asRoot.add(peopleBase, { objectClass: 'organizationalUnit' })
  const quiet = createLdapConnector(target, world.configure({ peopleBase }))
  const hidden = `entryCSN of accounts cannot be read (${baseDn}): changes are found by listing only`
  expect((await quiet.check(always.signal)).problems).not.toContain(hidden)
  expect(await quiet.changes?.(null, always.signal)).toMatchObject({ kind: 'from-now' })
  const account = await addAccount()
  await world.asRoot.modifyDN(String((await world.entryOf(account))?.dn), `cn=${freshName()},${peopleBase}`)
  expect((await quiet.check(always.signal)).problems).toContain(hidden)
  expect(await quiet.changes?.(null, always.signal)).toEqual({ kind: 'failed', cause: 'entry-csn-hidden' })
  await quiet.close()
  // The same of the entry below which accounts are followed, where nobody stands yet.
  const searchBase = `ou=closed,${baseDn}`
  const within = `ou=people,${searchBase}`
  for (const dn of [searchBase, within]) await world.asRoot.add(dn, { objectClass: 'organizationalUnit' })
  const closed = createLdapConnector(target, world.configure({ peopleBase: within, searchBase }))
  expect((await closed.check(always.signal)).problems).toContain(hidden.replace(baseDn, searchBase))
  expect(await closed.changes?.(null, always.signal)).toEqual({ kind: 'failed', cause: 'entry-csn-hidden' })
  await closed.close()
})

test('made or changed, and no read shows it: not "surely not applied"; repeated, it is found', async () => {
  const { rootDn, rootPassword } = world.ldap
  const writing = createLdapConnector(target, world.configure({ bindDn: rootDn, bindPassword: rootPassword }))
  const [somebody, joiner] = [world.person(freshName()), world.person(freshName())]
  const [account] = (await world.addAccounts([somebody])) as [NativeId]
  const called = (familyName: string) => ({ ...somebody, worker: { ...somebody.worker, familyName } })
  for (const [operation, origin] of [
    [ensure(joiner), 'linked'],
    [ensure(called('One'), true, account), 'known'],
    [ensure(called('Two')), 'linked'],
  ] as const) {
    world.faults.atNextWrite('after-commit', async () =>
      world.proxy.watch((_, direction) => (direction === 'to-server' ? 'reset' : 'pass')),
    )
    const [lost] = await writing.apply([operation], always)
    expect(lost).toMatchObject({ kind: 'unknown', cause: { code: 'ECONNRESET' } })
    world.faults.none()
    const [found] = await writing.apply([operation], always)
    expect(found).toMatchObject({ kind: 'done', changed: false, account: { origin } })
  }
  await writing.close()
})

test('moved out of peopleBase, an account is the one that it was: read, shut, taken out, not deleted unseen', async () => {
  const [account, gone] = [await addAccount(), await addAccount()]
  const group = await world.addGroup(freshName(), [account])
  await world.asRoot.add(`ou=former,${world.ldap.baseDn}`, { objectClass: 'organizationalUnit' })
  const dn = `cn=${freshName()},ou=former,${world.ldap.baseDn}`
  await world.asRoot.modifyDN(String((await world.entryOf(account))?.dn), dn)
  await expect.poll(() => world.rawMembers(group)).toContain(dn)
  await world.asRoot.del(String((await world.entryOf(gone))?.dn))
  // Whatever another hand does to it there is told.
  const begin = await connector.changes?.(null, always.signal)
  const told = await connector.changes?.(begin?.kind === 'from-now' ? begin.cursor : '', always.signal)
  if (told?.kind !== 'changes') throw new Error(`no changes told: ${told?.kind}`)
  expect(told.accounts).toContain(account)
  expect([told.entitlements, told.accounts.includes(group.nativeId)]).toEqual([
    expect.arrayContaining([group.nativeId]),
    false,
  ])
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
  const many = Array.from({ length: 500 }, (_, at) => `cn=${at}-${freshName()},ou=former,${world.ldap.baseDn}`)
  expect(await connector.whoIs([dn, group.lookup, ...many], always.signal)).toEqual({
    kind: 'complete',
    items: [{ member: dn, account }],
    unseen: many,
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

test('the least rights: found, let in, taken out, shut and opened; no attribute is written, nobody made', async () => {
  const person = world.person(freshName())
  const [account] = (await world.addAccounts([person])) as [NativeId]
  const group = await world.addGroup(freshName())
  expect(
    await outsider.check(always.signal, { createAccounts: false, deleteAccounts: false, writes: true }),
  ).toMatchObject({
    ok: true,
  })
  const told = async (...operations: readonly Operation[]) => (await outsider.apply(operations, always)).map(said)
  expect(await told(ensure(person, false))).toEqual(['was-so'])
  expect(await told(grant(account, group), { op: 'disable', account })).toEqual(['changed', 'changed'])
  expect(await world.canSignIn(account)).toBe(false)
  expect(await told(revoke(account, group), { op: 'enable', account })).toEqual(['changed', 'changed'])
  expect(await world.canSignIn(account)).toBe(true)
  expect(await world.rawMembers(group)).not.toContain(account)
  expect(await saying([ensure(world.person(freshName()))])).toEqual(['refused:not-allowed'])
})

describe('check', () => {
  const checked = async (settings: LdapSettings, uses = allUses) => {
    const asked = createLdapConnector(target, settings)
    try {
      return await asked.check(always.signal, uses)
    } finally {
      await asked.close()
    }
  }
  const watching = { ...allUses, writes: false }

  test('no lockout policy: found before a leaver finds it', async () => {
    const [lenient, nowhere] = [1, 2].map(() => `cn=${freshName()},ou=policies,${world.ldap.baseDn}`)
    const objectClass = ['applicationProcess', 'pwdPolicy']
    await world.asRoot.add(String(lenient), { objectClass, pwdAttribute: 'userPassword', pwdLockout: 'FALSE' })
    const meaning = 'is no password policy with pwdLockout TRUE: disabled accounts could still sign in'
    for (const [passwordPolicyDn, told] of [
      [world.people, `${world.people} ${meaning}`],
      [lenient, `${lenient} ${meaning}`],
      [nowhere, `the password policy ${nowhere} cannot be read: no-such-object (32)`],
    ])
      expect(await checked(world.configure({ passwordPolicyDn }))).toMatchObject({ ok: false, problems: [told] })
  })

  test('what the server does not show: for changes alone it is needed before enforce, for reading it is a problem, else it is told', async () => {
    const hidden = new Set<string>()
    const { hostname: host, port } = new URL(world.ldap.plainUrl)
    const shim = await requestShim({ host, port: Number(port) }, (name) => (hidden.has(name) ? '1.1' : name))
    try {
      const settings = world.configure({ url: `ldap://127.0.0.1:${shim.port}` })
      hidden.add('supportedControl')
      const needed = [
        'the server does not offer the assertion control (RFC 4528)',
        'the ppolicy overlay is not active: accounts cannot be disabled',
      ]
      expect(await checked(settings, watching)).toMatchObject({ ok: true, problems: [], beforeEnforce: needed })
      expect(await checked(settings)).toMatchObject({ ok: false, problems: needed, beforeEnforce: [] })

      hidden.clear()
      for (const name of ['entryUUID', 'namingContexts', 'subschemaSubentry']) hidden.add(name)
      const { ok, problems, facts } = await checked(settings, watching)
      expect([ok, problems]).toEqual([
        false,
        [
          expect.stringMatching(/^searchBase: the root DSE does not tell .*search-base-not-told.*account-out-of-sight/),
          `${world.people}: entryUUID cannot be read`,
          `${world.groups}: entryUUID cannot be read`,
        ],
      ])
      expect(facts?.at(-1)).toMatch(/^its schema cannot be read/)
    } finally {
      await shim.close()
    }
  })
})
