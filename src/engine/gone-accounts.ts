import { auditEntry } from '../audit/entry.ts'
import { seeksOnly } from '../domain/action.ts'
import type { AuditEntry } from '../domain/audit-entry.ts'
import { accountOutOfSight } from '../domain/outcome.ts'
import { saveGone, saveOutOfSight } from '../store/account-reconciliations.ts'
import { unlinkReplaced } from '../store/accounts.ts'
import type { Transaction } from '../store/database.ts'
import { openFinding } from '../store/findings.ts'
import { goAgainOf } from '../store/go-again.ts'
import { type AuditedBy, auditedAccount } from './audited-account.ts'
import type { Claim } from './claim.ts'
import { seenGone } from './makes-due.ts'
import type { Verdict } from './verdict.ts'

/** Whoever looked for a leaver's account, because the linked one is gone, has found another. */
const isReplaced = ({ action, outcome, next }: Verdict): boolean =>
  next.kind === 'done' &&
  action.gone_native !== null &&
  outcome.kind === 'done' &&
  outcome.account !== undefined &&
  outcome.account.nativeId !== action.gone_native

/**
 * Before the other is linked: one person has one account on a target. What is gone is nobody's from now on; restored one day, with
 * all that it held, nothing would shut it: a human is told at once. Answers what the audit says of it.
 */
export const unlinkReplacedBy = async (
  tx: Transaction,
  claim: Claim,
  by: AuditedBy,
  done: readonly Verdict[],
  at: number,
): Promise<readonly AuditEntry[]> => {
  const found = done.filter((one) => seeksOnly({ kind: one.action.kind, lane: claim.lane }) && isReplaced(one))
  const unlinked = await unlinkReplaced(
    tx,
    at,
    claim.target,
    found.flatMap(({ action, outcome }) =>
      outcome.kind === 'done' && outcome.account !== undefined
        ? [{ identity: action.identity_id, nativeId: outcome.account.nativeId }]
        : [],
    ),
  )
  for (const [identityId, account] of unlinked)
    await openFinding(tx, {
      kind: 'account-replaced',
      key: `account:${account}`,
      urgent: true,
      identityId,
      detail: { target: claim.target, account },
    })
  return found.flatMap(({ action }) => {
    const account = unlinked.get(action.identity_id)
    return account !== undefined
      ? [
          auditEntry(
            'account-unlinked',
            at,
            { subjectRef: action.subject_ref, actionId: action.id, dispatchId: claim.dispatch },
            {
              subject: action.subject_ref,
              target: claim.target,
              account: auditedAccount(by, { account, native_id: action.gone_native ?? '' }),
              because: 'gone',
              actor: { type: 'engine' },
            },
          ),
        ]
      : []
  })
}

/**
 * Leavers' accounts that are not there; and where theirs is back, or another was found, what was parked for want of it goes at once.
 * When their own is found by its key alone, only what was parked once: what refused it may refuse it again. Whoever it concerns is locked (makesDue).
 */
export const saveGoneAndBack = async (
  tx: Transaction,
  { lane, target }: Claim,
  settled: readonly Verdict[],
  at: number,
): Promise<void> => {
  const gone = settled.flatMap(({ action, outcome }) =>
    seenGone(lane, action, outcome) ? (action.account_id ?? []) : [],
  )
  const back = settled.filter(
    (one) =>
      one.next.kind === 'done' &&
      one.action.gone_native !== null &&
      (isReplaced(one) || one.action.account_id !== null),
  )
  // Their own is there by its key after all: the first refusal may have come from a replica that is behind.
  const thereAfterAll = settled.filter(
    (one) =>
      one.next.kind === 'done' && one.outcome.kind === 'done' && one.action.gone_native !== null && !back.includes(one),
  )
  tx.defer(saveGone(tx, at, gone))
  tx.defer(
    saveOutOfSight(
      tx,
      settled.flatMap(({ action, outcome }) =>
        'cause' in outcome && outcome.cause.word === accountOutOfSight ? (action.account_id ?? []) : [],
      ),
    ),
  )
  tx.defer(
    goAgainOf(
      tx,
      target,
      thereAfterAll.map(({ action }) => action.identity_id),
      1,
    ),
  )
  tx.defer(
    goAgainOf(
      tx,
      target,
      back.map(({ action }) => action.identity_id),
    ),
  )
}
