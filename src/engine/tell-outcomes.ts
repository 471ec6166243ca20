import type { Transaction } from '../store/database.ts'
import { openFinding } from '../store/findings.ts'
import type { Claim } from './claim.ts'
import { tellOpened } from './opened-before-deletion.ts'
import { tellAway } from './tell-away.ts'
import { tellCredential } from './tell-credential.ts'
import type { Verdict } from './verdict.ts'

/** What a human should see of these outcomes. */
export const tellOutcomes = async (
  tx: Transaction,
  claim: Claim,
  settled: readonly Verdict[],
  /** The database's clock, ms. */
  at: number,
): Promise<void> => {
  for (const { action, outcome, next } of settled)
    if (next.kind !== 'done' && next.finding !== null)
      await openFinding(tx, {
        kind: next.finding,
        key: `action:${action.id}`,
        urgent: claim.lane === 'leaver',
        identityId: action.identity_id,
        detail: {
          target: claim.target,
          kind: action.kind,
          entitlement: action.entitlement_id,
          ...('cause' in outcome ? { word: outcome.cause.word, code: outcome.cause.code } : {}),
          ...(outcome.kind === 'refused' && outcome.todo !== undefined ? { todo: outcome.todo } : {}),
        },
      })

  await tellCredential(tx, claim, settled)
  await tellAway(tx, claim, settled)
  for (const { action, outcome } of settled)
    if (outcome.kind === 'done' && outcome.unfinished !== undefined)
      await openFinding(tx, {
        kind: 'leave-unfinished',
        key: `${action.subject_ref}:${claim.target}`,
        urgent: false,
        identityId: action.identity_id,
        detail: { target: claim.target, steps: outcome.unfinished.map(({ word }) => word).join(' ') },
      })

  await tellOpened(tx, claim, settled, at)
}
