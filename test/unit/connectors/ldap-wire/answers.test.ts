import { expect, test } from 'vitest'
import type { Operation } from '../../../../src/connectors/connector.ts'
import { inOrder, missingAccount, retry, unproved } from '../../../../src/connectors/ldap-wire/answers.ts'
import type { NativeId } from '../../../../src/domain/ids.ts'

type Disable = Extract<Operation, { op: 'enable' | 'disable' }>
const isDisable = (operation: Operation): operation is Disable => operation.op === 'disable'
const disable = (account: string): Operation => ({ op: 'disable', account: account as NativeId })
const ensure: Operation = {
  op: 'ensureAccount',
  wanted: { correlation: { value: 'k' }, worker: {}, attributesHash: '' },
  create: false,
  account: null,
}
const word = (outcome: { readonly kind: string }) =>
  'cause' in outcome ? (outcome.cause as { word: string }).word : ''

test('answers stand where their operations stood; what nobody takes is refused; what nobody answered has not begun', async () => {
  const operations: Operation[] = [
    disable('a'),
    ensure,
    { op: 'endSessions', account: 'x' as NativeId },
    disable('b'),
    disable('c'),
  ]
  const outcomes = await inOrder(
    operations,
    isDisable,
    async (ensures) => ensures.map(() => retry('ensured')),
    async (others) => others.slice(0, 2).map(({ account }) => retry(account)),
  )
  expect(outcomes.map(word)).toEqual(['a', 'ensured', 'not-offered', 'b', 'not-begun'])
})

test('what was written and could not be shown is unknown; what was not, and what a read has settled, stays', () => {
  const busy = { kind: 'throttled', retryAfterMs: 1, scope: 'target' } as const
  expect([retry('x'), busy, missingAccount].map((outcome) => unproved(outcome, true))).toEqual([
    { kind: 'unknown', cause: { code: '', word: 'x' } },
    { kind: 'unknown', cause: { code: '', word: 'throttled', elsewhere: true } },
    missingAccount,
  ])
  expect([retry('x'), busy].map((outcome) => unproved(outcome, false))).toEqual([retry('x'), busy])
})
