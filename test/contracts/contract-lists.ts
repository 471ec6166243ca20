import { describe, expect, test } from 'vitest'
import type { MemberList, PinnedEntitlement } from '../../src/connectors/connector.ts'
import type { EntitlementId, NativeId } from '../../src/domain/ids.ts'
import { always, freshKey, type Group, type Scene, sorted } from './world.ts'

export const listContract = (scene: Scene): void => {
  const most = Math.min(scene.traits.crowd, scene.traits.largestGroup)
  describe('lists of members', () => {
    const pinned = (group: Group, id: number): PinnedEntitlement => ({
      id: id as EntitlementId,
      lookup: group.lookup,
      nativeId: group.nativeId,
    })
    const listsOf = async (...groups: readonly Group[]): Promise<readonly MemberList[]> => {
      const lists: MemberList[] = []
      for await (const list of scene.connector.membersOf(groups.map(pinned), always.signal)) lists.push(list)
      return lists
    }
    /** Accounts in the group, as both calls together tell. */
    const accountsIn = async (group: Group): Promise<readonly NativeId[]> => {
      const [list] = await listsOf(group)
      if (list?.kind !== 'complete') throw new Error(`not listed: ${list?.kind}`)
      const who = await scene.connector.whoIs(list.members, always.signal)
      if (who.kind !== 'complete') throw new Error(`not told: ${who.cause}`)
      return sorted(who.items.map(({ account }) => account))
    }

    test('every member of every group, in the order asked, and nobody of an empty one', async () => {
      const accounts = await scene.world.addAccounts([
        scene.world.person(freshKey()),
        scene.world.person(freshKey(), 'Doe, Jö#hn (x)*\\ "é"'),
      ])
      const [both, one, none] = [
        await scene.world.addGroup(freshKey(), accounts),
        await scene.world.addGroup(freshKey(), accounts.slice(0, 1)),
        await scene.world.addGroup(freshKey()),
      ]
      expect((await listsOf(both, one, none)).map(({ entitlement, kind }) => [entitlement, kind])).toEqual([
        [0, 'complete'],
        [1, 'complete'],
        [2, 'complete'],
      ])
      expect(await accountsIn(both)).toEqual(sorted(accounts))
      expect(await accountsIn(one)).toEqual([accounts[0]])
      expect(await accountsIn(none)).toEqual([])
    })

    test('all accounts are listed, whoever knows them: open and shut, with the key that stands on them where one does', async () => {
      const people = [scene.world.person(freshKey()), scene.world.person(freshKey())] as const
      const [one, other] = (await scene.world.addAccounts(people)) as [NativeId, NativeId]
      // A name that stands nowhere is nobody's yet.
      if (scene.traits.accounts === 'named') await scene.world.addGroup(freshKey(), [one, other])
      const shut = scene.connector.manifest.disable === 'native'
      if (shut) await scene.apply([{ op: 'disable', account: other }])
      const listed = await scene.connector.listAccounts(always.signal)
      if (listed.kind !== 'complete') throw new Error(`not listed: ${listed.cause}`)
      const byId = new Map(listed.items.map((item) => [item.nativeId, item]))
      expect(byId.get(one)?.enabled).toBe(true)
      expect(byId.get(other)?.enabled).toBe(!shut)
      expect([people[0].key, null]).toContain(byId.get(one)?.key)
      expect(byId.get(one)?.name).not.toBe('')
    })

    test('more members than a page, among them some that are no accounts', async () => {
      const people = Array.from({ length: most }, () => scene.world.person(freshKey()))
      const accounts = await scene.world.addAccounts(people)
      const group = await scene.world.addGroup(freshKey(), accounts, 3)
      const [list] = await listsOf(group)
      expect(list).toMatchObject({ kind: 'complete', members: { length: most + 3 } })
      expect(await accountsIn(group)).toEqual(sorted(accounts))
    })

    test('a group is what it is, whatever it is called; one that is gone is missing', async () => {
      const account = await scene.addAccount()
      const name = freshKey()
      const first = await scene.world.addGroup(name, [account])
      await scene.world.removeGroup(first)
      expect((await listsOf(first)).map(({ kind }) => kind)).toEqual(['missing'])
      const second = await scene.world.addGroup(name, [account])
      expect((await listsOf(first, second)).map(({ kind }) => kind)).toEqual(['missing', 'complete'])
    })

    test('whoever was renamed since is still the same account under the name that is listed now', async () => {
      const account = await scene.addAccount()
      const group = await scene.world.addGroup(freshKey())
      await scene.world.rename(account)
      await scene.apply([
        {
          op: 'grant',
          account,
          entitlement: { id: 1 as EntitlementId, lookup: group.lookup, nativeId: group.nativeId },
        },
      ])
      expect(await accountsIn(group)).toEqual([account])
    })

    test('a target that is down has told nothing', async () => {
      const account = await scene.addAccount()
      const group = await scene.world.addGroup(freshKey(), [account])
      const [list] = await listsOf(group)
      await scene.world.faults.down()
      try {
        expect((await listsOf(group)).map(({ kind }) => kind)).toEqual(['failed'])
        const who = await scene.connector.whoIs(list?.kind === 'complete' ? list.members : [], always.signal)
        // A name that is the account itself needs nobody to tell it.
        expect(who.kind).toBe(scene.traits.accounts === 'named' ? 'complete' : 'partial')
      } finally {
        await scene.world.faults.up()
      }
      expect(await accountsIn(group)).toEqual([account])
    })
  })
}
