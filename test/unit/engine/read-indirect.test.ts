import { expect, test } from 'vitest'
import type { NativeId } from '../../../src/domain/ids.ts'
import type { Outcome } from '../../../src/domain/outcome.ts'
import type { ClaimedAction } from '../../../src/engine/claim.ts'
import { readIndirect, withIndirect } from '../../../src/engine/read-indirect.ts'

const ids = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => id as NativeId)

test('one that cannot be read keeps nothing from the others', async () => {
  const read = await readIndirect(
    {
      indirectGrantsOf: async (some) =>
        some.includes('b' as NativeId)
          ? { kind: 'partial', items: [], cause: 'hidden' }
          : { kind: 'complete', items: [] },
    },
    ids,
    new AbortController().signal,
  )
  expect([...(read?.told.keys() ?? [])]).toEqual(['a', 'c', 'd', 'e', 'f'])
  expect(read?.unread).toBe('hidden')
})

test('a target that says nothing in its time is not asked again, half by half', async () => {
  const time = new AbortController()
  let asked = 0
  const read = await readIndirect(
    {
      indirectGrantsOf: async () => {
        asked += 1
        time.abort()
        return { kind: 'partial', items: [], cause: 'no-answer' }
      },
    },
    ids,
    time.signal,
  )
  expect(asked).toBe(1)
  expect(read).toEqual({ told: new Map(), unread: 'no-answer' })
})

test('an account whose making is unknown is found, and what it holds cannot be read: its making stays unknown', async () => {
  const account = 'a' as NativeId
  const found: Outcome = {
    kind: 'done',
    changed: false,
    evidence: { read: 'account-entry', code: '', account, entitlement: null },
    account: { nativeId: account, enabled: true, attributesHash: 'x', origin: 'linked', settled: false },
  }
  const [told] = await withIndirect(
    { indirectGrantsOf: async () => ({ kind: 'partial', items: [], cause: 'no-answer' }) },
    [{ kind: 'ensureAccount', account_id: null, indirect_unread: false, unknown: true } as ClaimedAction],
    [found],
    'bulk',
    new AbortController().signal,
  )
  expect(told?.kind).toBe('unknown')
})
