/** What only an LDAP directory does: names that dangle, groups that may not be empty, values refused one by one. */
import { randomUUID } from 'node:crypto'
import { Attribute, Change } from 'ldapts'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Connector, Operation } from '../../src/connectors/connector.ts'
import { createLdapConnector } from '../../src/connectors/ldap/connector.ts'
import type { NativeId } from '../../src/domain/ids.ts'
import type { Outcome } from '../../src/domain/outcome.ts'
import { freshName } from '../support/stack.ts'
import type { Verdict } from '../support/tcp-proxy.ts'
import { findsKeyless } from './keyless-accounts.ts'
import { keylessLdap } from './ldap-keyless.ts'
import { type LdapWorld, makeLdap, openLdapWorld, target } from './ldap-world.ts'
import { always, ensure, grant, revoke, said } from './world.ts'

let world: LdapWorld
let connector: Connector
beforeAll(async () => {
  // `!` in a member's DN is refused by the server, value by value.
  world = await openLdapWorld({
    globalLines: ['moduleload constraint'],
    databaseLines: ['overlay constraint', 'constraint_attribute member regex "^[^!]*$"'],
  })
  connector = makeLdap(world)
})
afterEach(() => world.faults.none())
afterAll(async () => {
  await connector?.close()
  await world?.close()
})

const apply = (operations: readonly Operation[]) => connector.apply(operations, always)
const saying = async (operations: readonly Operation[]) => (await apply(operations)).map(said)
const person = (label?: string) => world.person(freshName(), label)
const addAccount = async (label?: string) => (await world.addAccounts([person(label)]))[0] as NativeId
const addAccounts = (count: number) => world.addAccounts(Array.from({ length: count }, () => person()))
const dnOf = async (id: NativeId) => (await world.entryOf(id))?.dn ?? ''
const grantsOf = (outcome: Outcome | undefined) => (outcome?.kind === 'done' ? outcome.grants : undefined)
const change = (operation: 'add' | 'delete' | 'replace', type: string, values: string[]) =>
  new Change({ operation, modification: new Attribute({ type, values }) })

findsKeyless(() => keylessLdap(world))

test('a list with the mail address of a person is no account', async () => {
  const somebody = person()
  const objectClass = ['organizationalUnit', 'extensibleObject']
  const mail = String(somebody.worker.workEmail)
  await world.asRoot.add(`ou=${freshName()},${world.people}`, { objectClass, mail, givenName: 'Given' })
  const alternatives = [{ property: 'mail', template: '{workEmail}', verify: { givenName: '{givenName}' } }]
  const other = createLdapConnector(target, world.configure({ alternatives }))
  const outcomes = await other.apply([ensure(somebody, false)], always)
  await other.close()
  expect(outcomes.map(said)).toEqual(['refused:account-missing'])
})

test('names that the directory does not know are told: a search by one finds nobody, without a word', async () => {
  const account = {
    rdn: 'uid={username}',
    objectClasses: ['inetOrgPersn'],
    attributes: { cn: 'x', MAIL: 'y', mial: 'z' },
  }
  const alternatives = [
    { property: 'maill', template: '{workEmail}', verify: { sn: '{familyName}', gvenName: '{givenName}' } },
  ]
  const mistyped = { correlation: 'employeeNumbr', alternatives, account, group: { memberAttribute: 'membr' } }
  const other = createLdapConnector(target, world.configure(mistyped))
  const { problems } = await other.check(always.signal)
  await other.close()
  expect(problems).toEqual([
    "correlation: the directory's schema has no attribute employeeNumbr",
    "alternatives: the directory's schema has no attribute maill",
    "alternatives: the directory's schema has no attribute gvenName",
    "account.attributes: the directory's schema has no attribute mial",
    "group.memberAttribute: the directory's schema has no attribute membr",
    "account.objectClasses: the directory's schema has no object class inetOrgPersn",
  ])
})

