import { describe, expect, test } from 'vitest'
import {
  type ApplyContext,
  type Connector,
  notSo,
  type Operation,
  type OwnThing,
} from '../../../src/connectors/connector.ts'
import { linkable } from '../../../src/connectors/linkable.ts'
import { protecting } from '../../../src/connectors/protecting.ts'
import type { EntitlementId, NativeId } from '../../../src/domain/ids.ts'
import { isElsewhere, type Outcome, type RefusalReason, refusalReasons } from '../../../src/domain/outcome.ts'

const operation: Operation = { op: 'disable', account: 'a' as NativeId }
const done: Outcome = {
  kind: 'done',
  changed: true,
  evidence: { read: 'account', code: '', account: operation.account, entitlement: null },
}
const context = { signal: new AbortController().signal, mayWrite: () => true }

test('a budget that the database does not answer once, while it is asked who Muster is, does not end all work for ever', async () => {
  let asked = 0
  const connector = protecting(
    {
      // As of aws-iam: each read draws on the budget first, which throws while PostgreSQL is away.
      own: async () => {
        asked += 1
        if (asked === 1) throw new Error('connection terminated')
        return { kind: 'complete', items: [] }
      },
      observe: async () => [done],
      apply: async () => [done],
    } as unknown as Connector,
    { accounts: [], entitlements: [] },
  )
  await connector.apply([operation], context).catch(() => {})
  expect(await connector.apply([operation], context)).toEqual([done])
  expect(asked).toBe(2)
})

test('a person key that comes to stand on the account of Muster itself links nobody to it', async () => {
  const own = 'own' as NativeId
  const ensure: Operation = {
    op: 'ensureAccount',
    create: true,
    account: null,
    wanted: { correlation: { value: 'P-1' }, worker: { personKey: 'P-1' }, attributesHash: '' },
  }
  /** Found by the key that somebody wrote there after Muster had started. */
  const linked: Outcome = {
    kind: 'done',
    changed: true,
    evidence: { read: 'account-entry', code: '0', account: own, entitlement: null },
    account: { nativeId: own, enabled: true, attributesHash: 'h', origin: 'linked' },
    grants: [],
  }
  const word = { kind: 'refused', reason: 'protected', cause: { word: 'own-account' } }
  const asked: unknown[] = []
  const connector = protecting(
    {
      own: async () => ({ kind: 'complete', items: [{ kind: 'account', nativeId: own }] }),
      apply: async (_: readonly Operation[], { linkRefusals }: ApplyContext) => {
        asked.push(...((await linkRefusals?.([own, 'other' as NativeId, 'taken' as NativeId])) ?? []))
        return [linked]
      },
    } as unknown as Connector,
    { accounts: [], entitlements: [] },
  )
  // Even a connector that does not ask, and says that it is linked, links nobody.
  const taken = { kind: 'refused', reason: 'account-ambiguous', cause: { code: '', word: 'taken' } } as const
  const linkRefusals = async (accounts: readonly NativeId[]) =>
    new Map(accounts.filter((one) => one === 'taken').map((one) => [one, taken]))
  expect(await connector.apply([ensure], { ...context, linkRefusals })).toMatchObject([word])
  expect(asked.sort()).toMatchObject([
    [own, word],
    ['taken', taken],
  ])
})

