/**
 * What every connector must do, run against its real server. A connector joins with two lines: a world (the server, its
 * faults, and a witness that is not the connector) and a function that makes the connector.
 */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ApplyContext, Connector, EntitlementRef, Operation } from '../../src/connectors/connector.ts'
import type { EntitlementId, NativeId } from '../../src/domain/ids.ts'
import type { Outcome } from '../../src/domain/outcome.ts'
import type { WorkerAttributes } from '../../src/domain/worker-event.ts'

export type Group = { readonly lookup: string; readonly nativeId: NativeId }
export type Person = { readonly key: string; readonly worker: WorkerAttributes }
/** Before the request reaches the server, or when its answer is on the way back: the change is committed. */
export type Phase = 'before-commit' | 'after-commit'

/** The real server as somebody else sees it, and what can go wrong on the way to it. */
export type World = {
  /** A person's attributes as HR would tell them; `name` may hold any character. */
  readonly person: (key: string, name?: string) => Person
  /** Makes accounts past the connector, able to sign in. */
  readonly addAccounts: (people: readonly Person[]) => Promise<readonly NativeId[]>
  /** Makes a second account with the correlation of the first. */
  readonly addTwin: (person: Person) => Promise<void>
  /** `strangers`: so many members more that are no accounts of ours. */
  readonly addGroup: (name: string, members?: readonly NativeId[], strangers?: number) => Promise<Group>
  /** Accounts that really have the membership: whose sign-in would carry it. */
  readonly membersOf: (group: Group) => Promise<readonly NativeId[]>
  readonly accountsOf: (person: Person) => Promise<readonly NativeId[]>
  readonly canSignIn: (account: NativeId) => Promise<boolean>
  /** The same account under another name. */
  readonly rename: (account: NativeId) => Promise<void>
  readonly removeGroup: (group: Group) => Promise<void>
  readonly faults: {
    /** The next write breaks the connection, or meets what is done meanwhile. */
    readonly atNextWrite: (phase: Phase, act: 'drop' | 'no-answer' | (() => Promise<void>)) => void
    readonly dropAll: () => void
    readonly down: () => Promise<void>
    readonly up: () => Promise<void>
  }
  readonly close: () => Promise<void>
}

const freshName = (): string => `k${randomBytes(5).toString('hex')}`
export const always: ApplyContext = { signal: new AbortController().signal, mayWrite: () => true }
const unknownId = '00000000-0000-4000-8000-000000000000' as NativeId

export const ref = (group: Group, pinned = true): EntitlementRef => ({
  id: 1 as EntitlementId,
  lookup: group.lookup,
  nativeId: pinned ? group.nativeId : null,
})
export const grant = (account: NativeId, group: Group, pinned = true): Operation => ({
  op: 'grant',
  account,
  entitlement: ref(group, pinned),
})
export const revoke = (account: NativeId, group: Group, pinned = true): Operation => ({
  op: 'revoke',
  account,
  entitlement: ref(group, pinned),
})
export const ensure = (person: Person, create = true, account: NativeId | null = null): Operation => ({
  op: 'ensureAccount',
  wanted: { correlation: { value: person.key }, worker: person.worker, attributesHash: '' },
  create,
  account,
})

/** `done`, `refused:account-missing`, `retry:lease` …: an outcome in one word, for lists. */
export const said = (outcome: Outcome | undefined): string => {
  if (outcome === undefined) return 'nothing'
  if (outcome.kind === 'done') return outcome.changed ? 'changed' : 'was-so'
  return outcome.kind === 'refused' ? `refused:${outcome.reason}` : outcome.kind
}
const accountOf = (outcome: Outcome | undefined) => (outcome?.kind === 'done' ? outcome.account : undefined)
const grantsOf = (outcome: Outcome | undefined) =>
  outcome?.kind === 'done' ? outcome.grants?.map(({ nativeId }) => nativeId).sort() : undefined

