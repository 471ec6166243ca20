import { describe, expect, test } from 'vitest'
import { isElsewhere } from '../../src/domain/outcome.ts'
import {
  accountOf,
  always,
  ensure,
  freshKey,
  grant,
  ifMade,
  ifOffered,
  onceSent,
  ref,
  revoke,
  roundTrip,
  type Scene,
  said,
} from './world.ts'

export const badDayContract = (scene: Scene): void => {
  describe('bad days', () => {
    test('the lease is over: nothing is written', async () => {
      const account = await scene.addAccount()
      const group = await scene.world.addGroup(freshKey())
      const newcomer = scene.person()
      const operations = [grant(account, group), { op: 'disable', account }, ensure(newcomer)] as const
      const over = { signal: always.signal, mayWrite: () => false }
      for (const context of [over, { signal: AbortSignal.abort(), mayWrite: () => true }]) {
        expect(await scene.apply(operations, context)).toMatchObject(
          operations.map(({ op }) =>
            op === 'disable' && scene.connector.manifest.disable === 'none'
              ? { kind: 'refused', cause: { word: 'not-offered' } }
              : op === 'ensureAccount' && scene.traits.accounts === 'named'
                ? { kind: 'done', changed: false }
                : { kind: 'retry', cause: { word: 'lease' } },
          ),
        )
      }
      expect(await scene.world.membersOf(group)).toEqual([])
      if (scene.traits.accounts === 'kept') expect(await scene.world.accountsOf(newcomer)).toEqual([])
      expect(await scene.world.canSignIn(account)).toBe(true)
    })

    test('the lease ends between two writes: the first is done and proved, the second has not begun', async () => {
      const account = await scene.addAccount()
      const groups = [await scene.world.addGroup(freshKey()), await scene.world.addGroup(freshKey())] as const
      let left = 1
      const outcomes = await scene.apply([grant(account, groups[0]), grant(account, groups[1])], {
        signal: always.signal,
        mayWrite: () => left-- > 0,
      })
      expect(outcomes.map(said)).toEqual(['changed', 'retry'])
      expect(await scene.world.membersOf(groups[1])).toEqual([])
    })

    test('the answer to a change is lost: unknown; read back, it is there; repeated, it was so', async () => {
      const account = await scene.addAccount()
      const group = await scene.world.addGroup(freshKey())
      scene.world.faults.atNextWrite('after-commit', 'drop')
      expect(await scene.saying([grant(account, group)])).toEqual(['unknown'])
      expect(await scene.world.membersOf(group)).toEqual([account])
      expect((await scene.connector.observe([grant(account, group)], always)).map(said)).toEqual(['was-so'])
      expect(await scene.saying([grant(account, group)])).toEqual(['was-so'])
    })

    test('the connection breaks before the change arrives: never said to be done, and repeating does it', async () => {
      const account = await scene.addAccount()
      const group = await scene.world.addGroup(freshKey())
      scene.world.faults.atNextWrite('before-commit', 'drop')
      expect(await scene.saying([grant(account, group)])).toEqual(['unknown'])
      expect(await scene.world.membersOf(group)).toEqual([])
      expect((await scene.connector.observe([grant(account, group)], always)).map(said)).toEqual(['not-so'])
      expect(await scene.saying([grant(account, group)])).toEqual(['changed'])
    })

    test('what may have been sent within the settling time: no read is believed, whatever it shows', async () => {
      const account = await scene.addAccount()
      const group = await scene.world.addGroup(freshKey())
      const operations = [grant(account, group), revoke(account, group), grant(account, group)]
      const { settleMs } = scene.connector.manifest
      const asked = async (ms: number) =>
        (await scene.connector.observe(operations, { ...always, sentMsAgo: [ms, ms, null] })).map(said)
      expect(await asked(settleMs)).toEqual(['not-so', 'was-so', 'not-so'])
      expect(await asked(Math.max(0, settleMs - 1))).toEqual(
        settleMs === 0 ? ['not-so', 'was-so', 'not-so'] : ['unknown', 'unknown', 'not-so'],
      )
    })

    test('the answer never comes: unknown within the timeout', async () => {
      const account = await scene.addAccount()
      const group = await scene.world.addGroup(freshKey())
      const impatient = scene.world.impatient()
      scene.world.faults.atNextWrite('after-commit', 'no-answer')
      expect(await onceSent(async () => (await impatient.apply([grant(account, group)], always))[0])).toBe('unknown')
      await impatient.close()
      expect(await scene.saying([grant(account, group)])).toEqual(['was-so'])
    })

    if (scene.traits.accounts === 'kept')
      test('the answer to a creation is lost: repeated, it finds what it made', async () => {
        const somebody = scene.person()
        scene.world.faults.atNextWrite('after-commit', 'drop')
        expect(await scene.saying([ensure(somebody)])).toEqual(['unknown'])
        const [again] = await scene.apply([ensure(somebody)])
        expect(accountOf(again)?.origin).toBe('linked')
        expect(await scene.world.accountsOf(somebody)).toEqual([accountOf(again)?.nativeId])
      })

    test('idle connections were dropped: the next call does not notice', async () => {
      const account = await scene.addAccount()
      const group = await scene.world.addGroup(freshKey())
      await scene.apply([revoke(account, group)])
      scene.world.faults.dropAll()
      await roundTrip()
      expect(await scene.saying([grant(account, group)])).toEqual(['changed'])
    })

    test('the server is down: surely not applied; up again: the same connector works', async () => {
      const account = await scene.addAccount()
      const group = await scene.world.addGroup(freshKey())
      const operations = [grant(account, group), { op: 'disable', account }, ensure(scene.person())] as const
      await scene.world.faults.down()
      try {
        const applied = await scene.apply(operations)
        expect(applied.map(said)).toEqual(['retry', ifOffered(scene, 'retry'), 'retry'])
        const observed = await scene.connector.observe(operations, always)
        expect(observed.map(said)).toEqual(['unknown', ifOffered(scene, 'unknown'), 'unknown'])
        // However long: it is the target's trouble, and nobody's action is given up for it.
        for (const outcome of [...applied, ...observed])
          if (outcome.kind !== 'refused') expect('cause' in outcome && isElsewhere(outcome.cause)).toBe(true)
        expect((await scene.connector.grantsOf([account], always.signal)).kind).toBe('partial')
        expect((await scene.connector.check(always.signal)).ok).toBe(false)
        expect(await scene.connector.resolveEntitlements([ref(group)], always.signal)).toMatchObject([
          { kind: 'failed' },
        ])
      } finally {
        await scene.world.faults.up()
      }
      expect(await scene.saying(operations)).toEqual(['changed', ifOffered(scene, 'changed'), ifMade(scene, 'changed')])
    })
  })
}
