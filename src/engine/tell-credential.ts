import type { Queryable } from '../store/database.ts'
import { openFinding } from '../store/findings.ts'
import type { Claim } from './claim.ts'
import type { Verdict } from './verdict.ts'

/**
 * One finding for the target, however many actions wait for it. It closes when nothing was refused so for two minutes: whatever
 * is open is tried more often than that.
 */
export const tellCredential = async (
  db: Queryable,
  { target, lane }: Pick<Claim, 'target' | 'lane'>,
  verdicts: readonly Verdict[],
): Promise<void> => {
  const word = verdicts.map(({ outcome }) => wordOf(outcome)).find((one) => one !== null)
  if (word === undefined || word === null) return
  await openFinding(db, {
    kind: 'credential-refused',
    key: target,
    urgent: lane === 'leaver',
    identityId: null,
    detail: { target, word },
  })
}

const wordOf = (outcome: Verdict['outcome']): string | null =>
  outcome.kind === 'refused' && outcome.reason === 'credential' ? outcome.cause.word : null
