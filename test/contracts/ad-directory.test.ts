/** What only Active Directory does: GUIDs as names, bits that share an attribute, primary groups, pieces of lists, leavers that move. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createAdConnector } from '../../src/connectors/ad/connector.ts'
import { createDomainControllers } from '../../src/connectors/ad/domain-controllers.ts'
import { indirectGrantsOf } from '../../src/connectors/ad/indirect-grants.ts'
import type { Connector, MemberList, Operation } from '../../src/connectors/connector.ts'
import type { EntitlementId, NativeId } from '../../src/domain/ids.ts'
import { requestShim } from '../support/ldap-requests.ts'
import { freshName } from '../support/stack.ts'
import { type AdWorld, adTools, change, makeAd, openAdWorld, target } from './ad-world.ts'
import { accountOf, always, ensure, type Group, grant, grantsOf, revoke, said, sorted } from './world.ts'

let world: AdWorld
let connector: Connector
beforeAll(async () => {
  world = await openAdWorld()
  connector = makeAd(world)
})
afterEach(() => world.faults.none())
afterAll(async () => {
  await connector?.close()
  await world?.close()
})

const apply = (operations: readonly Operation[]) => connector.apply(operations, always)
const saying = async (operations: readonly Operation[]) => (await apply(operations)).map(said)
const person = (label?: string) => world.person(freshName(), label)
const addAccount = async () => (await world.addAccounts([person()]))[0] as NativeId
const addAccounts = (count: number) => world.addAccounts(Array.from({ length: count }, () => person()))
const controlOf = async (id: NativeId) => Number((await world.entryOf(id))?.userAccountControl)
const modify = (id: NativeId, operation: 'add' | 'delete' | 'replace', type: string, values: string[]) =>
  world.asRoot.modify(`<GUID=${id}>`, change(operation, type, values))
const using = async <T>(
  changes: Readonly<Record<string, unknown>>,
  work: (connector: Connector) => Promise<T>,
): Promise<T> => {
  const other = createAdConnector(target, world.configure(changes), adTools)
  try {
    return await work(other)
  } finally {
    await other.close()
  }
}
const listOf = async (from: Connector, group: Group): Promise<MemberList | undefined> => {
  const ref = { id: 1 as EntitlementId, lookup: group.lookup, nativeId: group.nativeId }
  for await (const list of from.membersOf([ref], always.signal)) return list
  return undefined
}
const wellKnown = (name: string) => `CN=${name},CN=Users,${world.ad.baseDn}`
const known = async (name: string): Promise<Group> => ({
  lookup: wellKnown(name),
  nativeId: await world.idAt(wellKnown(name)),
})

describe('names change, GUIDs do not', () => {
  test('moved to another OU between resolve and write: granted and disabled all the same', async () => {
    const account = await addAccount()
    const group = await world.addGroup(freshName())
    world.faults.atNextWrite('before-commit', async () => {
      const dn = (await world.entryOf(account))?.dn ?? ''
      await world.asRoot.modifyDN(dn, `${dn.slice(0, dn.indexOf(','))},${world.leavers}`)
    })
    expect(await saying([grant(account, group), { op: 'disable', account }])).toEqual(['changed', 'changed'])
    expect(await world.rawMembers(group)).toEqual([(await world.entryOf(account))?.dn])
    expect(await controlOf(account)).toBe(514)
  })

  test('a group that was renamed: not granted under its old name, revoked all the same', async () => {
    const [account, other] = (await addAccounts(2)) as [NativeId, NativeId]
    const group = await world.addGroup(freshName(), [account])
    await world.asRoot.modifyDN(group.lookup, `CN=${freshName()},${world.groups}`)
    expect(await apply([grant(other, group), revoke(account, group)])).toMatchObject([
      { kind: 'refused', reason: 'entitlement-missing', cause: { word: 'group-renamed' } },
      { kind: 'done', changed: true },
    ])
    const byGuid = { ...group, lookup: `<GUID=${group.nativeId.toUpperCase()}>` }
    expect(await saying([grant(other, byGuid)])).toEqual(['changed'])
    expect(await world.membersOf(group)).toEqual([other])
  })

  test('a group elsewhere is not granted; a leaver still loses it', async () => {
    const account = await addAccount()
    const name = `CN=${freshName()},${world.leavers}`
    await world.asRoot.add(name, { objectClass: 'group', member: `<GUID=${account}>` })
    const outside = { lookup: name, nativeId: await world.idAt(name) }
    expect(await apply([grant(account, outside)])).toMatchObject([
      { kind: 'refused', reason: 'configuration', cause: { word: 'outside-groups-base' } },
    ])
    expect(grantsOf((await apply([{ op: 'disable', account }]))[0])).toEqual([outside.nativeId])
    expect(await connector.resolveEntitlements([{ id: 1 as EntitlementId, ...outside }], always.signal)).toEqual([
      { kind: 'failed', cause: 'outside-groups-base' },
    ])
  })
})

describe('a batch is all or nothing', () => {
  test('one got in meanwhile, one is gone: they answer for themselves, the others are let in', async () => {
    const crowd = await addAccounts(40)
    const [early, gone] = [crowd[7] as NativeId, crowd[21] as NativeId]
    const group = await world.addGroup(freshName())
    world.faults.atNextWrite('before-commit', async () => {
      await world.asRoot.modify(group.lookup, change('add', 'member', [`<GUID=${early}>`]))
      await world.asRoot.del(`<GUID=${gone}>`)
    })
    const words = await saying(crowd.map((account) => grant(account, group)))
    expect(words).toEqual(
      crowd.map((id) => (id === early ? 'was-so' : id === gone ? 'refused:account-missing' : 'changed')),
    )
    expect(sorted(await world.membersOf(group))).toEqual(sorted(crowd.filter((id) => id !== gone)))
  })

  test('some were taken out meanwhile: it was so for them, and the others go too', async () => {
    const crowd = await addAccounts(20)
    const group = await world.addGroup(freshName(), crowd)
    world.faults.atNextWrite('before-commit', () =>
      world.asRoot.modify(group.lookup, change('delete', 'member', [`<GUID=${crowd[3]}>`, `<GUID=${crowd[4]}>`])),
    )
    const words = await saying(crowd.map((account) => revoke(account, group)))
    expect(words).toEqual(crowd.map((_, at) => (at === 3 || at === 4 ? 'was-so' : 'changed')))
    expect(await world.rawMembers(group)).toEqual([])
  })

  test('the group is deleted between resolve and write', async () => {
    const account = await addAccount()
    const group = await world.addGroup(freshName())
    world.faults.atNextWrite('before-commit', () => world.removeGroup(group))
    expect(await saying([grant(account, group)])).toEqual(['refused:entitlement-missing'])
  })

  test('somebody who came in while we wrote stays in: never a replace', async () => {
    const [ours, theirs] = (await addAccounts(2)) as [NativeId, NativeId]
    const group = await world.addGroup(freshName())
    world.faults.atNextWrite('before-commit', () =>
      world.asRoot.modify(group.lookup, change('add', 'member', [`<GUID=${theirs}>`])),
    )
    expect(await saying([grant(ours, group)])).toEqual(['changed'])
    expect(sorted(await world.membersOf(group))).toEqual(sorted([ours, theirs]))
  })
})

describe('userAccountControl', () => {
  const neverExpires = 0x10000
  test('disabling and enabling leave the other bits', async () => {
    const account = await addAccount()
    await modify(account, 'replace', 'userAccountControl', [String(512 | neverExpires)])
    expect(await saying([{ op: 'disable', account }])).toEqual(['changed'])
    expect(await controlOf(account)).toBe(514 | neverExpires)
    expect(await saying([{ op: 'enable', account }])).toEqual(['changed'])
    expect(await controlOf(account)).toBe(512 | neverExpires)
  })

  test('a bit that somebody sets between our read and our write is kept', async () => {
    const account = await addAccount()
    world.faults.atNextWrite('before-commit', () =>
      modify(account, 'replace', 'userAccountControl', [String(512 | neverExpires)]),
    )
    expect(await saying([{ op: 'disable', account }])).toEqual(['changed'])
    expect(await controlOf(account)).toBe(514 | neverExpires)
  })

  test('a new account is enabled, with a password that nobody told us', async () => {
    const somebody = person()
    const [created] = await apply([ensure(somebody)])
    const account = accountOf(created)?.nativeId as NativeId
    expect(await controlOf(account)).toBe(512)
    const entry = await world.entryOf(account)
    expect(Number(entry?.pwdLastSet)).toBeGreaterThan(0)
    expect(entry).toMatchObject({
      employeeID: somebody.key,
      sAMAccountName: somebody.worker.username,
      userPrincipalName: `${somebody.worker.username}@corp.bank.example`,
    })
  })

  test('created, but the answer to enabling it was lost: linked and disabled, then enabled', async () => {
    const somebody = person()
    let count = 0
    world.proxy.watch((bytes, direction) => {
      if (direction === 'to-server' && bytes.includes('userAccountControl') && bytes.includes('512')) {
        count += 1
        return 'reset'
      }
      return 'pass'
    })
    expect(await saying([ensure(somebody)])).toEqual(['unknown'])
    expect(count).toBe(1)
    world.faults.none()
    const [linked] = await apply([ensure(somebody)])
    expect(accountOf(linked)).toMatchObject({ origin: 'linked', enabled: false })
    const account = accountOf(linked)?.nativeId as NativeId
    expect(await saying([{ op: 'enable', account }])).toEqual(['changed'])
    expect(await controlOf(account)).toBe(512)
  })
})

describe('names that somebody has', () => {
  const taken = async (somebody: ReturnType<typeof person>) => {
    const [outcome] = await apply([ensure(somebody)])
    expect(await world.accountsOf(somebody)).toEqual([])
    return outcome?.kind === 'refused' ? `${outcome.reason}: ${outcome.cause.word}` : said(outcome)
  }
  test('sAMAccountName by a group, userPrincipalName by a person elsewhere, CN by a group in the same OU', async () => {
    const [sam, upn, cn] = [person(), person(), person()]
    await world.asRoot.add(`CN=${freshName()},${world.groups}`, {
      objectClass: 'group',
      sAMAccountName: String(sam.worker.username),
    })
    await world.asRoot.add(`CN=${freshName()},${world.leavers}`, {
      objectClass: 'user',
      sAMAccountName: freshName(),
      userPrincipalName: `${upn.worker.username}@corp.bank.example`,
    })
    await world.asRoot.add(`CN=${cn.worker.displayName},${world.people}`, { objectClass: 'group' })
    expect(await taken(sam)).toBe('name-taken: sam-account-name-taken')
    expect(await taken(upn)).toBe('name-taken: upn-taken')
    expect(await taken(cn)).toBe('name-taken: entry-already-exists')
  })

  test('an account that was moved away is found by its key, not made again', async () => {
    const somebody = person()
    const [account] = (await world.addAccounts([somebody])) as [NativeId]
    await world.asRoot.modifyDN((await world.entryOf(account))?.dn ?? '', `CN=${freshName()},${world.leavers}`)
    const [outcome] = await apply([ensure(somebody)])
    expect(accountOf(outcome)).toMatchObject({ nativeId: account, origin: 'linked' })
  })

  test.each([
    ['far.too.long.for.a.name', 'sam-account-name-too-long'],
    ['a/b', 'sam-account-name-characters'],
    ['', 'name-template-empty'],
  ])('%j is no sAMAccountName', async (username, word) => {
    const somebody = person()
    const other = { key: somebody.key, worker: { ...somebody.worker, username } }
    expect(await taken(other)).toBe(`invalid: ${word}`)
  })
})

describe('the primary group', () => {
  test('is a membership that is not listed as one, and that no revoke takes away', async () => {
    const account = await addAccount()
    const group = await world.addGroup(freshName(), [account])
    const found = await world.asRoot.search(group.lookup, { scope: 'base', explicitBufferAttributes: ['objectSid'] })
    const sid = found.searchEntries[0]?.objectSid as Buffer
    await modify(account, 'replace', 'primaryGroupID', [String(sid.readUInt32LE(sid.length - 4))])
    expect(await world.rawMembers(group)).toEqual([])

    expect(await apply([grant(account, group), revoke(account, group)])).toMatchObject([
      { kind: 'done', changed: false, evidence: { read: 'primary-group' } },
      { kind: 'refused', reason: 'not-allowed', cause: { word: 'primary-group' } },
    ])
    expect(await listOf(connector, group)).toMatchObject({ kind: 'complete', members: [account] })
    // Its former primary group became an ordinary one.
    const { items } = await connector.grantsOf([account], always.signal)
    expect(items.map(({ entitlement }) => entitlement.name)).toEqual([wellKnown('Domain Users')])
  })
})

describe('protected', () => {
  test('what AD calls critical is never written: not its accounts, not its groups', async () => {
    const account = await addAccount()
    const [admins, administrator] = [await known('Domain Admins'), await world.idAt(wellKnown('Administrator'))]
    await world.asRoot.modify(admins.lookup, change('add', 'member', [`<GUID=${account}>`]))
    const outcomes = await apply([
      { op: 'disable', account: administrator },
      { op: 'deleteAccount', account: administrator },
      grant(account, admins),
      revoke(account, admins),
    ])
    expect(outcomes).toMatchObject(
      outcomes.map(() => ({ kind: 'refused', reason: 'protected', cause: { word: 'critical-system-object' } })),
    )
    await world.asRoot.modify(admins.lookup, change('delete', 'member', [`<GUID=${account}>`]))
  })

  test('adminCount: refused, unless the configuration says otherwise; groups are taken away all the same', async () => {
    const somebody = person()
    const [account] = (await world.addAccounts([somebody])) as [NativeId]
    const group = await world.addGroup(freshName(), [account])
    await modify(account, 'replace', 'adminCount', ['1'])
    const after = { key: somebody.key, worker: { ...somebody.worker, familyName: 'After' } }
    expect(await saying([{ op: 'disable', account }, ensure(after, true, account), revoke(account, group)])).toEqual([
      'refused:protected',
      'refused:protected',
      'changed',
    ])
    expect(await controlOf(account)).toBe(512)
    await using({ writeAdminAccounts: true }, async (allowed) => {
      expect((await allowed.apply([{ op: 'disable', account }], always)).map(said)).toEqual(['changed'])
    })
  })

  test('deleted: only when disabled, with what hangs below it', async () => {
    const account = await addAccount()
    await world.asRoot.add(`CN=below,${(await world.entryOf(account))?.dn}`, { objectClass: 'classStore' })
    expect(await apply([{ op: 'deleteAccount', account }])).toMatchObject([
      { kind: 'refused', reason: 'protected', cause: { word: 'account-enabled' } },
    ])
    expect(await saying([{ op: 'disable', account }])).toEqual(['changed'])
    expect(await saying([{ op: 'deleteAccount', account }])).toEqual(['changed'])
    expect(await world.entryOf(account)).toBeUndefined()
    expect((await connector.observe([{ op: 'deleteAccount', account }], always.signal)).map(said)).toEqual(['was-so'])
    expect(await saying([{ op: 'endSessions', account }])).toEqual(['refused:not-allowed'])
  })
})

describe('a leaver', () => {
  const leaver = () => ({ moveTo: world.leavers, resetPassword: true, clearManager: true })

  test('is disabled, moved, without manager, with a password that nobody knows; and comes back', async () => {
    const [account, manager] = (await addAccounts(2)) as [NativeId, NativeId]
    const group = await world.addGroup(freshName(), [account])
    await modify(account, 'replace', 'manager', [(await world.entryOf(manager))?.dn ?? ''])
    expect(await world.canSignIn(account)).toBe(true)
    await using({ leaver: leaver() }, async (other) => {
      const [outcome] = await other.apply([{ op: 'disable', account }], always)
      expect(outcome).toMatchObject({ kind: 'done', changed: true, account: { enabled: false } })
      expect(outcome).not.toHaveProperty('unfinished')
      expect(grantsOf(outcome)).toEqual([group.nativeId])
      const entry = await world.entryOf(account)
      expect(entry?.dn).toContain(world.leavers)
      expect(entry).toMatchObject({ userAccountControl: '514', pwdLastSet: '0' })
      expect(entry).not.toHaveProperty('manager')
      expect((await other.apply([{ op: 'disable', account }], always)).map(said)).toEqual(['was-so'])

      expect((await other.apply([{ op: 'enable', account }], always)).map(said)).toEqual(['changed'])
      const back = await world.entryOf(account)
      expect(back?.dn).toContain(world.people)
      expect(back?.userAccountControl).toBe('512')
      expect(await world.canSignIn(account)).toBe(false)
    })
  })

  test('one step that fails is told and stops no other; repeated, it is tried again', async () => {
    const account = await addAccount()
    const nowhere = `OU=${freshName()},${world.leavers}`
    await using({ leaver: { ...leaver(), moveTo: nowhere } }, async (other) => {
      const [outcome] = await other.apply([{ op: 'disable', account }], always)
      expect(outcome).toMatchObject({
        kind: 'done',
        account: { enabled: false },
        unfinished: [{ word: expect.stringMatching(/^move-/) }],
      })
      expect(await world.entryOf(account)).toMatchObject({ userAccountControl: '514', pwdLastSet: '0' })
      await world.asRoot.add(nowhere, { objectClass: 'organizationalUnit' })
      const again = await other.apply([{ op: 'disable', account }], always)
      expect(again).toMatchObject([{ kind: 'done', changed: true }])
      expect(again[0]).not.toHaveProperty('unfinished')
      expect((await world.entryOf(account))?.dn).toContain(nowhere)
    })
  })

  test('the lease ends after the account was disabled: it stays so, and the rest is told as unfinished', async () => {
    const account = await addAccount()
    let left = 1
    await using({ leaver: leaver() }, async (other) => {
      const [outcome] = await other.apply([{ op: 'disable', account }], {
        signal: always.signal,
        mayWrite: () => left-- > 0,
      })
      expect(outcome).toMatchObject({
        kind: 'done',
        changed: true,
        unfinished: [{ word: 'reset-password-lease' }, { word: 'move-lease' }],
      })
    })
  })

  test('somebody has the name in the OU to come back to: not enabled', async () => {
    const somebody = person()
    const [account] = (await world.addAccounts([somebody])) as [NativeId]
    await using({ leaver: leaver() }, async (other) => {
      await other.apply([{ op: 'disable', account }], always)
      await world.asRoot.add(`CN=${somebody.worker.displayName},${world.people}`, { objectClass: 'contact' })
      expect((await other.apply([{ op: 'enable', account }], always)).map(said)).toEqual(['refused:name-taken'])
      expect(await controlOf(account)).toBe(514)
    })
  })
})

describe('long lists come in pieces', () => {
  /** As a controller with MaxValRange `limit`: Samba has none, but cuts where it is asked to. */
  const cut = (limit: number, meanwhile: (from: number) => Promise<unknown> = async () => {}) =>
    requestShim({ host: new URL(world.ad.plainUrl).hostname, port: 389 }, async (attribute) => {
      const [, name, from] = /^(member|memberOf)(?:;range=(\d+)-\*)?$/i.exec(attribute) ?? []
      if (name === undefined) return attribute
      const first = Number(from ?? 0)
      await meanwhile(first)
      return `${name};range=${first}-${first + limit - 1}`
    })
  const through = async <T>(shim: { port: number; close: () => Promise<void> }, work: (c: Connector) => Promise<T>) => {
    try {
      return await using({ urls: [`ldap://127.0.0.1:${shim.port}`] }, work)
    } finally {
      await shim.close()
    }
  }

  test('every member is listed, whatever the number of pieces', async () => {
    const crowd = await addAccounts(25)
    const groups = [
      await world.addGroup(freshName(), crowd),
      await world.addGroup(freshName(), crowd.slice(0, 20)),
      await world.addGroup(freshName(), crowd.slice(0, 10)),
      await world.addGroup(freshName()),
    ]
    await through(await cut(10), async (piecewise) => {
      const lists = []
      for (const group of groups) lists.push(await listOf(piecewise, group))
      expect(
        lists.map((list) => (list?.kind === 'complete' ? sorted(list.members as NativeId[]) : list?.kind)),
      ).toEqual([crowd, crowd.slice(0, 20), crowd.slice(0, 10), []].map(sorted))
    })
  })

  test('the groups of an account too: nothing is granted twice, everything is revoked', async () => {
    const account = await addAccount()
    const groups: Group[] = []
    for (let at = 0; at < 12; at += 1) groups.push(await world.addGroup(freshName(), [account]))
    await through(await cut(5), async (piecewise) => {
      const read = await piecewise.grantsOf([account], always.signal)
      expect(read).toMatchObject({ kind: 'complete' })
      expect(sorted(read.items.map(({ entitlement }) => entitlement.nativeId))).toEqual(
        sorted(groups.map(({ nativeId }) => nativeId)),
      )
      const last = groups.at(-1) as Group
      expect((await piecewise.apply([grant(account, last)], always)).map(said)).toEqual(['was-so'])
      const revokes = groups.map((group) => revoke(account, group))
      expect((await piecewise.apply(revokes, always)).map(said)).toEqual(revokes.map(() => 'changed'))
    })
  })

  test('somebody leaves between two pieces, so that all after them move up: nobody is left out', async () => {
    const crowd = await addAccounts(25)
    const group = await world.addGroup(freshName(), crowd)
    let left = 1
    const shim = await cut(10, async (from) => {
      if (from === 10 && left-- > 0)
        await world.asRoot.modify(
          group.lookup,
          change('delete', 'member', [`<GUID=${crowd[0]}>`, `<GUID=${crowd[1]}>`]),
        )
    })
    await through(shim, async (piecewise) => {
      const list = await listOf(piecewise, group)
      expect(list?.kind === 'complete' && sorted(list.members as NativeId[])).toEqual(sorted(crowd.slice(2)))
    })
  })

  test('a list that never stands still is not told', async () => {
    const crowd = await addAccounts(12)
    const group = await world.addGroup(freshName(), crowd.slice(1))
    let isIn = false
    const shim = await cut(5, async (from) => {
      if (from !== 5) return
      isIn = !isIn
      await world.asRoot.modify(group.lookup, change(isIn ? 'add' : 'delete', 'member', [`<GUID=${crowd[0]}>`]))
    })
    await through(shim, async (piecewise) => {
      expect(await listOf(piecewise, group)).toMatchObject({
        kind: 'failed',
        cause: expect.stringContaining('list-changes-while-read'),
      })
    })
  })

  test('a piece that is not the one asked for is no list', async () => {
    const crowd = await addAccounts(12)
    const group = await world.addGroup(freshName(), crowd)
    const { hostname } = new URL(world.ad.plainUrl)
    const shim = await requestShim({ host: hostname, port: 389 }, (attribute) => {
      const [, name, from] = /^(member)(?:;range=(\d+)-\*)?$/i.exec(attribute) ?? []
      if (name === undefined) return attribute
      return Number(from ?? 0) === 0 ? `${name};range=0-4` : `${name};range=7-*`
    })
    await through(shim, async (piecewise) => {
      expect(await listOf(piecewise, group)).toMatchObject({
        kind: 'failed',
        cause: expect.stringContaining('range-broken'),
      })
    })
  })
})