describe('a DN is not a person', () => {
  test('deleted between resolve and write: not granted, and no name is left in the group', async () => {
    const account = await addAccount()
    const group = await world.addGroup(freshName())
    const dn = await dnOf(account)
    world.faults.atNextWrite('before-commit', () => world.asRoot.del(dn))
    expect(await saying([grant(account, group)])).toEqual(['refused:account-missing'])
    expect(await world.rawMembers(group)).toEqual(['cn=nobody'])
  })

  test('renamed, and somebody else takes the name at once: the other gets nothing', async () => {
    const somebody = person()
    const [account] = (await world.addAccounts([somebody])) as [NativeId]
    const group = await world.addGroup(freshName())
    const other = { key: freshName(), worker: { ...somebody.worker, username: freshName() } }
    let thief: NativeId | undefined
    world.faults.atNextWrite('before-commit', async () => {
      await world.rename(account)
      thief = (await world.addAccounts([other]))[0]
    })
    expect(await saying([grant(account, group)])).toEqual(['changed'])
    expect(thief).toBeDefined()
    expect(await world.membersOf(group)).toEqual([account])
  })

  test('renamed again and again: given up for now, and no old name is left in the group', async () => {
    const account = await addAccount()
    const group = await world.addGroup(freshName())
    let names = 0
    const renameAgain = async () => {
      names += 1
      await world.asRoot.modifyDN(await dnOf(account), `cn=name ${names} ${freshName()}`)
      if (names < 2) world.faults.atNextWrite('before-commit', skipRemoval)
    }
    /** The removal of the old name comes first; the next write is the grant under the new one. */
    const skipRemoval = async () => world.faults.atNextWrite('before-commit', renameAgain)
    world.faults.atNextWrite('before-commit', renameAgain)
    expect(await apply([grant(account, group)])).toMatchObject([
      { kind: 'retry', cause: { word: 'renamed-meanwhile' } },
    ])
    expect(await world.rawMembers(group)).toEqual(['cn=nobody'])
  })

  test('renamed between resolve and revoke: nothing is left, under no name', async () => {
    const account = await addAccount()
    const group = await world.addGroup(freshName(), [account])
    world.faults.atNextWrite('before-commit', () => world.rename(account))
    expect(await saying([revoke(account, group)])).toEqual(['changed'])
    expect(await world.rawMembers(group)).toEqual(['cn=nobody'])
  })

  test.each([1, 20])(
    'renamed between the reads of %i accounts and of their groups, and somebody else takes the name: not told',
    async (others) => {
      const somebody = person()
      const [account] = (await world.addAccounts([somebody])) as [NativeId]
      const rest = Array.from({ length: others }, () => person())
      await world.addAccounts(rest)
      const group = await world.addGroup(freshName())
      const dn = await dnOf(account)
      world.proxy.watch(async (bytes, direction): Promise<Verdict> => {
        if (direction === 'to-client' || !bytes.includes(world.groups)) return 'pass'
        world.proxy.watch(null)
        await world.rename(account)
        await world.addAccounts([{ key: freshName(), worker: { ...somebody.worker, username: freshName() } }])
        await world.asRoot.modify(group.lookup, change('add', 'member', [dn]))
        return 'pass'
      })
      const outcomes = await connector.observe([ensure(somebody), ...rest.map((one) => ensure(one))], always)
      expect(outcomes[0]).toEqual({ kind: 'unknown', cause: { code: '', word: 'renamed-meanwhile' } })
      expect(outcomes.slice(1).map(said)).toEqual(rest.map(() => 'was-so'))
    },
  )

  test('a group that still lists a deleted namesake does not make the newcomer a member: not created', async () => {
    const predecessor = person('Same Name')
    const [account] = (await world.addAccounts([predecessor])) as [NativeId]
    const group = await world.addGroup(freshName(), [account])
    await world.asRoot.del(await dnOf(account))
    expect(await world.membersOf(group)).toEqual([])
    expect((await connector.observe([grant(account, group)], always)).map(said)).toEqual(['refused:account-missing'])

    const newcomer = { key: freshName(), worker: { ...predecessor.worker, username: freshName() } }
    expect(await apply([ensure(newcomer)])).toMatchObject([
      { kind: 'refused', reason: 'name-taken', cause: { word: 'name-left-in-groups' } },
    ])
    expect(await world.accountsOf(newcomer)).toEqual([])
  })

  test('a member written with another spelling of the DN is the same member, in small and large batches', async () => {
    const accounts = await addAccounts(12)
    const group = await world.addGroup(freshName())
    const shout = (dn: string) => dn.toUpperCase().replaceAll(',', ' , ')
    const dns = await Promise.all(accounts.map(dnOf))
    await world.asRoot.modify(group.lookup, change('add', 'member', dns.map(shout)))
    expect(await saying([grant(accounts[0] as NativeId, group)])).toEqual(['was-so'])
    expect(await saying(accounts.map((account) => grant(account, group)))).toEqual(accounts.map(() => 'was-so'))
    expect((await connector.grantsOf(accounts, always.signal)).items).toHaveLength(12)
    expect(await saying(accounts.map((account) => revoke(account, group)))).toEqual(accounts.map(() => 'changed'))
    expect(await world.rawMembers(group)).toEqual(['cn=nobody'])
  })
})

