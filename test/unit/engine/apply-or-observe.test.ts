/** What takes away goes out once more while nobody knows what became of it: the second answer speaks for itself alone. */
import { expect, test } from 'vitest'
import { type Connector, notSettled } from '../../../src/connectors/connector.ts'
import type { ActionKind } from '../../../src/domain/action.ts'
import type { NativeId } from '../../../src/domain/ids.ts'
import { isElsewhere, type Outcome, sentUnproved } from '../../../src/domain/outcome.ts'
import { applyOrObserve, onlyWhatIsKnown } from '../../../src/engine/apply-or-observe.ts'
import type { ClaimedAction } from '../../../src/engine/claim.ts'

const cause = { code: '', word: 'lease' }
const account = 'a' as NativeId
const done: Outcome = {
  kind: 'done',
  changed: true,
  evidence: { read: 'member-values', code: '0', account, entitlement: null },
}
const throttled: Outcome = { kind: 'throttled', retryAfterMs: 1_000, scope: 'target' }
const unknown: Outcome = { kind: 'unknown', cause }

const unsettled: Outcome = { kind: 'unknown', cause: { code: '', word: notSettled } }

const carry = (kind: ActionKind, answer: Outcome, observed: Outcome = unsettled) => {
  const action = {
    kind,
    unknown: true,
    unknown_since: 0,
    mode: 'apply',
    account_native: account,
    not_theirs: null,
    handle: null,
  }
  const connector: Pick<Connector, 'apply' | 'observe'> = {
    observe: async () => [observed],
    apply: async () => [answer],
  }
  return applyOrObserve(
    connector as Connector,
    [{ ...action, lookup: 'g', entitlement_id: 1, entitlement_native: null } as unknown as ClaimedAction],
    { signal: new AbortController().signal, mayWrite: () => true },
    'leaver',
    false,
    1_000,
  )
}

test.each<readonly [string, Outcome, boolean]>([
  ['throttled', throttled, true],
  ['not let in', { kind: 'refused', reason: 'credential', cause: { code: '49', word: 'invalid-credentials' } }, true],
  [
    'not allowed',
    { kind: 'refused', reason: 'not-allowed', cause: { code: '50', word: 'insufficient-access' } },
    false,
  ],
])('a read-back that is %s tells nothing, and whose trouble that is', async (_, answer, elsewhere) => {
  const told = onlyWhatIsKnown(answer)
  expect([told.kind, 'cause' in told && isElsewhere(told.cause)]).toEqual(['unknown', elsewhere])
})

test.each<readonly [string, Outcome, Outcome, boolean]>([
  ['never began', { kind: 'retry', cause }, unknown, false],
  ['was refused', { kind: 'refused', reason: 'account-missing', cause }, unknown, false],
  ['was throttled', throttled, throttled, false],
  ['may have been applied', unknown, unknown, true],
  ['was proved', done, done, true],
])('the second call %s', async (_, answer, told, sent) => {
  for (const kind of ['revoke', 'disable', 'endSessions', 'deleteAccount'] as const) {
    const carried = await carry(kind, answer)
    expect(carried.outcomes).toEqual([told])
    expect([...carried.sent]).toEqual(sent ? [0] : [])
  }
})

test('what no read can ever prove is sent again while nobody knows whether it was, and that answer is the last', async () => {
  const unproved: Outcome = { kind: 'refused', reason: 'not-allowed', cause: { code: '', word: sentUnproved } }
  for (const observed of [unsettled, unproved]) {
    const carried = await carry('revoke', unproved, observed)
    expect([carried.outcomes, [...carried.sent]]).toEqual([[unproved], [0]])
    expect((await carry('revoke', throttled, observed)).outcomes).toEqual([throttled])
  }
})
