/** An account that is only known to be there is asked for once more, whatever the read of it showed. */
import { expect, test } from 'vitest'
import type { NativeId } from '../../../src/domain/ids.ts'
import type { Claim, ClaimedAction } from '../../../src/engine/claim.ts'
import type { Engine } from '../../../src/engine/engine.ts'
import { makesDue } from '../../../src/engine/makes-due.ts'

test('open, with the attributes that it should have: due only when that was read before its target had settled', () => {
  const nativeId = 'a' as NativeId
  const action = { kind: 'ensureAccount', unknown: true, attributes_hash: 'h' } as ClaimedAction
  const due = (settled: { readonly settled?: false }) =>
    makesDue(
      { connectors: new Map() } as unknown as Engine,
      { lane: 'bulk', target: 't' } as unknown as Claim,
      action,
      {
        kind: 'done',
        changed: false,
        evidence: { read: 'account-entry', code: '', account: nativeId, entitlement: null },
        account: { nativeId, enabled: true, attributesHash: 'h', origin: 'linked', ...settled },
      },
    )
  expect([due({}), due({ settled: false })]).toEqual([false, true])
})
