import { describe, expect, test } from 'vitest'
import type { Operation } from '../../src/connectors/connector.ts'
import type { NativeId } from '../../src/domain/ids.ts'
import {
  accountOf,
  always,
  ensure,
  freshKey,
  type Group,
  grant,
  ifMade,
  ifOffered,
  ref,
  revoke,
  type Scene,
  said,
  sorted,
} from './world.ts'

export const membershipContract = (scene: Scene): void => {
  describe('memberships', () => {
    test('granted twice, revoked twice: each is changed once', async () => {
      const account = await scene.addAccount()
      const group = await scene.world.addGroup(freshKey())
      expect(await scene.saying([grant(account, group)])).toEqual(['changed'])
      expect(await scene.world.membersOf(group)).toEqual([account])
      expect(await scene.saying([grant(account, group)])).toEqual(['was-so'])
      expect(await scene.saying([revoke(account, group)])).toEqual(['changed'])
      expect(await scene.world.membersOf(group)).toEqual([])
      expect(await scene.settling([revoke(account, group)])).toEqual(['was-so'])
    })

    test('the evidence names both native ids and the read', async () => {
      const account = await scene.addAccount()
      const group = await scene.world.addGroup(freshKey())
      const [outcome] = await scene.apply([grant(account, group, false)])
      expect(outcome).toMatchObject({
        kind: 'done',
        evidence: { account, entitlement: group.nativeId, read: expect.stringMatching(/./) },
      })
    })

    test('an unknown entitlement and an unknown account are refused, and what stands beside them is done', async () => {
      const account = await scene.addAccount()
      const group = await scene.world.addGroup(freshKey())
      const gone = await scene.world.addGroup(freshKey())
      await scene.world.removeGroup(gone)
      const operations = [
        grant(account, gone),
        grant(account, gone, false),
        grant(scene.traits.unknownId, group),
        grant(account, group),
        revoke(account, gone),
        { op: 'disable', account: scene.traits.unknownId },
      ] as const
      expect(await scene.settling(operations)).toEqual([
        'refused:entitlement-missing',
        'refused:entitlement-missing',
        'refused:account-missing',
        'changed',
        'refused:entitlement-missing',
        ifOffered(scene, 'refused:account-missing'),
      ])
    })

    test('a name that now means another group is refused', async () => {
      const account = await scene.addAccount()
      const name = freshKey()
      const first = await scene.world.addGroup(name)
      await scene.world.removeGroup(first)
      const second = await scene.world.addGroup(name)
      expect(second.lookup).toBe(first.lookup)
      expect(await scene.saying([grant(account, first), revoke(account, first)])).toEqual([
        'refused:entitlement-changed-identity',
        'refused:entitlement-changed-identity',
      ])
      expect(
        (await scene.connector.observe([grant(account, first), revoke(account, first)], always)).map(said),
      ).toEqual(['refused:entitlement-changed-identity', 'refused:entitlement-changed-identity'])
      expect(await scene.world.membersOf(second)).toEqual([])
      expect(await scene.connector.resolveEntitlements([ref(second, false)], always.signal)).toEqual([
        { kind: 'found', nativeId: second.nativeId },
      ])
    })

    test('a mixed batch answers in its own order', async () => {
      const accounts = await scene.world.addAccounts(Array.from({ length: 20 }, () => scene.person()))
      const groups = [await scene.world.addGroup(freshKey()), await scene.world.addGroup(freshKey(), accounts)] as const
      const newcomer = scene.person()
      const operations: Operation[] = accounts.flatMap((account, at): Operation[] => [
        grant(account, groups[0]),
        at % 2 === 0 ? revoke(account, groups[1]) : { op: 'disable', account },
      ])
      operations.splice(7, 0, ensure(newcomer))
      const outcomes = await scene.apply(operations)
      expect(outcomes.map(said)).toEqual(
        operations.map(({ op }) => {
          if (op === 'disable') return ifOffered(scene, 'changed')
          return op === 'ensureAccount' ? ifMade(scene, 'changed') : 'changed'
        }),
      )
      for (const [at, operation] of operations.entries()) {
        const outcome = outcomes[at]
        if (operation.op === 'ensureAccount' || outcome?.kind !== 'done') continue
        expect(outcome.evidence.account).toBe(operation.account)
        if ('entitlement' in operation) expect(outcome.evidence.entitlement).toBe(operation.entitlement.nativeId)
      }
      expect(sorted(await scene.world.membersOf(groups[0]))).toEqual(sorted(accounts))
      expect(sorted(await scene.world.membersOf(groups[1]))).toEqual(sorted(accounts.filter((_, at) => at % 2 === 1)))
    })

    test('a huge group: one in, one out, and a batch', async () => {
      const size = Math.min(511, scene.traits.crowd, scene.traits.largestGroup)
      const crowd = await scene.world.addAccounts(Array.from({ length: size }, () => scene.person()))
      const [first, last] = [crowd[0] as NativeId, crowd[size - 1] as NativeId]
      const strangers = Math.min(5_000, scene.traits.largestGroup - size)
      const group = await scene.world.addGroup(freshKey(), crowd.slice(0, 12), strangers)
      expect(await scene.saying([grant(last, group), grant(first, group)])).toEqual(['changed', 'was-so'])
      expect(await scene.saying([revoke(first, group)])).toEqual(['changed'])
      const batch = crowd.slice(2, size - 1)
      expect(await scene.saying(batch.map((account) => grant(account, group)))).toEqual(
        batch.map((_, at) => (at < 10 ? 'was-so' : 'changed')),
      )
      expect(sorted(await scene.world.membersOf(group))).toEqual(sorted(crowd.slice(1)))
      expect(await scene.saying(batch.map((account) => revoke(account, group)))).toEqual(batch.map(() => 'changed'))
      expect(sorted(await scene.world.membersOf(group))).toEqual(sorted([crowd[1] as NativeId, last]))
      // Samba writes such a group for seconds, and other files are at work beside this one.
    })

    // Where an account is a name, contract-named-accounts.ts asks with the names that there can be.
    const labels = [
      ['comma, umlaut, hash, star, backslash', 'Doe, Jöhn #1 (x)*\\y'],
      ['leading and trailing space, quotes', ' "Leading" = + ; < > '],
      ['emoji and other planes', 'Zoë 🦊 𝒳 名前'],
      ['hash first, looks like an escape', '#\\2C \\\\ cn=admin,dc=x'],
      ['apostrophe, ampersand, percent, slash, question mark, dollar', "O'Hara & Co 5% a/b?c=$d"],
      ['what would end a filter, or fill a template', "') or ('1' eq '1*)(cn=*)|{username}$&%41"],
      ['a tab', 'Tab\there'],
      ['a line feed, where that may be', 'Line\nfeed'],
    ] as const
    test.each(scene.traits.accounts === 'kept' ? labels : [])('names with %s', async (_, label) => {
      const somebody = scene.person(label)
      const [created] = await scene.apply([ensure(somebody)])
      if (scene.traits.names?.test(label) === false) {
        expect(created).toMatchObject({
          kind: 'refused',
          reason: 'invalid',
          cause: { word: expect.stringMatching(/./) },
        })
        expect(await scene.world.accountsOf(somebody)).toEqual([])
        return
      }
      expect(said(created)).toBe('changed')
      const account = accountOf(created)?.nativeId as NativeId
      expect(accountOf(created)?.attributesHash).toBe(scene.connector.attributesHash(somebody.worker))
      const group = await scene.world.addGroup(`${label} ${freshKey()}`)
      expect(await scene.saying([grant(account, group, false)])).toEqual(['changed'])
      expect(await scene.world.membersOf(group)).toEqual([account])
      expect(await scene.saying([ensure(somebody), revoke(account, group), { op: 'disable', account }])).toEqual([
        'was-so',
        'changed',
        ifOffered(scene, 'changed'),
      ])
      expect(await scene.world.membersOf(group)).toEqual([])
    })

    test('a tab for a blank in the name: two people, whatever is asked of both together', async () => {
      const [fresh, kept] = [freshKey(), scene.traits.accounts === 'kept']
      const called = (displayName: string) => {
        const somebody = scene.person()
        return { ...somebody, worker: { ...somebody.worker, ...(kept ? { displayName } : {}) } }
      }
      const pair = await scene.world.addAccounts([called(`Jo Ann ${fresh}`), called(`Jo\tAnn ${fresh}`)])
      const [blank, tab] = pair as [NativeId, NativeId]
      const others = await scene.world.addAccounts(Array.from({ length: 9 }, () => scene.person()))
      const group = await scene.world.addGroup(freshKey(), [blank])
      for (const some of [[], others]) {
        const revokes = [blank, tab, ...some].map((account) => revoke(account, group))
        const words = ['not-so', 'was-so', ...some.map(() => 'was-so')]
        expect((await scene.connector.observe(revokes, always)).map(said)).toEqual(words)
        expect((await scene.connector.observe(revokes.toReversed(), always)).map(said)).toEqual(words.toReversed())
      }
      expect(await scene.settling([revoke(tab, group), grant(blank, group)])).toEqual(['was-so', 'was-so'])
      expect(await scene.saying([grant(tab, group), revoke(blank, group)])).toEqual(['changed', 'changed'])
      expect(await scene.world.membersOf(group)).toEqual([tab])
    })

    test('renamed between resolve and write: the person gets it, the old name does not', async () => {
      const account = await scene.addAccount()
      const bystander = await scene.addAccount()
      const group = await scene.world.addGroup(freshKey())
      scene.world.faults.atNextWrite('before-commit', () => scene.world.rename(account))
      expect(await scene.saying([grant(account, group), grant(bystander, group)])).toEqual(['changed', 'changed'])
      expect(sorted(await scene.world.membersOf(group))).toEqual(sorted([account, bystander]))
    })

    test('deleted and made again under its name between resolve and write: nobody gets into the other one', async () => {
      const account = await scene.addAccount()
      const name = freshKey()
      const group = await scene.world.addGroup(name)
      let other: Group | undefined
      scene.world.faults.atNextWrite('before-commit', async () => {
        await scene.world.removeGroup(group)
        other = await scene.world.addGroup(name)
      })
      expect(await scene.saying([grant(account, group)])).not.toEqual(['changed'])
      if (other === undefined) throw new Error('nothing was written')
      expect(other.nativeId).not.toBe(group.nativeId)
      expect(await scene.world.membersOf(other)).toEqual([])
    })

    test('what is observed is said, and nothing is changed by it', async () => {
      const somebody = scene.person()
      const [account] = (await scene.world.addAccounts([somebody])) as [NativeId]
      const [held, free] = [await scene.world.addGroup(freshKey(), [account]), await scene.world.addGroup(freshKey())]
      const operations = [
        grant(account, held),
        grant(account, free),
        revoke(account, held),
        revoke(account, free),
        { op: 'enable', account },
        { op: 'disable', account },
        ensure(somebody),
        ensure(scene.person()),
        grant(scene.traits.unknownId, held),
      ] as const
      const observed = await scene.connector.observe(operations, always)
      expect(observed.map(said)).toEqual([
        'was-so',
        'not-so',
        'not-so',
        'was-so',
        ifOffered(scene, 'was-so'),
        ifOffered(scene, 'not-so'),
        'was-so',
        ifMade(scene, 'not-so'),
        'refused:account-missing',
      ])
      expect(await scene.world.membersOf(held)).toEqual([account])
      expect(await scene.world.membersOf(free)).toEqual([])
      expect(await scene.world.canSignIn(account)).toBe(true)
    })

    test('direct grants of few and of many accounts are complete', async () => {
      const accounts = await scene.world.addAccounts(Array.from({ length: 130 }, () => scene.person()))
      const sets = [accounts, accounts.slice(0, 15), accounts.slice(-1)]
      const groups: Group[] = []
      for (const members of sets) groups.push(await scene.world.addGroup(freshKey(), members))
      for (const some of [accounts, accounts.slice(14, 16)]) {
        const read = await scene.connector.grantsOf(some, always.signal)
        expect(read.kind).toBe('complete')
        const expected = some.flatMap((account) =>
          groups.filter((_, at) => sets[at]?.includes(account)).map(({ nativeId }) => `${account} ${nativeId}`),
        )
        expect(read.items.map(({ account, entitlement }) => `${account} ${entitlement.nativeId}`).sort()).toEqual(
          expected.sort(),
        )
      }
    })
  })
}
