/** Lists in pieces, access through other groups, and what changed since. */
import { describe, expect, test } from 'vitest'
import type { Connector } from '../../src/connectors/connector.ts'
import type { NativeId } from '../../src/domain/ids.ts'
import { requestShim } from '../support/ldap-requests.ts'
import { freshName } from '../support/stack.ts'
import { adScene, listOf } from './ad-scene.ts'
import { change } from './ad-world.ts'
import { always, type Group, grant, revoke, said, sorted } from './world.ts'

const scene = adScene()
const { addAccount, addAccounts, modify, known, using } = scene

describe('long lists come in pieces', () => {
  /** As a controller with MaxValRange `limit`: Samba has none, but cuts where it is asked to. */
  const cut = (limit: number, meanwhile: (from: number) => Promise<unknown> = async () => {}) =>
    requestShim({ host: new URL(scene.world.ad.plainUrl).hostname, port: 389 }, async (attribute) => {
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
      await scene.world.addGroup(freshName(), crowd),
      await scene.world.addGroup(freshName(), crowd.slice(0, 20)),
      await scene.world.addGroup(freshName(), crowd.slice(0, 10)),
      await scene.world.addGroup(freshName()),
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
    for (let at = 0; at < 12; at += 1) groups.push(await scene.world.addGroup(freshName(), [account]))
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
    const group = await scene.world.addGroup(freshName(), crowd)
    let left = 1
    const shim = await cut(10, async (from) => {
      if (from === 10 && left-- > 0)
        await scene.world.asRoot.modify(
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
    const group = await scene.world.addGroup(freshName(), crowd.slice(1))
    let isIn = false
    const shim = await cut(5, async (from) => {
      if (from !== 5) return
      isIn = !isIn
      await scene.world.asRoot.modify(group.lookup, change(isIn ? 'add' : 'delete', 'member', [`<GUID=${crowd[0]}>`]))
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
    const group = await scene.world.addGroup(freshName(), crowd)
    const { hostname } = new URL(scene.world.ad.plainUrl)
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
      await scene.world.addGroup(freshName(), [account]),
      await scene.world.addGroup(freshName()),
      await scene.world.addGroup(freshName()),
    ]
    const put = (child: Group, parent: Group) =>
      scene.world.asRoot.modify(parent.lookup, change('add', 'member', [child.lookup]))
    await put(inner, middle)
    await put(middle, outer)
    await put(outer, inner)
    const read = await scene.connector.indirectGrantsOf?.([account], always.signal)
    if (read?.kind !== 'complete') throw new Error(`not read: ${read?.cause}`)
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
    const chain = await scene.world.asRoot.search(scene.world.groups, {
      filter: `(member:1.2.840.113556.1.4.1941:=<GUID=${account}>)`,
    })
    const names = nested.map(({ entitlement }) => entitlement.name).filter((name) => name.endsWith(scene.world.groups))
    expect([...names, inner.lookup].sort()).toEqual(chain.searchEntries.map(({ dn }) => dn).sort())

    // A member of the outer one as well: taken out of it, the account is in it still.
    await scene.world.asRoot.modify(outer.lookup, change('add', 'member', [`<GUID=${account}>`]))
    const both = await scene.connector.indirectGrantsOf?.([account], always.signal)
    expect(both?.items.map(({ entitlement }) => entitlement.nativeId)).toContain(outer.nativeId)
    await scene.world.asRoot.modify(outer.lookup, change('delete', 'member', [`<GUID=${account}>`]))
    const after = await scene.connector.indirectGrantsOf?.([account], always.signal)
    expect(after?.items.map(({ entitlement }) => entitlement.nativeId)).toContain(outer.nativeId)
    // Nobody waits for it any more.
    expect(await scene.connector.indirectGrantsOf?.([account], AbortSignal.abort())).toMatchObject({
      kind: 'partial',
      items: [],
      cause: expect.stringContaining('aborted'),
    })
  })
})

test('groups stand anywhere in the domain, whatever part of it accounts are looked for in', async () => {
  const account = await addAccount()
  const [inner, outer] = [await scene.world.addGroup(freshName(), [account]), await scene.world.addGroup(freshName())]
  await scene.world.asRoot.modify(outer.lookup, change('add', 'member', [inner.lookup]))
  const held = (from: Connector) => from.indirectGrantsOf?.([account], always.signal)
  const searchBase = scene.world.people
  await using({ searchBase }, async (narrow) =>
    expect((await held(narrow))?.items).toContainEqual({
      account,
      entitlement: { nativeId: outer.nativeId, name: outer.lookup },
      via: 'nested',
      path: [inner.nativeId, outer.nativeId],
    }),
  )

  const upstream = { host: new URL(scene.world.ad.plainUrl).hostname, port: 389 }
  const hiding = await requestShim(upstream, (attribute) => (attribute === 'memberOf' ? 'comment' : attribute))
  await using({ searchBase, urls: [`ldap://127.0.0.1:${hiding.port}`] }, async (narrow) =>
    expect((await narrow.apply([revoke(account, inner)], always)).map(said)).toEqual(['retry']),
  )
  await hiding.close()

  // Its accounts, the groups that they name, and then those above, of which one goes right before.
  let levels = 0
  const losing = await requestShim(upstream, async (attribute) => {
    if (attribute === 'memberOf' && ++levels === 3) await scene.world.removeGroup(outer)
    return attribute
  })
  await using({ searchBase, urls: [`ldap://127.0.0.1:${losing.port}`] }, async (narrow) => {
    expect(await held(narrow)).toMatchObject({ kind: 'partial', items: [], cause: 'group-hidden' })
    expect(await held(narrow)).toMatchObject({ kind: 'complete' })
  })
  await losing.close()
})

describe('changes since a cursor', () => {
  const from = async (cursor: string | null) => {
    const read = await scene.connector.changes?.(cursor, always.signal)
    if (read === undefined || read.kind === 'failed') throw new Error(`not told: ${read?.cause}`)
    return read
  }

  test('a membership names its group, an attribute or a deletion its account; nothing else is named', async () => {
    const [account, other] = (await addAccounts(2)) as [NativeId, NativeId]
    const [group, quiet] = [await scene.world.addGroup(freshName()), await scene.world.addGroup(freshName())]
    const begin = await from(null)
    expect(begin.kind).toBe('from-now')
    expect(await from(begin.cursor)).toMatchObject({ kind: 'changes', entitlements: [], accounts: [] })

    await scene.world.asRoot.modify(group.lookup, change('add', 'member', [`<GUID=${account}>`]))
    const member = await from(begin.cursor)
    expect(member).toMatchObject({ kind: 'changes', entitlements: [group.nativeId], accounts: [] })

    await modify(account, 'replace', 'department', ['Elsewhere'])
    const attribute = await from(member.cursor)
    expect(attribute).toMatchObject({ kind: 'changes', entitlements: [], accounts: [account] })

    await scene.world.asRoot.del(`<GUID=${other}>`)
    await scene.world.removeGroup(quiet)
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