export const connectorContract = <W extends World>(
  name: string,
  make: (world: W) => Connector,
  openWorld: () => Promise<W>,
): void => {
  describe(`${name} keeps the connector contract`, () => {
    let world: W
    let connector: Connector
    beforeAll(async () => {
      world = await openWorld()
      connector = make(world)
    })
    afterAll(async () => {
      await connector?.close()
      await world?.close()
    })

    const apply = async (operations: readonly Operation[], context = always) => connector.apply(operations, context)
    const saying = async (operations: readonly Operation[], context = always) =>
      (await apply(operations, context)).map(said)
    const person = (label?: string) => world.person(freshName(), label)
    const addAccount = async (label?: string) => (await world.addAccounts([person(label)]))[0] as NativeId
    const sorted = (ids: readonly NativeId[]) => [...ids].sort()

    test('is reachable and says who it is', async () => {
      expect(await connector.check(always.signal)).toEqual({ ok: true, problems: [] })
    })

    describe('accounts', () => {
      test('nobody has the key: created once, then found again', async () => {
        const somebody = person()
        const [created] = await apply([ensure(somebody)])
        expect(said(created)).toBe('changed')
        expect(accountOf(created)).toMatchObject({
          origin: 'created',
          enabled: true,
          attributesHash: connector.attributesHash(somebody.worker),
        })
        expect(await world.accountsOf(somebody)).toEqual([accountOf(created)?.nativeId])

        const [again] = await apply([ensure(somebody)])
        expect(said(again)).toBe('was-so')
        expect(accountOf(again)).toMatchObject({ origin: 'linked', nativeId: accountOf(created)?.nativeId })
      })

      test('somebody else creates accounts: waits, and creates nothing', async () => {
        const somebody = person()
        expect(await apply([ensure(somebody, false)])).toMatchObject([
          { kind: 'retry', cause: { word: 'account-missing' } },
        ])
        expect(await world.accountsOf(somebody)).toEqual([])
      })

      test('one has the key: linked, with the groups that it holds already', async () => {
        const somebody = person()
        const [account] = (await world.addAccounts([somebody])) as [NativeId]
        const [one, other] = [
          await world.addGroup(freshName(), [account]),
          await world.addGroup(freshName(), [account]),
        ]
        const [linked] = await apply([ensure(somebody)])
        expect(accountOf(linked)).toMatchObject({ origin: 'linked', nativeId: account })
        expect(grantsOf(linked)).toEqual(sorted([one.nativeId, other.nativeId]))
      })

      test('several have the key: refused, nothing is changed', async () => {
        const somebody = person()
        await world.addAccounts([somebody])
        await world.addTwin(somebody)
        expect(await saying([ensure(somebody)])).toEqual(['refused:account-ambiguous'])
        expect(await world.accountsOf(somebody)).toHaveLength(2)
      })

      test('somebody else has the name: refused, nothing is created', async () => {
        const holder = person()
        await world.addAccounts([holder])
        const latecomer = { key: freshName(), worker: { ...holder.worker, personKey: freshName() } }
        expect(await saying([ensure(latecomer)])).toEqual(['refused:name-taken'])
        expect(await world.accountsOf(latecomer)).toEqual([])
      })

      test('attributes that differ are updated, also of a known account', async () => {
        const before = person('Before')
        const [account] = (await world.addAccounts([before])) as [NativeId]
        const after = { key: before.key, worker: { ...before.worker, displayName: 'After', familyName: 'After' } }
        const [updated] = await apply([ensure(after, true, account)])
        expect(said(updated)).toBe('changed')
        expect(accountOf(updated)).toMatchObject({
          origin: 'known',
          attributesHash: connector.attributesHash(after.worker),
        })
        expect(await saying([ensure(after, true, account)])).toEqual(['was-so'])
        expect(connector.attributesHash(before.worker)).not.toBe(connector.attributesHash(after.worker))
      })

      test('a known account that is gone is refused, not made again', async () => {
        expect(await saying([ensure(person(), true, unknownId)])).toEqual(['refused:account-missing'])
      })

      test('disabled: a sign-in that worked is refused; enabled: it works again', async () => {
        const account = await addAccount()
        const group = await world.addGroup(freshName(), [account])
        expect(await world.canSignIn(account)).toBe(true)
        const [disabled] = await apply([{ op: 'disable', account }])
        expect(said(disabled)).toBe('changed')
        expect(accountOf(disabled)).toMatchObject({ enabled: false, nativeId: account })
        expect(grantsOf(disabled)).toEqual([group.nativeId])
        expect(await world.canSignIn(account)).toBe(false)
        expect(await saying([{ op: 'disable', account }])).toEqual(['was-so'])
        expect(await saying([{ op: 'enable', account }])).toEqual(['changed'])
        expect(await world.canSignIn(account)).toBe(true)
        expect(await saying([{ op: 'enable', account }])).toEqual(['was-so'])
      })

      test('more accounts than a page are found, each by its own key', async () => {
        const people = Array.from({ length: 1_050 }, () => person())
        const ids = await world.addAccounts(people)
        const outcomes = await apply(people.map((somebody) => ensure(somebody)))
        expect(outcomes.map((outcome) => accountOf(outcome)?.nativeId)).toEqual(ids)
        const read = await connector.accounts(ids, always.signal)
        expect(read.kind).toBe('complete')
        expect(read.items.map(({ nativeId }) => nativeId).sort()).toEqual(sorted(ids))
      })
    })

    describe('memberships', () => {
      test('granted twice, revoked twice: each is changed once', async () => {
        const account = await addAccount()
        const group = await world.addGroup(freshName())
        expect(await saying([grant(account, group)])).toEqual(['changed'])
        expect(await world.membersOf(group)).toEqual([account])
        expect(await saying([grant(account, group)])).toEqual(['was-so'])
        expect(await saying([revoke(account, group)])).toEqual(['changed'])
        expect(await world.membersOf(group)).toEqual([])
        expect(await saying([revoke(account, group)])).toEqual(['was-so'])
      })

      test('the evidence names both native ids and the read', async () => {
        const account = await addAccount()
        const group = await world.addGroup(freshName())
        const [outcome] = await apply([grant(account, group, false)])
        expect(outcome).toMatchObject({
          kind: 'done',
          evidence: { account, entitlement: group.nativeId, read: expect.stringMatching(/./) },
        })
      })

      test('an unknown entitlement and an unknown account are refused, and what stands beside them is done', async () => {
        const account = await addAccount()
        const group = await world.addGroup(freshName())
        const gone = await world.addGroup(freshName())
        await world.removeGroup(gone)
        const operations = [
          grant(account, gone),
          grant(account, gone, false),
          grant(unknownId, group),
          grant(account, group),
          revoke(account, gone),
          { op: 'disable', account: unknownId },
        ] as const
        expect(await saying(operations)).toEqual([
          'refused:entitlement-missing',
          'refused:entitlement-missing',
          'refused:account-missing',
          'changed',
          'refused:entitlement-missing',
          'refused:account-missing',
        ])
      })

      test('a name that now means another group is refused', async () => {
        const account = await addAccount()
        const name = freshName()
        const first = await world.addGroup(name)
        await world.removeGroup(first)
        const second = await world.addGroup(name)
        expect(second.lookup).toBe(first.lookup)
        expect(await saying([grant(account, first), revoke(account, first)])).toEqual([
          'refused:entitlement-changed-identity',
          'refused:entitlement-changed-identity',
        ])
        expect(await world.membersOf(second)).toEqual([])
        expect(await connector.resolveEntitlements([ref(second, false)], always.signal)).toEqual([
          { kind: 'found', nativeId: second.nativeId },
        ])
      })

      test('a mixed batch answers in its own order', async () => {
        const accounts = await world.addAccounts(Array.from({ length: 20 }, () => person()))
        const groups = [await world.addGroup(freshName()), await world.addGroup(freshName(), accounts)] as const
        const newcomer = person()
        const operations: Operation[] = accounts.flatMap((account, at): Operation[] => [
          grant(account, groups[0]),
          at % 2 === 0 ? revoke(account, groups[1]) : { op: 'disable', account },
        ])
        operations.splice(7, 0, ensure(newcomer))
        const outcomes = await apply(operations)
        expect(outcomes.map(said)).toEqual(operations.map(() => 'changed'))
        for (const [at, operation] of operations.entries()) {
          const outcome = outcomes[at]
          if (operation.op === 'ensureAccount' || outcome?.kind !== 'done') continue
          expect(outcome.evidence.account).toBe(operation.account)
          if ('entitlement' in operation) expect(outcome.evidence.entitlement).toBe(operation.entitlement.nativeId)
        }
        expect(sorted(await world.membersOf(groups[0]))).toEqual(sorted(accounts))
        expect(sorted(await world.membersOf(groups[1]))).toEqual(sorted(accounts.filter((_, at) => at % 2 === 1)))
      })

      test('a huge group: one in, one out, and a batch', async () => {
        const crowd = await world.addAccounts(Array.from({ length: 511 }, () => person()))
        const [first, last] = [crowd[0] as NativeId, crowd[510] as NativeId]
        const group = await world.addGroup(freshName(), crowd.slice(0, 12), 5_000)
        expect(await saying([grant(last, group), grant(first, group)])).toEqual(['changed', 'was-so'])
        expect(await saying([revoke(first, group)])).toEqual(['changed'])
        const batch = crowd.slice(2, 510)
        expect(await saying(batch.map((account) => grant(account, group)))).toEqual(
          batch.map((_, at) => (at < 10 ? 'was-so' : 'changed')),
        )
        expect(sorted(await world.membersOf(group))).toEqual(sorted(crowd.slice(1)))
        expect(await saying(batch.map((account) => revoke(account, group)))).toEqual(batch.map(() => 'changed'))
        expect(sorted(await world.membersOf(group))).toEqual(sorted([crowd[1] as NativeId, last]))
      })

      test.each([
        ['comma, umlaut, hash, star, backslash', 'Doe, Jöhn #1 (x)*\\y'],
        ['leading and trailing space, quotes', ' "Leading" = + ; < > '],
        ['emoji and other planes', 'Zoë 🦊 𝒳 名前'],
        ['hash first, looks like an escape', '#\\2C \\\\ cn=admin,dc=x'],
      ])('names with %s', async (_, label) => {
        const somebody = person(label)
        const [created] = await apply([ensure(somebody)])
        expect(said(created)).toBe('changed')
        const account = accountOf(created)?.nativeId as NativeId
        expect(accountOf(created)?.attributesHash).toBe(connector.attributesHash(somebody.worker))
        const group = await world.addGroup(`${label} ${freshName()}`)
        expect(await saying([grant(account, group, false)])).toEqual(['changed'])
        expect(await world.membersOf(group)).toEqual([account])
        expect(await saying([ensure(somebody), revoke(account, group), { op: 'disable', account }])).toEqual([
          'was-so',
          'changed',
          'changed',
        ])
        expect(await world.membersOf(group)).toEqual([])
      })

      test('renamed between resolve and write: the person gets it, the old name does not', async () => {
        const account = await addAccount()
        const bystander = await addAccount()
        const group = await world.addGroup(freshName())
        world.faults.atNextWrite('before-commit', () => world.rename(account))
        expect(await saying([grant(account, group), grant(bystander, group)])).toEqual(['changed', 'changed'])
        expect(sorted(await world.membersOf(group))).toEqual(sorted([account, bystander]))
      })

      test('what is observed is said, and nothing is changed by it', async () => {
        const somebody = person()
        const [account] = (await world.addAccounts([somebody])) as [NativeId]
        const [held, free] = [await world.addGroup(freshName(), [account]), await world.addGroup(freshName())]
        const operations = [
          grant(account, held),
          grant(account, free),
          revoke(account, held),
          revoke(account, free),
          { op: 'enable', account },
          { op: 'disable', account },
          ensure(somebody),
          ensure(person()),
          grant(unknownId, held),
        ] as const
        const observed = await connector.observe(operations, always.signal)
        expect(observed.map(said)).toEqual([
          'was-so',
          'retry',
          'retry',
          'was-so',
          'was-so',
          'retry',
          'was-so',
          'retry',
          'refused:account-missing',
        ])
        expect(await world.membersOf(held)).toEqual([account])
        expect(await world.membersOf(free)).toEqual([])
        expect(await world.canSignIn(account)).toBe(true)
      })

      test('direct grants of few and of many accounts are complete', async () => {
        const accounts = await world.addAccounts(Array.from({ length: 130 }, () => person()))
        const sets = [accounts, accounts.slice(0, 15), accounts.slice(-1)]
        const groups: Group[] = []
        for (const members of sets) groups.push(await world.addGroup(freshName(), members))
        for (const some of [accounts, accounts.slice(14, 16)]) {
          const read = await connector.grantsOf(some, always.signal)
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

    describe('bad days', () => {
      test('the lease is over: nothing is written', async () => {
        const account = await addAccount()
        const group = await world.addGroup(freshName())
        const newcomer = person()
        const operations = [grant(account, group), { op: 'disable', account }, ensure(newcomer)] as const
        const over = { signal: always.signal, mayWrite: () => false }
        for (const context of [over, { signal: AbortSignal.abort(), mayWrite: () => true }]) {
          expect(await apply(operations, context)).toMatchObject(
            operations.map(() => ({ kind: 'retry', cause: { word: 'lease' } })),
          )
        }
        expect(await world.membersOf(group)).toEqual([])
        expect(await world.accountsOf(newcomer)).toEqual([])
        expect(await world.canSignIn(account)).toBe(true)
      })

      test('the lease ends between two writes: the first is done and proved, the second has not begun', async () => {
        const account = await addAccount()
        const groups = [await world.addGroup(freshName()), await world.addGroup(freshName())] as const
        let left = 2
        const outcomes = await apply([grant(account, groups[0]), grant(account, groups[1])], {
          signal: always.signal,
          mayWrite: () => left-- > 0,
        })
        expect(outcomes.map(said)).toEqual(['changed', 'retry'])
        expect(await world.membersOf(groups[1])).toEqual([])
      })

      test('the answer to a change is lost: unknown; read back, it is there; repeated, it was so', async () => {
        const account = await addAccount()
        const group = await world.addGroup(freshName())
        world.faults.atNextWrite('after-commit', 'drop')
        expect(await saying([grant(account, group)])).toEqual(['unknown'])
        expect(await world.membersOf(group)).toEqual([account])
        expect((await connector.observe([grant(account, group)], always.signal)).map(said)).toEqual(['was-so'])
        expect(await saying([grant(account, group)])).toEqual(['was-so'])
      })

      test('the connection breaks before the change arrives: never said to be done, and repeating does it', async () => {
        const account = await addAccount()
        const group = await world.addGroup(freshName())
        world.faults.atNextWrite('before-commit', 'drop')
        expect(await saying([grant(account, group)])).toEqual(['unknown'])
        expect(await world.membersOf(group)).toEqual([])
        expect((await connector.observe([grant(account, group)], always.signal)).map(said)).toEqual(['retry'])
        expect(await saying([grant(account, group)])).toEqual(['changed'])
      })

      test('the answer never comes: unknown within the timeout', async () => {
        const account = await addAccount()
        const group = await world.addGroup(freshName())
        world.faults.atNextWrite('after-commit', 'no-answer')
        expect(await saying([grant(account, group)])).toEqual(['unknown'])
        expect(await saying([grant(account, group)])).toEqual(['was-so'])
      })

      test('the answer to a creation is lost: repeated, it finds what it made', async () => {
        const somebody = person()
        world.faults.atNextWrite('after-commit', 'drop')
        expect(await saying([ensure(somebody)])).toEqual(['unknown'])
        const [again] = await apply([ensure(somebody)])
        expect(accountOf(again)?.origin).toBe('linked')
        expect(await world.accountsOf(somebody)).toEqual([accountOf(again)?.nativeId])
      })

      test('idle connections were dropped: the next call does not notice', async () => {
        const account = await addAccount()
        const group = await world.addGroup(freshName())
        await apply([revoke(account, group)])
        world.faults.dropAll()
        expect(await saying([grant(account, group)])).toEqual(['changed'])
      })

      test('the server is down: surely not applied; up again: the same connector works', async () => {
        const account = await addAccount()
        const group = await world.addGroup(freshName())
        const operations = [grant(account, group), { op: 'disable', account }, ensure(person())] as const
        await world.faults.down()
        try {
          expect(await saying(operations)).toEqual(['retry', 'retry', 'retry'])
          expect((await connector.observe(operations, always.signal)).map(said)).toEqual(['retry', 'retry', 'retry'])
          expect((await connector.grantsOf([account], always.signal)).kind).toBe('partial')
          expect((await connector.check(always.signal)).ok).toBe(false)
          expect(await connector.resolveEntitlements([ref(group)], always.signal)).toMatchObject([{ kind: 'failed' }])
        } finally {
          await world.faults.up()
        }
        expect(await saying(operations)).toEqual(['changed', 'changed', 'changed'])
      })
    })
  })
}
