/** Of what may have gone out and is looked at once more: whose doing it is that the look finds it so. */
import { expect, test } from 'vitest'
import type { NativeId } from '../../../src/domain/ids.ts'
import type { Outcome } from '../../../src/domain/outcome.ts'
import type { ClaimedAction } from '../../../src/engine/claim.ts'
import { settledRow } from '../../../src/engine/settled-row.ts'
import type { Verdict } from '../../../src/engine/verdict.ts'

const action = { id: 1, kind: 'revoke', attempts: 0, unknown: false, handle: null } as ClaimedAction
const evidence = { read: 'member-values', code: '0', account: 'a' as NativeId, entitlement: null }
const found = (changed: boolean): Outcome => ({ kind: 'done', changed, evidence })
const unknown: Outcome = { kind: 'unknown', cause: { code: '', word: 'connection-lost' } }
const done = { kind: 'done' } as const
const readBack = { kind: 'readBack', afterMs: 200, counts: false, finding: null } as const

test.each<[string, Pick<Verdict, 'outcome' | 'next' | 'sent'>, boolean]>([
  ['no answer said what became of it', { outcome: unknown, next: readBack, sent: true }, true],
  ['nothing was sent', { outcome: unknown, next: readBack, sent: false }, false],
  ['it was ours, and is not believed yet', { outcome: found(true), next: readBack, sent: true }, true],
  ['it was ours, told later, and is not believed yet', { outcome: found(true), next: readBack, sent: false }, true],
  ['it was so before it was sent', { outcome: found(false), next: readBack, sent: true }, false],
  ['it was ours, and that is known', { outcome: found(true), next: done, sent: true }, false],
])('%s', (_, verdict, doubtful) => {
  expect(settledRow({ action, ...verdict }).doubtful).toBe(doubtful)
})