describe('what the target calls an entitlement decides, too', () => {
  const pinned = { id: 1 as EntitlementId, lookup: '<an id>', nativeId: 'g-1' as NativeId }
  const grant: Operation = { op: 'grant', account: 'a' as NativeId, entitlement: pinned }
  const revoke: Operation = { ...grant, op: 'revoke' }
  const unpinned: Operation = { ...grant, entitlement: { ...pinned, nativeId: null } }
  const opened = (entitlements: string[], names: Connector['entitlementNames'], observed: readonly Outcome[] = []) => {
    const asked: unknown[] = []
    const connector = protecting(
      {
        entitlementNames: async (ids: readonly NativeId[], signal: AbortSignal) => {
          asked.push(ids)
          return (await names?.(ids, signal)) as never
        },
        resolveEntitlements: async () => [{ kind: 'found', nativeId: pinned.nativeId }],
        observe: async () => observed,
        apply: async (some: readonly Operation[]) => some.map(() => done),
      } as unknown as Connector,
      { accounts: [], entitlements },
    )
    return { asked, apply: (...some: Operation[]) => connector.apply(some, context) }
  }
  const called =
    (name: string): Connector['entitlementNames'] =>
    async (ids) => ({ kind: 'complete', items: ids.map((nativeId) => ({ nativeId, name })) })

  test('neither granted nor revoked, pinned or not; asked once for a while', async () => {
    const { apply, asked } = opened(['break glass*'], called('Break Glass 1'))
    const word = { kind: 'refused', reason: 'protected', cause: { word: 'protected-entitlement' } }
    expect(await apply(grant, revoke, unpinned, operation)).toMatchObject([word, word, word, done])
    expect(await apply(grant)).toMatchObject([word])
    expect(asked).toEqual([['g-1']])
  })

  test('not asked where nothing is protected, nor of what is protected by its name already', async () => {
    const nothing = opened([], called('Break Glass 1'))
    expect(await nothing.apply(grant)).toEqual([done])
    const named = opened(['<an*'], called('x'))
    expect(await named.apply(grant)).toMatchObject([{ kind: 'refused' }])
    expect([...nothing.asked, ...named.asked]).toEqual([])
  })

  const untold: Connector['entitlementNames'] = async () => ({ kind: 'partial', items: [], cause: 'busy' })
  /** However often: it parks nobody. */
  const waits: Outcome = { kind: 'retry', cause: { code: '', word: 'not-read-before', elsewhere: true } }

  test('unread, it waits; what is not there has nothing to protect', async () => {
    const unread = opened(['break*'], untold)
    expect(await unread.apply(grant, operation)).toEqual([waits, done])
    const gone = opened(['break*'], async () => ({ kind: 'complete', items: [] }))
    expect(await gone.apply(revoke)).toEqual([done])
  })

  const away = { code: '503', word: 'unavailable', elsewhere: true } as const
  const refused = (reason: RefusalReason): Outcome => ({ kind: 'refused', reason, cause: { code: '404', word: 'x' } })
  test.each<[string, Outcome, Outcome]>([
    [
      'busy',
      { kind: 'throttled', retryAfterMs: 7_000, scope: 'target' },
      { kind: 'throttled', retryAfterMs: 7_000, scope: 'target' },
    ],
    ['away', { kind: 'unknown', cause: away }, { kind: 'retry', cause: away }],
    ['unread for its own sake', { kind: 'unknown', cause: { code: '', word: 'unreadable-account' } }, waits],
    ['well by now', done, waits],
    ['well by now, and it is not so', { kind: 'retry', cause: { code: '', word: notSo } }, waits],
    ...refusalReasons.map((reason): [string, Outcome, Outcome] => [
      `refused: ${reason}`,
      refused(reason),
      // Who reads is refused; what else one replica says, apply would not believe at once.
      ['not-allowed', 'invalid', 'configuration', 'credential'].includes(reason) ? refused(reason) : waits,
    ]),
  ])('unread, while the target is %s: only what is the reader’s own trouble is told', async (_, observed, told) => {
    const { apply } = opened(['break*'], untold, [observed])
    expect(await apply(revoke, operation)).toEqual([told, done])
  })
})

