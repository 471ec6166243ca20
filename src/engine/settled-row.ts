import { accountOutOfSight } from '../domain/outcome.ts'
import { tookNothing } from '../planning/retry.ts'
import type { SettledAction } from '../store/outcomes.ts'
import type { Verdict } from './verdict.ts'

/** How its action stands from now on. */
export const settledRow = ({ action, outcome, next, sent, deadline }: Verdict): SettledAction => {
  const row = {
    id: action.id,
    sent,
    deadline: deadline ?? null,
    // A change that is pending tells in the end whether it was one; one that was, and is looked at once more, is ours all the same.
    doubtful:
      outcome.kind === 'done' ? outcome.changed && next.kind === 'readBack' : sent && outcome.kind === 'unknown',
    attempts: action.attempts + 1,
    afterMs: 0,
    outcome: outcome.kind,
    handle: null,
    rests: next.kind === 'park' || ('cause' in outcome && outcome.cause.word === accountOutOfSight),
    released: next.kind === 'park' && next.afterMs !== undefined && tookNothing(outcome),
  }
  switch (next.kind) {
    case 'done':
      return { ...row, state: 'done', unknown: false }
    case 'park':
      return { ...row, state: 'parked', unknown: false, afterMs: next.afterMs ?? 0 }
    case 'again':
    case 'readBack':
    case 'poll':
      return {
        ...row,
        state: 'ready',
        // A read-back that was throttled has told nothing.
        unknown: next.kind !== 'again' || (outcome.kind === 'throttled' && action.unknown),
        // A poll that told nothing asks for the same thing again.
        handle: outcome.kind === 'pending' ? outcome.handle : outcome.kind === 'unknown' ? action.handle : null,
        attempts: action.attempts + (next.counts ? 1 : 0),
        afterMs: next.afterMs,
      }
  }
}
