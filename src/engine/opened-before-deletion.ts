import { accountEnabled } from '../connectors/connector.ts'
import type { Outcome } from '../domain/outcome.ts'
import { saveReopened } from '../store/account-reconciliations.ts'
import type { Transaction } from '../store/database.ts'
import { openFinding } from '../store/findings.ts'
import type { Claim, ClaimedAction } from './claim.ts'

export const wasOpen = ({ kind }: Pick<ClaimedAction, 'kind'>, outcome: Outcome): boolean =>
  kind === 'deleteAccount' && outcome.kind === 'refused' && outcome.cause.word === accountEnabled

/**
 * A leaver's account was to be deleted and is open: somebody has opened it behind Muster. The next plan shuts it again. It is
 * told, and nothing is deleted while that stands (store/claimable): somebody may still need it.
 */
export const tellOpened = async (
  tx: Transaction,
  { target }: Pick<Claim, 'target'>,
  settled: readonly { readonly action: ClaimedAction; readonly outcome: Outcome }[],
  at: number,
): Promise<void> => {
  const opened = settled.filter(({ action, outcome }) => wasOpen(action, outcome))
  if (opened.length === 0) return
  await saveReopened(
    tx,
    at,
    opened.flatMap(({ action }) => (action.account_id === null ? [] : [action.account_id])),
  )
  for (const { action } of opened)
    await openFinding(tx, {
      kind: 'account-reopened',
      key: `${action.subject_ref}:${target}`,
      urgent: true,
      identityId: action.identity_id,
      detail: { target, seen: 'before-deletion' },
    })
}
