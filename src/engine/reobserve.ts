import { auditEntry } from '../audit/entry.ts'
import { notSo } from '../connectors/connector.ts'
import type { NativeId } from '../domain/ids.ts'
import type { Outcome } from '../domain/outcome.ts'
import { saveAccounts } from '../store/accounts.ts'
import { appendAudit } from '../store/audit-log.ts'
import { type GrantSeen, saveGone, savePresent } from '../store/grants.ts'
import { lockIdentities, makeDue } from '../store/work-queue.ts'
import type { Claim, ClaimedAction } from './claim.ts'
import type { Engine } from './engine.ts'
import { createsAccounts, toOperation } from './operation.ts'

/**
 * A zombie came back: its lease was taken, its outcome rejected, but what it wrote stands on the target. Every member
 * of its dispatch is read again and evaluation repairs what is not wanted.
 */
export const reobserve = async (engine: Engine, claim: Claim): Promise<void> => {
  const connector = engine.connectors.get(claim.target)
  if (connector === undefined) return
  const create = createsAccounts(engine, claim.target)
  const outcomes = await connector.observe(
    claim.actions.map((action) => toOperation(action, create)),
    AbortSignal.timeout(engine.settings.leaseMs),
  )
  const seen = claim.actions.map((action, index) => ({ action, outcome: outcomes[index] as Outcome }))
  const identities = [...new Set(claim.actions.map((action) => action.identity_id))]
  await engine.db.transaction(async (tx) => {
    await lockIdentities(tx, identities)
    const [clock] = await tx.query<{ now: number }>({
      text: 'select (extract(epoch from muster.now()) * 1000)::bigint as now',
    })
    const at = clock?.now ?? claim.claimedAt
    await saveAccounts(
      tx,
      seen.flatMap(({ action, outcome }) =>
        outcome.kind === 'done' && outcome.account !== undefined
          ? [
              {
                identity: action.identity_id,
                target: claim.target,
                nativeId: outcome.account.nativeId as NativeId,
                origin: 'linked' as const,
                enabled: outcome.account.enabled,
                attributesHash: outcome.account.attributesHash,
                grantsReadAt: null,
              },
            ]
          : [],
      ),
    )
    await savePresent(
      tx,
      at,
      claim.dispatch,
      seen.flatMap(({ action, outcome }) =>
        presence(action, outcome) === true ? grantOf(action).map((seen) => ({ ...seen, given: true })) : [],
      ),
    )
    await saveGone(
      tx,
      at,
      claim.dispatch,
      seen.flatMap(({ action, outcome }) => (presence(action, outcome) === false ? grantOf(action) : [])),
    )
    await makeDue(tx, identities)
    await appendAudit(
      tx,
      at,
      seen.map(({ action, outcome }) =>
        auditEntry(
          'late-outcome-rejected',
          at,
          {
            subjectRef: action.subject_ref,
            actionId: action.id,
            dispatchId: claim.dispatch,
            decisionId: action.decision_id,
            entitlementId: action.entitlement_id,
          },
          {
            subject: action.subject_ref,
            action: action.id,
            dispatch: claim.dispatch,
            target: claim.target,
            kind: action.kind,
            entitlement: action.entitlement_id,
            attempt: action.attempts + 1,
            readBack: outcome.kind,
            held: presence(action, outcome),
            actor: { type: 'engine' },
          },
        ),
      ),
    )
  })
  for (const lane of ['leaver', 'bulk'] as const) engine.nudge('evaluate', lane)
}

/** Whether the grant is there now; null = not told. `done` says it is as the action wants, `retry` that it is not. */
const presence = (action: ClaimedAction, outcome: Outcome): boolean | null => {
  if (action.kind !== 'grant' && action.kind !== 'revoke') return null
  if (outcome.kind === 'done') return action.kind === 'grant'
  if (outcome.kind === 'retry' && outcome.cause.word === notSo) return action.kind === 'revoke'
  return null
}

const grantOf = (action: ClaimedAction): readonly GrantSeen[] =>
  action.account_id === null || action.entitlement_id === null
    ? []
    : [{ account: action.account_id, entitlement: action.entitlement_id }]
