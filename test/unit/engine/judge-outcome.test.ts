/** What parks a bulk action at its fortieth attempt, and what leaves it be. */
import { expect, test } from 'vitest'
import type { Outcome } from '../../../src/domain/outcome.ts'
import type { Claim, ClaimedAction } from '../../../src/engine/claim.ts'
import type { Engine } from '../../../src/engine/engine.ts'
import { judgeOutcome } from '../../../src/engine/judge-outcome.ts'

const engine = { targets: [], random: () => 0 } as unknown as Engine
const claim = (lane: Claim['lane']) => ({ lane, target: 'corp', claimedAt: 0 }) as Claim
const action = (kind: ClaimedAction['kind']) => ({ kind, attempts: 39, rests: 0, deadline: null }) as ClaimedAction
const own = { code: '3', word: 'time-limit-exceeded' }
const away = { code: 'ECONNREFUSED', word: 'unreachable', elsewhere: true } as const
const evidence = { read: 'account-entry', code: '0', account: 'a' as never, entitlement: null }
const done: Outcome = { kind: 'done', changed: true, evidence }

const table: readonly (readonly [string, ClaimedAction['kind'], Outcome, bulk: string, leaver: string])[] = [
  ['failed once more', 'grant', { kind: 'retry', cause: own }, 'park retries-exhausted', 'again still-failing'],
  ['the target is away', 'grant', { kind: 'retry', cause: away }, 'again', 'again still-failing'],
  ['not known', 'grant', { kind: 'unknown', cause: own }, 'readBack still-unknown', 'readBack still-unknown'],
  ['not known, away', 'grant', { kind: 'unknown', cause: away }, 'readBack', 'readBack still-unknown'],
  ['throttled', 'grant', { kind: 'throttled', retryAfterMs: 1, scope: '' }, 'again', 'again'],
  ['not let in', 'grant', { kind: 'refused', reason: 'credential', cause: own }, 'again', 'again'],
  ['refused', 'grant', { kind: 'refused', reason: 'invalid', cause: own }, 'park invalid', 'park invalid'],
  ['shut, what it holds was not read', 'disable', done, 'readBack still-unknown', 'readBack still-unknown'],
  ['shut before, not read', 'disable', { ...done, changed: false }, 'park retries-exhausted', 'again still-failing'],
  ['shut, and read', 'disable', { ...done, grants: [] }, 'done', 'done'],
]

test.each(table)('%s: %s', (_, kind, outcome, bulk, leaver) => {
  const next = (lane: Claim['lane']) => {
    const told = judgeOutcome(engine, claim(lane), action(kind), outcome, true).next
    return [told.kind, 'finding' in told ? told.finding : null].filter((word) => word !== null).join(' ')
  }
  expect([next('bulk'), next('leaver')]).toEqual([bulk, leaver])
})
