/** What only Active Directory does: GUIDs as names, batches that fail whole, bits that share an attribute, primary groups. */
import { describe, expect, test } from 'vitest'
import { examinedTarget } from '../../src/app/examine-target.ts'
import { createAdConnector } from '../../src/connectors/ad/connector.ts'
import { protecting } from '../../src/connectors/protecting.ts'
import type { EntitlementId, NativeId } from '../../src/domain/ids.ts'
import { freshName } from '../support/stack.ts'
import { adScene, listOf } from './ad-scene.ts'
import { adTools, change, makeAd, target } from './ad-world.ts'
import { findsKeyless } from './keyless-accounts.ts'
import { accountOf, always, ensure, grant, grantsOf, revoke, said, sorted } from './world.ts'

const scene = adScene()
const { person, apply, wellKnown, saying, addAccount, addAccounts, controlOf, modify } = scene

findsKeyless(() => ({
  world: scene.world,
  correlation: 'employeeID',
  named: 'employeeType',
  writesKey: false,
  connect: (changes) => createAdConnector(target, scene.world.configure({ account: {}, ...changes }), adTools),
  addAccount: async (attributes) => {
    const dn = `CN=${freshName()},${scene.world.people}`
    await scene.world.asRoot.add(dn, { objectClass: 'user', sAMAccountName: freshName(), ...attributes })
    return scene.world.idAt(dn)
  },
  setMail: (id, mail) => scene.modify(id, 'replace', 'mail', [mail]),
}))

test("what AD made for itself is nobody's, whatever it is called", async () => {
  const administrator = wellKnown('Administrator')
  await scene.world.asRoot.modify(administrator, change('replace', 'givenName', ['Given']))
  const somebody = { key: freshName(), worker: { username: 'administrator', givenName: 'Given' } }
  const alternatives = [{ property: 'sAMAccountName', template: '{username}', verify: { givenName: '{givenName}' } }]
  const words = await scene.using({ alternatives }, async (other) =>
    (await other.apply([ensure(somebody, false)], always)).map(said),
  )
  expect(words).toEqual(['refused:account-missing'])
})

describe('names change, GUIDs do not', () => {
  test('moved to another OU between resolve and write: granted and disabled all the same', async () => {
    const account = await addAccount()
    const group = await scene.world.addGroup(freshName())
    scene.world.faults.atNextWrite('before-commit', async () => {
      const dn = (await scene.world.entryOf(account))?.dn ?? ''
      await scene.world.asRoot.modifyDN(dn, `${dn.slice(0, dn.indexOf(','))},${scene.world.leavers}`)
    })
    expect(await saying([grant(account, group), { op: 'disable', account }])).toEqual(['changed', 'changed'])
    expect(await scene.world.rawMembers(group)).toEqual([(await scene.world.entryOf(account))?.dn])
    expect(await controlOf(account)).toBe(514)
  })

  test('a group that was renamed: not granted under its old name, revoked all the same', async () => {
    const [account, other] = (await addAccounts(2)) as [NativeId, NativeId]
    const group = await scene.world.addGroup(freshName(), [account])
    await scene.world.asRoot.modifyDN(group.lookup, `CN=${freshName()},${scene.world.groups}`)
    expect(await apply([grant(other, group), revoke(account, group)])).toMatchObject([
      { kind: 'refused', reason: 'entitlement-missing', cause: { word: 'group-renamed' } },
      { kind: 'done', changed: true },
    ])
    const byGuid = { ...group, lookup: `<GUID=${group.nativeId.toUpperCase()}>` }
    expect(await saying([grant(other, byGuid)])).toEqual(['changed'])
    expect(await scene.world.membersOf(group)).toEqual([other])
  })

  test('a group elsewhere is not granted; a leaver still loses it', async () => {
    const account = await addAccount()
    const name = `CN=${freshName()},${scene.world.leavers}`
    await scene.world.asRoot.add(name, { objectClass: 'group', member: `<GUID=${account}>` })
    const outside = { lookup: name, nativeId: await scene.world.idAt(name) }
    expect(await apply([grant(account, outside)])).toMatchObject([
      { kind: 'refused', reason: 'configuration', cause: { word: 'outside-groups-base' } },
    ])
    expect(grantsOf((await apply([{ op: 'disable', account }]))[0])).toEqual([outside.nativeId])
    expect(await scene.connector.resolveEntitlements([{ id: 1 as EntitlementId, ...outside }], always.signal)).toEqual([
      { kind: 'failed', cause: 'outside-groups-base' },
    ])
  })
})