describe('indirect access', () => {
  test('nested groups, in a circle too, and the primary group: as AD itself counts them', async () => {
    const account = await addAccount()
    const [inner, middle, outer] = [
      await world.addGroup(freshName(), [account]),
      await world.addGroup(freshName()),
      await world.addGroup(freshName()),
    ]
    const put = (child: Group, parent: Group) =>
      world.asRoot.modify(parent.lookup, change('add', 'member', [child.lookup]))
    await put(inner, middle)
    await put(middle, outer)
    await put(outer, inner)
    const controllers = createDomainControllers(world.settings)
    const read = await indirectGrantsOf(await controllers.pin(), world.settings, [account])
    controllers.close()
    expect(read.kind).toBe('complete')
    const users = await known('Domain Users')
    const nested = read.items.filter(({ via }) => via === 'nested')
    expect(read.items.filter(({ via }) => via === 'primary')).toMatchObject([
      { entitlement: { nativeId: users.nativeId, name: users.lookup } },
    ])
    expect(nested).toContainEqual({
      account,
      entitlement: { nativeId: outer.nativeId, name: outer.lookup },
      via: 'nested',
      path: [inner.nativeId, middle.nativeId, outer.nativeId],
    })
    // LDAP_MATCHING_RULE_IN_CHAIN, asked by the witness, follows `member` only, and counts the direct group.
    const chain = await world.asRoot.search(world.groups, {
      filter: `(member:1.2.840.113556.1.4.1941:=<GUID=${account}>)`,
    })
    const names = nested.map(({ entitlement }) => entitlement.name).filter((name) => name.endsWith(world.groups))
    expect([...names, inner.lookup].sort()).toEqual(chain.searchEntries.map(({ dn }) => dn).sort())
  })
})