describe('accounts', () => {
  test('the name is looked for below the whole base, not only where the account would be', async () => {
    const holder = person()
    await world.asRoot.add(`ou=elsewhere,${world.people}`, { objectClass: 'organizationalUnit', ou: 'elsewhere' })
    await world.asRoot.add(`cn=${holder.worker.displayName},ou=elsewhere,${world.people}`, {
      objectClass: 'inetOrgPerson',
      cn: String(holder.worker.displayName),
      sn: 'x',
      employeeNumber: freshName(),
    })
    expect(await saying([ensure(holder)])).toEqual(['refused:name-taken'])
  })

  test('two newcomers of one name: one is created, the other refused', async () => {
    const first = person()
    const second = { key: freshName(), worker: { ...first.worker, username: freshName() } }
    const words = await saying([ensure(first), ensure(second)])
    expect([...words].sort()).toEqual(['changed', 'refused:name-taken'])
  })

  test('keys that differ only in case are one to the directory: never guessed', async () => {
    const lower = person()
    await world.addAccounts([lower])
    const upper = { key: lower.key.toUpperCase(), worker: lower.worker }
    expect(await saying([ensure(upper)])).toEqual(['refused:account-ambiguous'])
    const [one, other] = [person(), person()]
    expect(await saying([ensure(one), ensure({ ...other, key: one.key.toUpperCase() })])).toEqual([
      'refused:account-ambiguous',
      'refused:account-ambiguous',
    ])
  })

  test('an attribute that HR no longer tells is removed; one of several values is set as a whole', async () => {
    const settings = world.configure({
      account: {
        rdn: 'cn={displayName}',
        attributes: { sn: '{familyName}', title: '{jobTitle}', mail: ['{workEmail}', '{username}@alias.example'] },
      },
    })
    const other = createLdapConnector(target, settings)
    const somebody = person()
    const titled = { key: somebody.key, worker: { ...somebody.worker, jobTitle: 'Clerk' } }
    const [created] = await other.apply([ensure(titled)], always)
    const account = created?.kind === 'done' ? created.evidence.account : undefined
    const [updated] = await other.apply([ensure(somebody, true, account)], always)
    expect(said(updated)).toBe('changed')
    const entry = await world.entryOf(account as NativeId)
    expect(entry?.title).toBeUndefined()
    expect(entry?.mail).toEqual([somebody.worker.workEmail, `${somebody.worker.username}@alias.example`])
    expect(updated?.kind === 'done' && updated.account?.attributesHash).toBe(other.attributesHash(somebody.worker))
    await other.close()
  })

  test('a passing lockout is not a disabled account; disabling makes it last', async () => {
    const account = await addAccount()
    await world.asRoot.modify(await dnOf(account), change('replace', 'pwdAccountLockedTime', ['20200101000000Z']))
    expect((await connector.observe([{ op: 'disable', account }], always)).map(said)).toEqual(['not-so'])
    expect(await saying([{ op: 'disable', account }])).toEqual(['changed'])
    expect((await world.entryOf(account))?.pwdAccountLockedTime).toBe('000001010000Z')
  })

  test('opened while it is being deleted: the server compares, and it stays', async () => {
    const account = await addAccount()
    await apply([{ op: 'disable', account }])
    const dn = await dnOf(account)
    world.faults.atNextWrite('before-commit', () =>
      world.asRoot.modify(dn, change('delete', 'pwdAccountLockedTime', [])),
    )
    expect(await saying([{ op: 'deleteAccount', account }])).toEqual(['retry'])
    expect(await saying([{ op: 'deleteAccount', account }])).toEqual(['refused:protected'])
    expect(await world.canSignIn(account)).toBe(true)
  })

  test('not deleted while a group has it; put into one in that moment, its name is told to be left behind', async () => {
    const account = await addAccount()
    const group = await world.addGroup(freshName(), [account])
    await apply([{ op: 'disable', account }])
    const operation = { op: 'deleteAccount', account } as const
    const refusal = { kind: 'refused', reason: 'protected', cause: { word: 'has-grants' } }
    expect(await apply([operation])).toMatchObject([refusal])
    expect(await saying([revoke(account, group)])).toEqual(['changed'])
    const dn = await dnOf(account)
    world.faults.atNextWrite('before-commit', () => world.asRoot.modify(group.lookup, change('add', 'member', [dn])))
    const outcome = { kind: 'done', changed: true, unfinished: [{ word: 'member-left-behind' }] }
    expect(await apply([operation])).toMatchObject([outcome])
  })

  test('more than 2,000 keys are read by pages', async () => {
    const ids = await addAccounts(1_100)
    const gone = Array.from({ length: 1_000 }, () => randomUUID() as NativeId)
    const requests = await world.requestsOf(async () => {
      const read = await connector.accounts([...gone, ...ids], always.signal)
      expect(read.kind).toBe('complete')
      expect(read.items.map(({ nativeId }) => nativeId)).toEqual(ids)
    })
    // The gone are looked for once more, everywhere: one by one 42 searches and more.
    expect(requests.length).toBeLessThan(30)
  })
})

