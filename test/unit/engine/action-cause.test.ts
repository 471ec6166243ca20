/** Which cause brought an action, where one evaluation may answer several of them. */
import { expect, test } from 'vitest'
import { actionCause } from '../../../src/engine/action-cause.ts'

const dayMs = 86_400_000
const evaluated = 3 * dayMs
const last = { stream: 3, offset: 12 }
type Case = {
  readonly reason?: string
  readonly kind?: string
  readonly identity?: Readonly<Record<string, unknown>>
  readonly ended?: readonly number[]
  readonly to?: number | null
  readonly changedAt?: number
  readonly lifecycle?: string
  readonly since?: number
}

test.each<[string, unknown, Case]>([
  ['an event', { kind: 'event', ...last }, { identity: { events_folded: 1 } }],
  [
    'the first event',
    { kind: 'event', ...last },
    { identity: { events_folded: 0, evaluated_policy: null, evaluated_at: null } },
  ],
  [
    'an event and a new version',
    { kind: 'event', policy: 7, ...last },
    { identity: { events_folded: 1, evaluated_policy: 6 } },
  ],
  ['a new version', { kind: 'policy', policy: 7 }, { identity: { evaluated_policy: 6 } }],
  ['another hand, whatever came beside it', { kind: 'drift' }, { reason: 'drift', identity: { events_folded: 1 } }],
  ['the end of an adoption', { kind: 'adoption-ended' }, { ended: [5] }],
  ['the end of another adoption', { kind: 'observed', ...last }, { ended: [6] }],
  [
    'a leave, though an adoption ended',
    { kind: 'event', ...last },
    { ended: [5], reason: 'leaver', identity: { events_folded: 1 } },
  ],
  ['the end of what was given for a time', { kind: 'timer', ...last }, { to: evaluated + 500 }],
  [
    'an end that HR named within a day',
    { kind: 'event', ...last },
    { to: evaluated + 500, since: evaluated, identity: { last_appended_at: evaluated } },
  ],
  [
    'an end long known, though HR said something else within a day',
    { kind: 'timer', ...last },
    { to: evaluated + 500, identity: { last_appended_at: evaluated } },
  ],
  ['nothing that ended before they were last judged', { kind: 'observed', ...last }, { to: evaluated - 1 }],
  ['nothing that ends later', { kind: 'observed', ...last }, { to: evaluated + 1_001 }],
  ['the end of an employment', { kind: 'timer', ...last }, { reason: 'leaver', lifecycle: 'terminated' }],
  ['a deletion whose time has come', { kind: 'timer', ...last }, { kind: 'deleteAccount', reason: 'no-longer-kept' }],
  [
    'a deletion that shorter keeping brings',
    { kind: 'target' },
    { kind: 'deleteAccount', reason: 'no-longer-kept', changedAt: evaluated + 200 },
  ],
  ['a change of mode', { kind: 'target' }, { changedAt: evaluated + 200 }],
  ['an end, though the mode changed', { kind: 'timer', ...last }, { changedAt: evaluated + 200, to: evaluated + 500 }],
  ['what a read showed', { kind: 'observed', ...last }, { changedAt: evaluated - 100 }],
])(
  '%s',
  (_, cause, {
    reason = 'no-longer-assigned',
    kind = 'revoke',
    identity,
    ended = [],
    to = null,
    changedAt = 0,
    lifecycle = 'active',
    since = evaluated - dayMs,
  }) => {
    const judged = {
      identity: {
        now: evaluated + 1_000,
        events_seen: 2,
        events_folded: 2,
        evaluated_policy: 7,
        evaluated_at: evaluated,
        last_stream_id: last.stream,
        last_offset: last.offset,
        lifecycle: 'active',
        leaver: false,
        last_appended_at: evaluated - dayMs,
        ...identity,
      },
      at: { lifecycle, leaver: false },
      desiredSince: since,
      adoptionsEnded: ended,
      plan: { create: [] },
      decision: { timeline: [{ entitlement: 5, interval: { from: 100, to } }] },
    }
    const action = { kind, target: 't', entitlement: kind === 'revoke' ? 5 : null, reason: { kind: reason } }
    expect(
      actionCause(action as never, judged as never, { version: 7 as never }, new Map([['t' as never, changedAt]])),
    ).toEqual(cause)
  },
)
