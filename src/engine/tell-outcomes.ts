import type { TargetId } from '../domain/ids.ts'
import { cataloguedElsewhere } from '../store/catalogue.ts'
import type { Transaction } from '../store/database.ts'
import { type Finding, openFinding } from '../store/findings.ts'
import { ambiguousFinding, takenDoubt } from './ambiguous-account.ts'
import type { AuditedBy } from './audited-account.ts'
import type { Claim } from './claim.ts'
import { tellOpened } from './opened-before-deletion.ts'
import { tellAway } from './tell-away.ts'
import { tellCredential } from './tell-credential.ts'
import type { Verdict } from './verdict.ts'

/** What a human should see of these outcomes. */
export const tellOutcomes = async (
  tx: Transaction,
  claim: Claim,
  by: AuditedBy,
  settled: readonly Verdict[],
  /** The database's clock, ms. */
  at: number,
): Promise<void> => {
  for (const { action, outcome, next } of settled)
    if (next.kind !== 'done' && next.finding === 'account-ambiguous')
      await openFinding(tx, ambiguousOf(claim, by, action, outcome))
    else if (next.kind !== 'done' && next.finding !== null) {
      const todo = outcome.kind === 'refused' ? outcome.todo : await todoOfFeeder(tx, claim.target, action, outcome)
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
          ...(todo === undefined ? {} : { todo }),
        },
      })
    }

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

const ambiguousOf = (
  { target, lane }: Claim,
  by: AuditedBy,
  { id, identity_id, subject_ref, not_theirs }: Verdict['action'],
  outcome: Verdict['outcome'],
): Finding =>
  ambiguousFinding(by, {
    target,
    person: { identity: identity_id, subject_ref },
    ...(outcome.kind === 'refused'
      ? { word: outcome.cause.word, doubt: outcome.doubt }
      : takenDoubt(outcome, not_theirs)),
    urgent: lane === 'leaver',
    action: id,
  })

/** What another hand brings here is to be given where it comes from, if the catalogue knows that. */
const todoOfFeeder = async (
  tx: Transaction,
  target: TargetId,
  { kind }: Verdict['action'],
  outcome: Verdict['outcome'],
): Promise<string | undefined> => {
  const ids = outcome.kind === 'retry' ? (outcome.cause.awaited ?? []) : []
  const feeders = await cataloguedElsewhere(tx, target, ids)
  if (feeders.length === 0) return undefined
  const names = feeders.map((one) => `${one.key} (${one.target})`).join(', ')
  return kind === 'grant'
    ? `give ${names}, by a rule or an implication: whoever is in it is brought here by the identity provider`
    : `take ${names} away: whoever is in it is brought here by the identity provider`
}