describe('a batch is all or nothing', () => {
  test('one got in meanwhile, one is gone: they answer for themselves, the others are let in', async () => {
    const crowd = await addAccounts(40)
    const [early, gone] = [crowd[7] as NativeId, crowd[21] as NativeId]
    const group = await scene.world.addGroup(freshName())
    scene.world.faults.atNextWrite('before-commit', async () => {
      await scene.world.asRoot.modify(group.lookup, change('add', 'member', [`<GUID=${early}>`]))
      await scene.world.asRoot.del(`<GUID=${gone}>`)
    })
    const words = await saying(crowd.map((account) => grant(account, group)))
    expect(words).toEqual(
      crowd.map((id) => (id === early ? 'was-so' : id === gone ? 'refused:account-missing' : 'changed')),
    )
    expect(sorted(await scene.world.membersOf(group))).toEqual(sorted(crowd.filter((id) => id !== gone)))
  })

  test('some were taken out meanwhile: it was so for them, and the others go too', async () => {
    const crowd = await addAccounts(20)
    const group = await scene.world.addGroup(freshName(), crowd)
    scene.world.faults.atNextWrite('before-commit', () =>
      scene.world.asRoot.modify(group.lookup, change('delete', 'member', [`<GUID=${crowd[3]}>`, `<GUID=${crowd[4]}>`])),
    )
    const words = await saying(crowd.map((account) => revoke(account, group)))
    expect(words).toEqual(crowd.map((_, at) => (at === 3 || at === 4 ? 'was-so' : 'changed')))
    expect(await scene.world.rawMembers(group)).toEqual([])
  })

  test('the group is deleted between resolve and write', async () => {
    const account = await addAccount()
    const group = await scene.world.addGroup(freshName())
    scene.world.faults.atNextWrite('before-commit', () => scene.world.removeGroup(group))
    expect(await saying([grant(account, group)])).toEqual(['refused:entitlement-missing'])
  })

  test('somebody who came in while we wrote stays in: never a replace', async () => {
    const [ours, theirs] = (await addAccounts(2)) as [NativeId, NativeId]
    const group = await scene.world.addGroup(freshName())
    scene.world.faults.atNextWrite('before-commit', () =>
      scene.world.asRoot.modify(group.lookup, change('add', 'member', [`<GUID=${theirs}>`])),
    )
    expect(await saying([grant(ours, group)])).toEqual(['changed'])
    expect(sorted(await scene.world.membersOf(group))).toEqual(sorted([ours, theirs]))
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
    scene.world.faults.atNextWrite('before-commit', () =>
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
    const entry = await scene.world.entryOf(account)
    expect(Number(entry?.pwdLastSet)).toBeGreaterThan(0)
    expect(entry).toMatchObject({
      employeeID: somebody.key,
      sAMAccountName: somebody.worker.username,
      userPrincipalName: `${somebody.worker.username}@corp.bank.example`,
    })
  })

  test('whose groups may be hidden is asked about many accounts at once, and of new ones not at all', async () => {
    const several = [person(), person(), person(), person()].map((somebody) => ensure(somebody))
    const onlyNames = Buffer.from('\x04\x031.1')
    let asked = 0
    scene.world.proxy.watch((bytes, direction) => {
      if (direction === 'to-server' && bytes.includes(onlyNames)) asked += 1
      return 'pass'
    })
    expect(await saying(several)).toEqual(several.map(() => 'changed'))
    expect(asked).toBe(0)
    expect(await saying(several)).toEqual(several.map(() => 'was-so'))
    expect(asked).toBe(1)
  })

  test('created, but the answer to enabling it was lost: linked and disabled, then enabled', async () => {
    const somebody = person()
    let count = 0
    scene.world.proxy.watch((bytes, direction) => {
      if (direction === 'to-server' && bytes.includes('userAccountControl') && bytes.includes('512')) {
        count += 1
        return 'reset'
      }
      return 'pass'
    })
    expect(await saying([ensure(somebody)])).toEqual(['unknown'])
    expect(count).toBe(1)
    scene.world.faults.none()
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
    expect(await scene.world.accountsOf(somebody)).toEqual([])
    return outcome?.kind === 'refused' ? `${outcome.reason}: ${outcome.cause.word}` : said(outcome)
  }
  test('sAMAccountName by a group, userPrincipalName by a person elsewhere, CN by a group in the same OU', async () => {
    const [sam, upn, cn] = [person(), person(), person()]
    await scene.world.asRoot.add(`CN=${freshName()},${scene.world.groups}`, {
      objectClass: 'group',
      sAMAccountName: String(sam.worker.username),
    })
    await scene.world.asRoot.add(`CN=${freshName()},${scene.world.leavers}`, {
      objectClass: 'user',
      sAMAccountName: freshName(),
      userPrincipalName: `${upn.worker.username}@corp.bank.example`,
    })
    await scene.world.asRoot.add(`CN=${cn.worker.displayName},${scene.world.people}`, { objectClass: 'group' })
    expect(await taken(sam)).toBe('name-taken: sam-account-name-taken')
    expect(await taken(upn)).toBe('name-taken: upn-taken')
    expect(await taken(cn)).toBe('name-taken: entry-already-exists')
  })

  test('an account that was moved away is found by its key, not made again', async () => {
    const somebody = person()
    const [account] = (await scene.world.addAccounts([somebody])) as [NativeId]
    await scene.world.asRoot.modifyDN(
      (await scene.world.entryOf(account))?.dn ?? '',
      `CN=${freshName()},${scene.world.leavers}`,
    )
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
    const group = await scene.world.addGroup(freshName(), [account])
    const found = await scene.world.asRoot.search(group.lookup, {
      scope: 'base',
      explicitBufferAttributes: ['objectSid'],
    })
    const sid = found.searchEntries[0]?.objectSid as Buffer
    await modify(account, 'replace', 'primaryGroupID', [String(sid.readUInt32LE(sid.length - 4))])
    expect(await scene.world.rawMembers(group)).toEqual([])

    expect(await apply([grant(account, group), revoke(account, group)])).toMatchObject([
      { kind: 'done', changed: false, evidence: { read: 'primary-group' } },
      { kind: 'refused', reason: 'not-allowed', cause: { word: 'primary-group' } },
    ])
    expect(await listOf(scene.connector, group)).toMatchObject({ kind: 'complete', members: [account] })
    // Its former primary group became an ordinary one.
    const { items } = await scene.connector.grantsOf([account], always.signal)
    expect(items.map(({ entitlement }) => entitlement.name)).toEqual([wellKnown('Domain Users')])
  })
})

test('knows its own account by each of the names that it may sign in with', async () => {
  const read = await scene.connector.own?.(always.signal)
  const [own] = read?.items ?? []
  const entry = own === undefined ? undefined : await scene.world.entryOf(own.nativeId)
  const sam = String(entry?.sAMAccountName)
  expect(scene.world.settings.bindName.toLowerCase()).toContain(sam.toLowerCase())
  for (const bindName of [`CORP\\${sam}`, `${sam}@corp.bank.example`, String(entry?.dn)])
    expect(
      await makeAd({ ...scene.world, settings: scene.world.configure({ bindName }) }).own?.(always.signal),
    ).toEqual(read)
})

test('signed in by a name that Samba takes and does not tell back: doctor says that nothing is written, and why', async () => {
  for (const [bindName, isTold] of [
    ['corp.bank.example/Users/muster', false],
    [scene.world.settings.bindName, true],
  ] as const) {
    const connector = makeAd({ ...scene.world, settings: scene.world.configure({ bindName }) })
    const protect = { accounts: [], entitlements: [] }
    const looked = { type: 'ad', protect, mode: 'enforce', accounts: 'create', leaver: { deleteAfter: null } } as const
    try {
      const { problems } = await examinedTarget(connector, looked, 120_000)
      expect(problems.filter((problem) => problem.includes('(own-account-not-told): nothing'))).toHaveLength(
        isTold ? 0 : 1,
      )
      const [told] = await protecting(connector, protect).apply([ensure(person(), false)], always)
      expect(told).toMatchObject(
        isTold ? { reason: 'account-missing' } : { kind: 'retry', cause: { word: 'own-not-read' } },
      )
    } finally {
      await connector.close()
    }
  }
})
