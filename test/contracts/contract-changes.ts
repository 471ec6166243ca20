import { describe, expect, test } from 'vitest'
import type { Changes } from '../../src/connectors/connector.ts'
import type { NativeId } from '../../src/domain/ids.ts'
import { always, freshKey, grant, type Scene } from './world.ts'

/** Of connectors whose target keeps a change log: hints must miss nothing. They may name more than changed. */
export const changesContract = (scene: Scene): void => {
  describe('changes', () => {
    const ask = async (cursor: string | null): Promise<Changes | undefined> =>
      scene.connector.changes?.(cursor, always.signal)
    const since = async (cursor: string): Promise<Extract<Changes, { kind: 'changes' }>> => {
      const told = await ask(cursor)
      if (told?.kind !== 'changes') throw new Error(`no changes told: ${told?.kind}`)
      return told
    }
    const begin = async (): Promise<string | null> => {
      const told = await ask(null)
      return told?.kind === 'from-now' ? told.cursor : null
    }

    test('from now on: a member added or removed names the group; a shut account is named; cursors go on', async () => {
      const [account, other] = [await scene.addAccount(), await scene.addAccount()]
      const group = await scene.world.addGroup(freshKey(), [other])
      const cursor = await begin()
      if (scene.connector.changes === undefined) {
        expect(cursor).toBeNull()
        return
      }
      expect(cursor).toEqual(expect.any(String))
      await scene.apply([grant(account, group)])
      const first = await since(cursor ?? '')
      expect(first.entitlements).toContain(group.nativeId)
      if (scene.connector.manifest.disable === 'native') {
        await scene.apply([{ op: 'disable', account }])
        const second = await since(first.cursor)
        expect(second.accounts).toContain(account)
      }
      const fresh = await scene.world.addGroup(freshKey(), [account])
      expect((await since(first.cursor)).entitlements).toContain(fresh.nativeId)
    })

    test('a cursor that the target does not know is no reason to miss anything: from now on, after a full read', async () => {
      if (scene.connector.changes === undefined) {
        expect(await ask('nonsense')).toBeUndefined()
        return
      }
      for (const cursor of ['', 'nonsense', '{"groups":"https://elsewhere.example/","users":"x"}'])
        expect((await ask(cursor))?.kind).toBe('from-now')
    })

    test('a renamed member is named, or its group', async () => {
      const account: NativeId = await scene.addAccount()
      const group = await scene.world.addGroup(freshKey(), [account])
      const cursor = await begin()
      if (cursor === null) {
        expect(scene.connector.changes).toBeUndefined()
        return
      }
      await scene.world.rename(account)
      const told = await since(cursor)
      expect([...told.accounts, ...told.entitlements]).toEqual(
        expect.arrayContaining([expect.stringMatching(new RegExp(`^(${account}|${group.nativeId})$`))]),
      )
    })
  })
}
