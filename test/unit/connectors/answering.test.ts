import { expect, test } from 'vitest'
import { answering } from '../../../src/connectors/answering.ts'
import type { Connector, MemberList, Operation } from '../../../src/connectors/connector.ts'
import type { EntitlementId, NativeId } from '../../../src/domain/ids.ts'

const never = () => new Promise<never>(() => {})
const first: MemberList = { entitlement: 1 as EntitlementId, kind: 'complete', members: ['a'] }
/** Answers nothing, whatever its signal says, but for the first list. */
const deaf = {
  check: never,
  resolveEntitlements: never,
  observe: never,
  poll: never,
  grantsOf: never,
  indirectGrantsOf: never,
  whoIs: never,
  accounts: never,
  listAccounts: never,
  own: never,
  changes: never,
  membersOf: async function* () {
    yield first
    await never()
  },
} as unknown as Connector

const account = 'a' as NativeId
const operation: Operation = { op: 'disable', account }
const ref = { id: 1 as EntitlementId, lookup: 'x', nativeId: account }

test('whoever ignores its signal is answered for: nothing is known, and no list is whole', async () => {
  const connector = answering(deaf)
  const ended = AbortSignal.abort()
  const lists: MemberList[] = []
  const listing = async () => {
    for await (const list of connector.membersOf([ref, ref], ended)) lists.push(list)
  }
  const partial = { kind: 'partial', items: [], cause: 'no-answer' }
  const unknown = { kind: 'unknown', cause: { word: 'no-answer' } }
  expect(
    await Promise.all([
      connector.check(ended),
      connector.resolveEntitlements([ref], ended),
      connector.observe([operation, operation], { signal: ended, sentMsAgo: null }),
      connector.poll?.([{ operation, handle: '' }], ended),
      connector.grantsOf([account], ended),
      connector.indirectGrantsOf?.([account], ended),
      connector.whoIs(['a'], ended),
      connector.accounts([account], ended),
      connector.listAccounts(ended),
      connector.own?.(ended),
      connector.changes?.(null, ended),
      listing(),
    ]),
  ).toMatchObject([
    { ok: false },
    [{ kind: 'failed' }],
    [unknown, unknown],
    [unknown],
    partial,
    partial,
    partial,
    partial,
    partial,
    partial,
    { kind: 'failed' },
    undefined,
  ])
  expect(lists).toEqual([first])
})

test('a signal that fires while it is asked counts too; what the connector still says in time is what is known', async () => {
  const heedful: Pick<Connector, 'accounts'> = {
    accounts: (_ids, signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve({ kind: 'partial', items: [], cause: 'stopped' }))
      }),
  }
  for (const [one, cause] of [
    [heedful, 'stopped'],
    [deaf, 'no-answer'],
  ] as const) {
    const abort = new AbortController()
    const answer = answering({ ...deaf, ...one }).accounts([account], abort.signal)
    abort.abort()
    expect(await answer).toEqual({ kind: 'partial', items: [], cause })
  }
})
