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
      {
        action,
        outcome: {
          kind: 'done',
          changed: false,
          evidence: { read: 'account-entry', code: '', account: nativeId, entitlement: null },
          account: { nativeId, enabled: true, attributesHash: 'h', origin: 'linked', ...settled },
        },
      },
      new Set(),
    )
  expect([due({}), due({ settled: false })]).toEqual([false, true])
})

test.each([
  { what: 'shut by this call, sessions not', changed: true, endSessions: 'native', signedOut: [], due: true },
  { what: 'shut and signed out by this call', changed: true, endSessions: 'native', signedOut: [1], due: false },
  {
    what: 'shut by this call, another one signed out',
    changed: true,
    endSessions: 'native',
    signedOut: [2],
    due: true,
  },
  {
    what: 'found shut after an answer was lost',
    changed: false,
    unknown: true,
    endSessions: 'native',
    signedOut: [],
    due: true,
  },
  {
    what: 'found shut, which was open when it was last read',
    changed: false,
    stored: true,
    endSessions: 'native',
    signedOut: [],
    due: true,
  },
  { what: 'shut before', changed: false, endSessions: 'native', signedOut: [], due: false },
  { what: 'shut where there are no sessions', changed: true, endSessions: 'none', signedOut: [], due: false },
])('$what', ({ changed, unknown = false, stored = false, endSessions, signedOut, due }) => {
  const nativeId = 'a' as NativeId
  const engine = { connectors: new Map(), targets: [{ id: 't', endSessions, deleteAfterMs: null }] }
  const claim = { lane: 'leaver', target: 't' }
  const action = {
    kind: 'disable',
    identity_id: 1,
    account_id: 1,
    gone_native: null,
    unknown,
    account_enabled: stored,
  } as ClaimedAction
  const evidence = { read: 'account-entry', code: '', account: nativeId, entitlement: null }
  const outcome = { kind: 'done', changed, evidence, grants: [] } as const
  expect(
    makesDue(engine as unknown as Engine, claim as unknown as Claim, { action, outcome }, new Set(signedOut)),
  ).toBe(due)
})
