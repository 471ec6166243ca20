import { describe, expect, test } from 'vitest'
import type { Connector, Operation } from '../../../src/connectors/connector.ts'
import { protecting } from '../../../src/connectors/protecting.ts'
import type { EntitlementId, NativeId } from '../../../src/domain/ids.ts'
import { isElsewhere, type Outcome } from '../../../src/domain/outcome.ts'

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
  let written = 0
  const connector = protecting(
    {
      own: async () => ({ kind: 'complete', items: [{ kind: 'account', nativeId: own }] }),
      observe: async () => [{ ...linked, changed: false }],
      apply: async () => {
        written += 1
        return [linked]
      },
    } as unknown as Connector,
    { accounts: [], entitlements: [] },
  )
  expect(await connector.apply([ensure], context)).toMatchObject([{ kind: 'refused', reason: 'protected' }])
  expect(written).toBe(0)
})

describe('what the target calls an entitlement decides, too', () => {
  const pinned = { id: 1 as EntitlementId, lookup: '<an id>', nativeId: 'g-1' as NativeId }
  const grant: Operation = { op: 'grant', account: 'a' as NativeId, entitlement: pinned }
  const revoke: Operation = { ...grant, op: 'revoke' }
  const unpinned: Operation = { ...grant, entitlement: { ...pinned, nativeId: null } }
  const opened = (entitlements: string[], names: Connector['entitlementNames']) => {
    const asked: unknown[] = []
    const connector = protecting(
      {
        entitlementNames: async (ids: readonly NativeId[], signal: AbortSignal) => {
          asked.push(ids)
          return (await names?.(ids, signal)) as never
        },
        resolveEntitlements: async () => [{ kind: 'found', nativeId: pinned.nativeId }],
        observe: async () => [],
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

  test('unread, it waits; what is not there has nothing to protect', async () => {
    const unread = opened(['break*'], async () => ({ kind: 'partial', items: [], cause: 'busy' }))
    expect(await unread.apply(grant, operation)).toMatchObject([{ kind: 'retry' }, done])
    const gone = opened(['break*'], async () => ({ kind: 'complete', items: [] }))
    expect(await gone.apply(revoke)).toEqual([done])
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

test.each([
  ['unreachable', { code: 'ECONNREFUSED', word: 'connection-lost', elsewhere: true }, true],
  ['not legible', { code: '', word: 'unreadable-account' }, false],
] as const)('who would be found is %s: not made, and told whose trouble it is', async (_, cause, elsewhere) => {
  const connector = protecting(
    {
      observe: async () => [{ kind: 'unknown', cause }],
      apply: async () => [done],
    } as unknown as Connector,
    { accounts: ['somebody'], entitlements: [] },
  )
  const wanted = { correlation: { value: 'P-1' }, worker: {}, attributesHash: '' }
  const [told] = await connector.apply([{ op: 'ensureAccount', wanted, create: true, account: null }], context)
  expect(told).toMatchObject({ kind: 'retry', cause: { word: elsewhere ? cause.word : 'not-read-before' } })
  expect(told?.kind === 'retry' && isElsewhere(told.cause)).toBe(elsewhere)
})

test('who Muster is there is not told: nobody’s trouble in particular', async () => {
  const connector = protecting(
    {
      own: async () => ({ kind: 'partial', items: [], cause: 'away' }),
      observe: async () => [done],
    } as unknown as Connector,
    { accounts: [], entitlements: [] },
  )
  const [told] = await connector.apply([operation], context)
  expect(told?.kind === 'retry' && isElsewhere(told.cause)).toBe(true)
})
