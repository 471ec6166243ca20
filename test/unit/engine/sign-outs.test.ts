/** Whoever is shut later than the end of their sessions was sent may have signed in meanwhile. */
import { expect, test } from 'vitest'
import type { Claim } from '../../../src/engine/claim.ts'
import type { Engine } from '../../../src/engine/engine.ts'
import { signedOutBy } from '../../../src/engine/sign-outs.ts'
import type { Verdict } from '../../../src/engine/verdict.ts'

type Shut = {
  kind?: 'done' | 'unknown'
  changed?: boolean
  sent: boolean
  unknown?: boolean
  handle?: string
  /** As it was stored before. */
  stored?: boolean | null
}
const inFlight = false
const sentBeside = true

test.each<{ what: string; shut: Shut; ending: boolean; endSessions?: string; signedOut: number[] }>([
  {
    what: 'shut now, sessions ended beside it',
    shut: { sent: true, changed: true },
    ending: sentBeside,
    signedOut: [1],
  },
  { what: 'shut now', shut: { sent: true, changed: true }, ending: inFlight, signedOut: [] },
  { what: 'not shut yet', shut: { sent: true, kind: 'unknown' }, ending: inFlight, signedOut: [] },
  { what: 'shut all the time', shut: { sent: true, stored: false }, ending: inFlight, signedOut: [1] },
  { what: 'shut by another hand meanwhile', shut: { sent: true, stored: true }, ending: inFlight, signedOut: [] },
  { what: 'shut, and nobody knows since when', shut: { sent: true, stored: null }, ending: inFlight, signedOut: [] },
  {
    what: 'shut by another hand, sessions ended beside it',
    shut: { sent: true, stored: true },
    ending: sentBeside,
    signedOut: [1],
  },
  {
    what: 'an answer was lost: sent again, found shut',
    shut: { sent: true, unknown: true },
    ending: inFlight,
    signedOut: [],
  },
  {
    what: 'an answer was lost: sent again, found shut, sessions ended beside it',
    shut: { sent: true, unknown: true },
    ending: sentBeside,
    signedOut: [1],
  },
  {
    what: 'an answer was lost: read, found shut',
    shut: { sent: false, unknown: true },
    ending: inFlight,
    signedOut: [],
  },
  {
    what: 'shut by what was asked for',
    shut: { sent: false, unknown: true, handle: 'h' },
    ending: inFlight,
    signedOut: [1],
  },
  {
    what: 'shut now, where sessions cannot be ended',
    shut: { sent: true, changed: true },
    ending: inFlight,
    endSessions: 'none',
    signedOut: [1],
  },
])('$what', ({ shut, ending, endSessions = 'native', signedOut }) => {
  const { kind = 'done', changed = false, sent, unknown = false, handle = null, stored = changed } = shut
  const verdicts = [
    {
      action: { kind: 'disable', identity_id: 1, unknown, handle, account_enabled: stored },
      outcome: { kind, changed },
      next: { kind },
      sent,
    },
    {
      action: { kind: 'endSessions', identity_id: 1 },
      outcome: { kind: 'done' },
      next: { kind: 'done' },
      sent: ending,
    },
  ]
  expect([
    ...signedOutBy(
      { targets: [{ id: 't', endSessions }] } as unknown as Engine,
      { target: 't' } as Claim,
      verdicts as unknown as Verdict[],
    ),
  ]).toEqual(signedOut)
})
