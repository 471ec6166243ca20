import { describe, expect, test } from 'vitest'
import type { NativeId } from '../../src/domain/ids.ts'
import {
  accountOf,
  always,
  ensure,
  freshKey,
  grant,
  grantsOf,
  neverLinking,
  notLinkable,
  revoke,
  type Scene,
  said,
  sorted,
} from './world.ts'

/** Of targets that keep no accounts: an account is a name that somebody else gives to the person. */
export const namedAccountContract = (scene: Scene): void => {
  describe('accounts', () => {
    test('whoever has a name is there: linked, whether or not accounts may be created', async () => {
      const somebody = scene.person()
      for (const create of [true, false]) {
        const [linked] = await scene.apply([ensure(somebody, create)])
        expect(said(linked)).toBe('was-so')
        expect(accountOf(linked)).toMatchObject({
          origin: 'linked',
          enabled: true,
          attributesHash: scene.connector.attributesHash(somebody.worker),
        })
        expect(await scene.world.accountsOf(somebody)).toEqual([accountOf(linked)?.nativeId])
        expect(grantsOf(linked)).toEqual([])
      }
    })

    test('whoever may not be linked is not; whoever is linked is not asked about', async () => {
      const somebody = scene.person()
      const [account] = (await scene.world.addAccounts([somebody])) as [NativeId]
      const { asked, context } = neverLinking()
      expect(await scene.apply([ensure(somebody)], context)).toEqual([notLinkable])
      expect(await scene.saying([ensure(somebody, true, account)], context)).toEqual(['was-so'])
      expect(asked).toEqual([account])
    })

    test('linked with what it holds already', async () => {
      const somebody = scene.person()
      const [account] = (await scene.world.addAccounts([somebody])) as [NativeId]
      const [one, other] = [
        await scene.world.addGroup(freshKey(), [account]),
        await scene.world.addGroup(freshKey(), [account]),
      ]
      await scene.world.addGroup(freshKey(), [await scene.addAccount()])
      const [linked] = await scene.apply([ensure(somebody)])
      expect(accountOf(linked)).toMatchObject({ origin: 'linked', nativeId: account })
      expect(grantsOf(linked)).toEqual(sorted([one.nativeId, other.nativeId]))
      const [observed] = await scene.connector.observe([ensure(somebody)], always)
      expect(grantsOf(observed)).toEqual(grantsOf(linked))
      expect(accountOf((await scene.apply([ensure(somebody, true, account)]))[0])?.origin).toBe('known')
    })

    test('a known account that is called otherwise now is refused, not taken for the new one', async () => {
      const somebody = scene.person()
      const other = (await scene.addAccount()) as NativeId
      expect(await scene.saying([ensure(somebody, true, other)])).toEqual(['refused:account-missing'])
      expect(scene.connector.attributesHash(somebody.worker)).not.toBe(
        scene.connector.attributesHash(scene.person().worker),
      )
    })

    test('names with every character that one may have there are let in; with any other nobody is, in so many words', async () => {
      const special = '+=,.@-_'
      const fitting = scene.world.person(`${freshKey()}${special}`)
      const group = await scene.world.addGroup(`${freshKey()}${special}`)
      const [linked] = await scene.apply([ensure(fitting)])
      expect(said(linked)).toBe('was-so')
      const account = accountOf(linked)?.nativeId as NativeId
      expect(await scene.world.accountsOf(fitting)).toEqual([account])
      expect(await scene.saying([grant(account, group, false)])).toEqual(['changed'])
      expect(await scene.world.membersOf(group)).toEqual([account])
      expect(await scene.saying([grant(account, group)])).toEqual(['was-so'])

      const { key } = fitting
      const others = [...'\'*(\\)"&%/?$#;<>{}[]|~^:! \t\n', 'ö', '名', '🦊'].map((one) => `${key}${one}`)
      const outcomes = await scene.apply(others.map((other) => ensure(scene.world.person(other))))
      for (const outcome of outcomes)
        expect(outcome).toMatchObject({ kind: 'refused', reason: 'invalid', cause: { word: 'no-session-name' } })
      const named = others.map((other) => ({ ...group, lookup: `${group.lookup}${other.slice(key.length)}` }))
      const asked = await scene.apply(named.map((other) => grant(account, other, false)))
      for (const outcome of asked)
        expect(outcome).toMatchObject({ kind: 'refused', reason: 'configuration', cause: { word: 'not-a-role' } })
      expect(await scene.world.membersOf(group)).toEqual([account])
      expect(await scene.saying([revoke(account, group)])).toEqual(['changed'])
      expect(await scene.world.membersOf(group)).toEqual([])
    })

    test('nobody can be shut, opened or deleted', async () => {
      const account = await scene.addAccount()
      const group = await scene.world.addGroup(freshKey(), [account])
      expect(
        await scene.saying([
          { op: 'disable', account },
          { op: 'enable', account },
          { op: 'deleteAccount', account },
        ]),
      ).toEqual(['refused:not-allowed', 'refused:not-allowed', 'refused:not-allowed'])
      expect(await scene.world.membersOf(group)).toEqual([account])
    })

    test('many accounts at once, each by its own name', async () => {
      const people = Array.from({ length: 1_050 }, () => scene.person())
      const ids = await scene.world.addAccounts(people)
      const outcomes = await scene.apply(people.map((somebody) => ensure(somebody)))
      expect(outcomes.map((outcome) => accountOf(outcome)?.nativeId)).toEqual(ids)
      const read = await scene.connector.accounts([...ids, scene.traits.unknownId], always.signal)
      expect(read.kind).toBe('complete')
      expect(read.items.map(({ nativeId }) => nativeId).sort()).toEqual(sorted(ids))
    })
  })
}
