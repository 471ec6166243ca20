import { expect, test } from 'vitest'
import type { ActionKind } from '../../../src/domain/action.ts'
import type { NativeId, TargetId } from '../../../src/domain/ids.ts'
import type { Outcome } from '../../../src/domain/outcome.ts'
import type { Claim, ClaimedAction } from '../../../src/engine/claim.ts'
import { outcomeEntry } from '../../../src/engine/outcome-entry.ts'

const account = 'a-1' as NativeId
type Done = Extract<Outcome, { kind: 'done' }>

const entryOf = (
  kind: ActionKind,
  changed: boolean,
  origin?: 'created' | 'linked' | 'known',
  enabled = true,
  wasEnabled?: boolean,
) => {
  const action = { id: 7, kind, subject_ref: 's', decision_id: 1, entitlement_id: null, attempts: 0 }
  const outcome: Done = {
    kind: 'done',
    changed,
    evidence: { read: 'account-entry', code: '0', account, entitlement: null },
    ...(origin === undefined
      ? {}
      : {
          account: {
            nativeId: account,
            enabled,
            attributesHash: 'h',
            origin,
            ...(wasEnabled === undefined ? {} : { wasEnabled }),
          },
        }),
  }
  const claim = { dispatch: 3, target: 'bank-ldap' as TargetId } as Claim
  const { text } = outcomeEntry(
    0,
    claim,
    { action: action as unknown as ClaimedAction, outcome, next: { kind: 'done' }, sent: true },
    null,
    { by: 'native-id', account: null },
  )
  const { before, after } = JSON.parse(text) as { before?: unknown; after?: unknown }
  return { before, after }
}

test('before is said only where the outcome proves it: a change of attributes says nothing of what the account was', () => {
  const open = { present: true, enabled: true }
  expect(entryOf('ensureAccount', true, 'known')).toEqual({ before: undefined, after: open })
  expect(entryOf('ensureAccount', true, 'linked')).toEqual({ before: undefined, after: open })
  expect(entryOf('ensureAccount', true, 'created')).toEqual({ before: { present: false }, after: open })
  expect(entryOf('ensureAccount', false, 'known')).toEqual({ before: open, after: open })
  for (const wasEnabled of [true, false]) {
    const before = { enabled: wasEnabled }
    expect(entryOf('disable', true, 'known', false, wasEnabled)).toEqual({ before, after: { enabled: false } })
    expect(entryOf('enable', true, 'known', true, wasEnabled)).toEqual({ before, after: { enabled: true } })
  }
  expect(entryOf('disable', true, 'known', false)).toEqual({ before: undefined, after: { enabled: false } })
  expect(entryOf('grant', true)).toEqual({ before: { held: false }, after: { held: true } })
  expect(entryOf('revoke', false)).toEqual({ before: { held: false }, after: { held: false } })
})
