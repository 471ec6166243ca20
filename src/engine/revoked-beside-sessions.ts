import type { Claim } from './claim.ts'
import type { Engine } from './engine.ts'
import { rulesOf } from './rules-of.ts'
import type { Verdict } from './verdict.ts'

/**
 * Revokes of leavers, where no account can be shut, that are done and nothing was sent by the same call to end their sessions: until then, whoever
 * had it could begin another one, and an end that went out before and is told only later does not reach it. A grant may never have been seen that its inverse has taken away, or that it has not.
 */
export const revokedBesideSessions = (
  engine: Pick<Engine, 'targets'>,
  { lane, target }: Pick<Claim, 'lane' | 'target'>,
  verdicts: readonly Verdict[],
): readonly Verdict[] => {
  if (lane !== 'leaver') return []
  const rules = rulesOf(engine, target)
  if (rules?.disable !== 'none' || rules.endSessions !== 'native') return []
  const sent = new Set(
    verdicts.flatMap(({ action, sent }) => (action.kind === 'endSessions' && sent ? [action.identity_id] : [])),
  )
  return verdicts.filter(
    ({ action, next }) => action.kind === 'revoke' && next.kind === 'done' && !sent.has(action.identity_id),
  )
}
