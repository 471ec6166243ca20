import type { Claim } from './claim.ts'
import type { Engine } from './engine.ts'
import { rulesOf } from './rules-of.ts'
import type { Verdict } from './verdict.ts'

/**
 * Revokes of leavers, where no account can be shut, that are done without their sessions being ended at the same time: until then, whoever
 * had it could begin another one. A grant may never have been seen that its inverse has taken away, or that it has not.
 */
export const revokedBesideSessions = (
  engine: Pick<Engine, 'targets'>,
  { lane, target }: Pick<Claim, 'lane' | 'target'>,
  verdicts: readonly Verdict[],
): readonly Verdict[] => {
  if (lane !== 'leaver') return []
  const rules = rulesOf(engine, target)
  if (rules?.disable !== 'none' || rules.endSessions !== 'native') return []
  const done = verdicts.filter(({ next }) => next.kind === 'done')
  const ended = new Set(done.flatMap(({ action }) => (action.kind === 'endSessions' ? [action.identity_id] : [])))
  return done.filter(({ action }) => action.kind === 'revoke' && !ended.has(action.identity_id))
}
