/** While a change may be on its way, a read proves no more than that an account is there. */
import { expect, test } from 'vitest'
import { notSettled, type Operation } from '../../../src/connectors/connector.ts'
import { observeSettled } from '../../../src/connectors/settled.ts'
import type { NativeId } from '../../../src/domain/ids.ts'
import type { Outcome } from '../../../src/domain/outcome.ts'

const settleMs = 1_000
const nativeId = 'a' as NativeId
const ensure = (account: NativeId | null): Operation => ({
  op: 'ensureAccount',
  create: false,
  account,
  wanted: { correlation: { value: 'P-1' }, worker: {}, attributesHash: '' },
})
const found: Outcome = {
  kind: 'done',
  changed: false,
  evidence: { read: 'account-entry', code: '', account: nativeId, entitlement: null },
  account: { nativeId, enabled: false, attributesHash: 'h', origin: 'linked' },
}

test('of an account that is found only its being there counts; of one that is linked nothing is asked', async () => {
  const asked: (readonly Operation[])[] = []
  const operations = [ensure(null), ensure(nativeId), ensure(nativeId), ensure(null)]
  const signal = new AbortController().signal
  const sentMsAgo = [settleMs - 1, settleMs - 1, settleMs, null]
  const told = await observeSettled(settleMs, operations, { signal, sentMsAgo }, async (some) => {
    asked.push(some)
    return some.map(() => found)
  })
  expect(asked).toEqual([[operations[0], operations[2], operations[3]]])
  const isThere = {
    ...found,
    account: { nativeId, enabled: false, attributesHash: 'h', origin: 'linked', settled: false },
  }
  expect(told).toEqual([isThere, { kind: 'unknown', cause: { code: '', word: notSettled } }, found, found])
})