describe('who must not be linked', () => {
  const own = 'own' as NativeId
  const wanted = { correlation: { value: 'P-1' }, worker: { personKey: 'P-1' }, attributesHash: '' }
  const ensure: Operation = { op: 'ensureAccount', create: true, account: null, wanted }
  const disable: Operation = { op: 'disable', account: own }
  const found: Outcome = {
    ...done,
    account: { nativeId: own, enabled: false, attributesHash: 'h', origin: 'linked' },
  }
  const word = { kind: 'refused', reason: 'protected', cause: { word: 'protected-account' } }
  const protection = { accounts: ['OWN'], entitlements: [] }

  test('is not when a later look finds them either; what was begun with them is told as it ended', async () => {
    const connector = protecting(
      { poll: async (asked: readonly unknown[]) => asked.map(() => found) } as unknown as Connector,
      protection,
    )
    const pending = [ensure, disable].map((operation) => ({ operation, handle: '' }))
    expect(await connector.poll?.(pending, context.signal)).toMatchObject([word, found])
    expect(protecting({} as unknown as Connector, protection)).not.toHaveProperty('poll')
  })

  test('a change of somebody known is told as it ended, whatever became known of them meanwhile', async () => {
    let items: readonly OwnThing[] = []
    let now = 0
    const connector: Connector = protecting(
      {
        own: async () => ({ kind: 'complete', items }),
        observe: async () => [found],
        apply: async () => {
          items = [{ kind: 'account', nativeId: own }]
          now = 300_000
          await connector.protects?.(own, context.signal)
          return [found]
        },
      } as unknown as Connector,
      { accounts: [], entitlements: [] },
      () => now,
    )
    expect(await connector.apply([disable], context)).toEqual([found])
    expect(await connector.apply([disable], context)).toMatchObject([{ kind: 'refused' }])
  })

  test.each(['', undefined])('who they are cannot be read (%o): neither written nor linked', async (id) => {
    const outcomes: (Outcome | undefined)[] = []
    const matched = [
      { index: 0, operation: ensure },
      { index: 1, operation: { account: own } },
    ]
    expect(await linkable(matched, () => id as NativeId | undefined, {}, outcomes)).toEqual([matched[1]])
    expect(outcomes).toEqual([{ kind: 'retry', cause: { code: '', word: 'unreadable-account' } }])
  })
})

test('that nobody is Muster is asked again after five minutes; who is, never; what is not told keeps what was', async () => {
  let now = 0
  let told: readonly unknown[] | null = []
  let asked = 0
  const connector = protecting(
    {
      own: async () => {
        asked += 1
        return told === null ? { kind: 'partial', items: [], cause: 'away' } : { kind: 'complete', items: told }
      },
      observe: async () => [done],
      apply: async () => [done],
    } as unknown as Connector,
    { accounts: [], entitlements: [] },
    () => now,
  )
  const said = async () => ((await connector.apply([operation], context))[0] as Outcome).kind
  expect(await said()).toBe('done')
  // Its entry can be read now, as it could not then.
  told = [{ kind: 'account', nativeId: operation.account }]
  now = 299_999
  expect([await said(), asked]).toEqual(['done', 1])
  told = null
  now = 300_000
  expect([await said(), asked]).toEqual(['done', 2])
  told = [{ kind: 'account', nativeId: operation.account }]
  expect([await said(), asked]).toEqual(['refused', 3])
  told = []
  now = 9_000_000
  expect([await said(), asked]).toEqual(['refused', 3])
})

test('who Muster is there is not told: nobody’s trouble in particular', async () => {
  const connector = protecting(
    {
      own: async () => ({ kind: 'partial', items: [], cause: 'connect-failed (ENOTFOUND)' }),
      observe: async () => [done],
    } as unknown as Connector,
    { accounts: [], entitlements: [] },
  )
  const [told] = await connector.apply([operation], context)
  expect(told?.kind === 'retry' && isElsewhere(told.cause)).toBe(true)
  const cause = { word: 'own-not-read', code: 'connect-failed (ENOTFOUND)' }
  expect(told).toMatchObject({ cause })
  expect(await connector.observe([operation], { signal: context.signal, sentMsAgo: null })).toMatchObject([{ cause }])
})