describe('groups', () => {
  test('the last member leaves a group that may not be empty; the placeholder is nobody', async () => {
    const account = await addAccount()
    const name = freshName()
    const lookup = `cn=${name},${world.groups}`
    await world.asRoot.add(lookup, { objectClass: 'groupOfNames', cn: name, member: await dnOf(account) })
    const [resolved] = await connector.resolveEntitlements([{ id: 1 as never, lookup, nativeId: null }], always.signal)
    const group = { lookup, nativeId: resolved?.kind === 'found' ? resolved.nativeId : ('' as NativeId) }
    expect(await saying([revoke(account, group)])).toEqual(['changed'])
    expect(await world.rawMembers(group)).toEqual(['cn=nobody'])
  })

  test('one refused value of a hundred fails alone', async () => {
    const good = await addAccounts(99)
    const bad = await addAccount('not welcome!')
    const group = await world.addGroup(freshName())
    const accounts = [...good.slice(0, 42), bad, ...good.slice(42)]
    const words = await saying(accounts.map((account) => grant(account, group)))
    expect(words).toEqual(accounts.map((account) => (account === bad ? 'refused:invalid' : 'changed')))
    expect([...(await world.membersOf(group))].sort()).toEqual([...good].sort())
  })

  test('a target that refuses all of a batch is not asked for every value', async () => {
    const accounts = await addAccounts(200)
    const reader = await addAccount()
    const group = await world.addGroup(freshName(), accounts.slice(0, 1))
    const other = createLdapConnector(
      target,
      world.configure({ bindDn: await dnOf(reader), bindPassword: 'a password that works' }),
    )
    let words: string[] = []
    const requests = await world.requestsOf(async () => {
      words = (
        await other.apply(
          accounts.map((account) => grant(account, group)),
          always,
        )
      ).map(said)
    })
    expect(new Set(words)).toEqual(new Set(['refused:not-allowed', 'retry']))
    expect(requests.filter((name) => name === 'modify').length).toBeLessThan(100)
    await other.close()
  })

  test('outside the base for groups nothing is granted or revoked: no read there would show it', async () => {
    const account = await addAccount()
    const lookup = `cn=${freshName()},${world.ldap.baseDn}`
    await world.asRoot.add(lookup, {
      objectClass: 'groupOfNames',
      cn: lookup.slice(3).split(',')[0] ?? '',
      member: await dnOf(account),
    })
    const { nativeId } = await world.addGroup(freshName())
    for (const pinned of [true, false]) {
      const operations = [grant(account, { lookup, nativeId }, pinned), revoke(account, { lookup, nativeId }, pinned)]
      expect(await saying(operations)).toEqual(['refused:configuration', 'refused:configuration'])
    }
  })
})

