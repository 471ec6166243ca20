import { isElsewhere } from '../domain/outcome.ts'
import { patience } from '../planning/retry.ts'
import type { Queryable } from '../store/database.ts'
import { openFinding } from '../store/findings.ts'
import type { Claim } from './claim.ts'
import type { Verdict } from './verdict.ts'

/**
 * A target that tells nothing of what it is asked, time after time: one finding, however many actions wait for it. It closes
 * with the last of them, or when none has met it for two of the longest pauses (store/findings).
 */
export const tellAway = async (
  db: Queryable,
  { target, lane }: Pick<Claim, 'target' | 'lane'>,
  verdicts: readonly Verdict[],
): Promise<void> => {
  const word = verdicts
    .filter(({ action }) => action.attempts + 1 >= patience[lane].findingFrom)
    .map(({ outcome }) => wordOf(outcome))
    .find((one) => one !== null)
  if (word === undefined || word === null) return
  await openFinding(db, {
    kind: 'target-away',
    key: target,
    urgent: lane === 'leaver',
    identityId: null,
    detail: { target, word },
  })
}

const wordOf = (outcome: Verdict['outcome']): string | null =>
  (outcome.kind === 'retry' || outcome.kind === 'unknown') && isElsewhere(outcome.cause) ? outcome.cause.word : null