describe('changes since a cursor', () => {
  const from = async (cursor: string | null) => {
    const read = await connector.changes?.(cursor, always.signal)
    if (read === undefined || read.kind === 'failed') throw new Error(`not told: ${read?.cause}`)
    return read
  }

  test('a membership names its group, an attribute or a deletion its account; nothing else is named', async () => {
    const [account, other] = (await addAccounts(2)) as [NativeId, NativeId]
    const [group, quiet] = [await world.addGroup(freshName()), await world.addGroup(freshName())]
    const begin = await from(null)
    expect(begin.kind).toBe('from-now')
    expect(await from(begin.cursor)).toMatchObject({ kind: 'changes', entitlements: [], accounts: [] })

    await world.asRoot.modify(group.lookup, change('add', 'member', [`<GUID=${account}>`]))
    const member = await from(begin.cursor)
    expect(member).toMatchObject({ kind: 'changes', entitlements: [group.nativeId], accounts: [] })

    await modify(account, 'replace', 'department', ['Elsewhere'])
    const attribute = await from(member.cursor)
    expect(attribute).toMatchObject({ kind: 'changes', entitlements: [], accounts: [account] })

    await world.asRoot.del(`<GUID=${other}>`)
    await world.removeGroup(quiet)
    expect(await from(attribute.cursor)).toMatchObject({
      kind: 'changes',
      entitlements: [quiet.nativeId],
      accounts: [other],
    })
  })

  test("another controller's cursor, or one from before a restore, starts anew", async () => {
    const { cursor } = await from(null)
    const [, id, usn] = cursor.split(' ')
    for (const other of [
      `usn 00000000-0000-4000-8000-000000000000 ${usn}`,
      `usn ${id} ${BigInt(usn ?? 0) + 1_000_000n}`,
      'what is this',
    ])
      expect((await from(other)).kind).toBe('from-now')
  })
})