describe('the calls that it takes', () => {
  test('a leaver of three groups: one resolve, four changes, two reads side by side', async () => {
    const account = await addAccount()
    const groups = await Promise.all([1, 2, 3].map(() => world.addGroup(freshName(), [account])))
    const unmanaged = await world.addGroup(freshName(), [account])
    await apply([{ op: 'enable', account }])
    let outcomes: readonly Outcome[] = []
    const requests = await world.requestsOf(async () => {
      outcomes = await apply([...groups.map((group) => revoke(account, group)), { op: 'disable', account }])
    })
    expect(outcomes.map(said)).toEqual(['changed', 'changed', 'changed', 'changed'])
    expect(grantsOf(outcomes[3])).toEqual([{ nativeId: unmanaged.nativeId, name: unmanaged.lookup }])
    expect(requests.filter((name) => name !== 'bind')).toEqual([
      'search',
      'modify',
      'modify',
      'modify',
      'modify',
      'search',
      'search',
    ])
  })

  test('access ends before anything else: the first change of a batch disables', async () => {
    const account = await addAccount()
    const group = await world.addGroup(freshName(), [account])
    let lockedFirst = false
    let writes = 0
    world.proxy.watch((bytes, direction) => {
      if (direction === 'to-server' && bytes.includes('pwdAccountLockedTime') && bytes.includes('000001010000Z'))
        lockedFirst = writes === 0
      if (direction === 'to-server' && bytes.includes('member') && bytes.includes(group.lookup)) writes += 1
      return 'pass'
    })
    await apply([revoke(account, group), { op: 'disable', account }])
    world.proxy.watch(null)
    expect({ lockedFirst, writes }).toEqual({ lockedFirst: true, writes: 1 })
  })

  test('five hundred grants of one group are one change, read back by the group once', async () => {
    const accounts = await addAccounts(500)
    const group = await world.addGroup(freshName())
    const fresh = makeLdap(world)
    let words: string[] = []
    const requests = await world.requestsOf(async () => {
      words = (
        await fresh.apply(
          accounts.map((account) => grant(account, group)),
          always,
        )
      ).map(said)
    })
    expect(new Set(words)).toEqual(new Set(['changed']))
    expect(requests.filter((name) => name === 'modify')).toHaveLength(1)
    // Ten searches resolve, ten prove the names, one reads the group.
    expect(requests.filter((name) => name === 'search')).toHaveLength(21)
    await fresh.close()
  })

  test('names so long that five hundred do not fit are sent in more changes', async () => {
    const accounts = await world.addAccounts(Array.from({ length: 500 }, () => person('long '.repeat(40))))
    const group = await world.addGroup(freshName())
    const fresh = makeLdap(world)
    let words: string[] = []
    const requests = await world.requestsOf(async () => {
      words = (
        await fresh.apply(
          accounts.map((account) => grant(account, group)),
          always,
        )
      ).map(said)
    })
    expect(new Set(words)).toEqual(new Set(['changed']))
    expect(requests.filter((name) => name === 'modify').length).toBeGreaterThanOrEqual(2)
    expect([...(await world.membersOf(group))].sort()).toEqual([...accounts].sort())
    await fresh.close()
  })
})

test('knows its own entry', async () => {
  const { bindDn } = world.settings
  const own = () => createLdapConnector(target, world.settings).own?.(always.signal)
  const nativeId = (await world.asRoot.search(bindDn, { scope: 'base', attributes: ['entryUUID'] })).searchEntries[0]
    ?.entryUUID
  expect(await own()).toEqual({ kind: 'complete', items: [{ kind: 'account', nativeId }] })
  await world.faults.down()
  try {
    expect(await own()).toMatchObject({ kind: 'partial', items: [] })
  } finally {
    await world.faults.up()
  }
})
