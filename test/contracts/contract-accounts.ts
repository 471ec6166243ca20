import { describe, expect, test } from 'vitest'
import type { NativeId } from '../../src/domain/ids.ts'
import {
  accountOf,
  always,
  ensure,
  freshKey,
  grantsOf,
  neverLinking,
  notLinkable,
  type Scene,
  said,
  sorted,
  unknownId,
} from './world.ts'

export const accountContract = (scene: Scene): void => {
  describe('accounts', () => {
    test('nobody has the key: created once, then found again', async () => {
      const somebody = scene.person()
      const [created] = await scene.apply([ensure(somebody)])
      expect(said(created)).toBe('changed')
      expect(accountOf(created)).toMatchObject({
        origin: 'created',
        enabled: true,
        attributesHash: scene.connector.attributesHash(somebody.worker),
      })
      expect(await scene.world.accountsOf(somebody)).toEqual([accountOf(created)?.nativeId])

      const [again] = await scene.apply([ensure(somebody)])
      expect(said(again)).toBe('was-so')
      expect(accountOf(again)).toMatchObject({ origin: 'linked', nativeId: accountOf(created)?.nativeId })
    })

    test('somebody else creates accounts: waits, and creates nothing', async () => {
      const somebody = scene.person()
      expect(await scene.saying([ensure(somebody, false)])).toEqual(['refused:account-missing'])
      expect(await scene.world.accountsOf(somebody)).toEqual([])
    })

    test('one has the key: linked, with the groups that it holds already', async () => {
      const somebody = scene.person()
      const [account] = (await scene.world.addAccounts([somebody])) as [NativeId]
      const [one, other] = [
        await scene.world.addGroup(freshKey(), [account]),
        await scene.world.addGroup(freshKey(), [account]),
      ]
      const [linked] = await scene.apply([ensure(somebody)])
      expect(accountOf(linked)).toMatchObject({ origin: 'linked', nativeId: account })
      expect(grantsOf(linked)).toEqual(sorted([one.nativeId, other.nativeId]))
    })

    test('whoever may not be linked is neither written nor made again; whoever is linked is not asked about', async () => {
      const before = scene.person('Before')
      const [account] = (await scene.world.addAccounts([before])) as [NativeId]
      const after = { key: before.key, worker: { ...before.worker, familyName: 'After' } }
      const { asked, context } = neverLinking()
      expect(await scene.apply([ensure(after)], context)).toEqual([notLinkable])
      expect(asked).toEqual([account])
      expect(await scene.world.accountsOf(before)).toEqual([account])
      const [observed] = await scene.connector.observe([ensure(before)], always)
      expect(accountOf(observed)?.attributesHash).toBe(scene.connector.attributesHash(before.worker))
      expect(await scene.saying([ensure(after, true, account)], context)).toEqual(['changed'])
      expect(asked).toEqual([account])
    })

    test('several have the key: refused, nothing is changed', async () => {
      const somebody = scene.person()
      await scene.world.addAccounts([somebody])
      await scene.world.addTwin(somebody)
      const [outcome] = await scene.apply([ensure(somebody)])
      expect(said(outcome)).toBe('refused:account-ambiguous')
      const both = await scene.world.accountsOf(somebody)
      expect(both).toHaveLength(2)
      // A human has to look at them, and needs to know which they are.
      const doubt = outcome?.kind === 'refused' ? outcome.doubt : undefined
      expect([...(doubt?.accounts ?? [])].sort()).toEqual([...both].sort())
      expect(doubt?.by).toEqual(expect.any(String))
    })

    test('somebody else has the name: refused, nothing is created', async () => {
      const holder = scene.person()
      await scene.world.addAccounts([holder])
      const latecomer = { key: freshKey(), worker: { ...holder.worker, personKey: freshKey() } }
      expect(await scene.saying([ensure(latecomer)])).toEqual(['refused:name-taken'])
      expect(await scene.world.accountsOf(latecomer)).toEqual([])
    })

    test('person keys with special characters: each finds its own account and no other; one that cannot stand there is refused', async () => {
      const plain = scene.person()
      const [holder] = (await scene.world.addAccounts([plain])) as [NativeId]
      // Asked for together: what one of them ended or widened would show in the others.
      const people = ["'*(\\", ')"&%', '/?$#+', ',;<=>', '{}|~^', ' \t\n.'].map((characters) => {
        const key = `${plain.key}${characters}`
        return { key, worker: { ...scene.person().worker, personKey: key } }
      })
      const fits = people.map(({ key }) => scene.traits.keys.test(key))
      const expecting = (word: string) => fits.map((fit) => (fit ? word : 'refused:invalid'))
      const created = await scene.apply(people.map((somebody) => ensure(somebody)))
      expect(created.map(said)).toEqual(expecting('changed'))
      const ids = created.map((outcome) => accountOf(outcome)?.nativeId)
      // More than one look-up holds.
      const unknown = Array.from({ length: 50 }, () => scene.person())
      const again = await scene.apply([
        ...[plain, ...people].map((somebody) => ensure(somebody)),
        ...unknown.map((somebody) => ensure(somebody, false)),
      ])
      const missing = unknown.map(() => 'refused:account-missing')
      expect(again.map(said)).toEqual(['was-so', ...expecting('was-so'), ...missing])
      expect(again.slice(0, 7).map((outcome) => accountOf(outcome)?.nativeId)).toEqual([holder, ...ids])
      for (const [at, somebody] of people.entries())
        expect(await scene.world.accountsOf(somebody)).toEqual(fits[at] ? [ids[at]] : [])
      // A directory may take it for the key of the first; it is somebody else's.
      const almost = { key: `${plain.key} `, worker: { ...scene.person().worker, personKey: `${plain.key} ` } }
      const [another] = await scene.apply([ensure(almost)])
      expect(['changed', 'refused:account-ambiguous', 'refused:invalid']).toContain(said(another))
      expect(accountOf(another)?.nativeId).not.toBe(holder)
    })

    test('attributes that differ are updated, also of a known account', async () => {
      const before = scene.person('Before')
      const [account] = (await scene.world.addAccounts([before])) as [NativeId]
      const after = { key: before.key, worker: { ...before.worker, displayName: 'After', familyName: 'After' } }
      const [updated] = await scene.apply([ensure(after, true, account)])
      expect(said(updated)).toBe('changed')
      expect(accountOf(updated)).toMatchObject({
        origin: 'known',
        attributesHash: scene.connector.attributesHash(after.worker),
      })
      expect(await scene.saying([ensure(after, true, account)])).toEqual(['was-so'])
      expect(scene.connector.attributesHash(before.worker)).not.toBe(scene.connector.attributesHash(after.worker))
    })

    test('observed, an account whose person has changed is there, with the hash of what it has', async () => {
      const before = scene.person('Before')
      await scene.world.addAccounts([before])
      const after = { key: before.key, worker: { ...before.worker, familyName: 'After' } }
      const [observed] = await scene.connector.observe([ensure(after)], always)
      expect(said(observed)).toBe('was-so')
      expect(accountOf(observed)?.attributesHash).toBe(scene.connector.attributesHash(before.worker))
    })

    test('a known account that is gone is refused, not made again', async () => {
      expect(await scene.saying([ensure(scene.person(), true, unknownId)])).toEqual(['refused:account-missing'])
    })

    test('disabled: a sign-in that worked is refused; enabled: it works again; where that is not offered, it is refused', async () => {
      const account = await scene.addAccount()
      const group = await scene.world.addGroup(freshKey(), [account])
      expect(await scene.world.canSignIn(account)).toBe(true)
      if (scene.connector.manifest.disable === 'none') {
        expect(await scene.apply([{ op: 'disable', account }])).toMatchObject([
          { kind: 'refused', reason: 'not-allowed', cause: { word: 'not-offered' } },
        ])
        expect(await scene.saying([{ op: 'enable', account }])).toEqual(['refused:not-allowed'])
        expect(await scene.world.canSignIn(account)).toBe(true)
        expect(await scene.world.membersOf(group)).toEqual([account])
        return
      }
      const [disabled] = await scene.apply([{ op: 'disable', account }])
      expect(said(disabled)).toBe('changed')
      expect(accountOf(disabled)).toMatchObject({ enabled: false, nativeId: account })
      expect(grantsOf(disabled)).toEqual([group.nativeId])
      expect(await scene.world.canSignIn(account)).toBe(false)
      expect(await scene.saying([{ op: 'disable', account }])).toEqual(['was-so'])
      expect(await scene.saying([{ op: 'enable', account }])).toEqual(['changed'])
      expect(await scene.world.canSignIn(account)).toBe(true)
      expect(await scene.saying([{ op: 'enable', account }])).toEqual(['was-so'])
    })

    test('deleted: never while it is open, and of several the one that is named; then it is gone', async () => {
      const [somebody, colleague] = [scene.person(), scene.person()]
      const [account, other] = (await scene.world.addAccounts([somebody, colleague])) as [NativeId, NativeId]
      const operations = [{ op: 'deleteAccount', account }] as const
      const observed = async () => (await scene.connector.observe(operations, always)).map(said)
      if (scene.connector.manifest.disable === 'native') {
        const refusal = { kind: 'refused', reason: 'protected', cause: { word: 'account-enabled' } }
        expect(await scene.apply(operations)).toMatchObject([refusal])
        expect(await scene.world.canSignIn(account)).toBe(true)
        await scene.apply([{ op: 'disable', account }])
      }
      expect(await observed()).toEqual(['not-so'])
      expect(await scene.settling(operations)).toEqual(['changed'])
      expect(await scene.world.accountsOf(somebody)).toEqual([])
      expect(await scene.world.accountsOf(colleague)).toEqual([other])
      expect(await scene.settling(operations)).toEqual(['was-so'])
      expect(await observed()).toEqual(['was-so'])
    })

    test('a deletion whose answer is lost: unknown; read back, it is gone', async () => {
      const account = await scene.addAccount()
      const operations = [{ op: 'deleteAccount', account }] as const
      if (scene.connector.manifest.disable === 'native') await scene.apply([{ op: 'disable', account }])
      scene.world.faults.atNextWrite('after-commit', 'drop')
      expect(await scene.saying(operations)).toEqual(['unknown'])
      expect((await scene.connector.observe(operations, always)).map(said)).toEqual(['was-so'])
    })

    test('more accounts than a page are found, each by its own key', async () => {
      const people = Array.from({ length: scene.traits.crowd }, () => scene.person())
      const ids = await scene.world.addAccounts(people)
      const outcomes = await scene.apply(people.map((somebody) => ensure(somebody)))
      expect(outcomes.map((outcome) => accountOf(outcome)?.nativeId)).toEqual(ids)
      const read = await scene.connector.accounts(ids, always.signal)
      expect(read.kind).toBe('complete')
      expect(read.items.map(({ nativeId }) => nativeId).sort()).toEqual(sorted(ids))
    })
  })
}
