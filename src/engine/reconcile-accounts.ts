import { auditEntry } from '../audit/entry.ts'
import type { Connector } from '../connectors/connector.ts'
import type { NativeId, TargetId } from '../domain/ids.ts'
import { tooManyGone } from '../planning/differences.ts'
import {
  accountsInWork,
  closeAccountFindings,
  type LinkedState,
  linkedAfter,
  saveReopened,
} from '../store/account-reconciliations.ts'
import { appendAudit } from '../store/audit-log.ts'
import { databaseNow } from '../store/clock.ts'
import type { Transaction } from '../store/database.ts'
import { openFinding } from '../store/findings.ts'
import { lockIdentities, makeDue } from '../store/work-queue.ts'
import type { Reconciler } from './reconciler.ts'

export type AccountsReconciled = {
  readonly accounts: number
  /** Shut as far as Muster knew, and found open: shut again. */
  readonly reopened: number
  /** Open as far as Muster knew, and found shut: told, never opened. */
  readonly shutElsewhere: number
  /** Not there any more: told. */
  readonly gone: number
  /** Why nothing is known of the rest; null: all were read. */
  readonly accountsUnread: string | null
}

/** Accounts of one read. */
const atOnce = 1_000

type DriftOfAccount = 'account-reopened' | 'account-shut-elsewhere' | 'account-gone'
type Drifted = { readonly drift: DriftOfAccount; readonly one: LinkedState }

/**
 * Reads every linked account. Who should be shut out and is let in again is shut out again, whoever let them in. Somebody
 * whom another hand has shut out stays out: Muster does not know why. `absent`: native ids that are not there any more.
 */
export const reconcileAccounts = async (
  engine: Reconciler,
  target: TargetId,
  connector: Connector,
  {
    begun,
    acceptShrunken,
    signal,
  }: { readonly begun: number; readonly acceptShrunken: boolean; readonly signal: AbortSignal },
): Promise<{ readonly told: AccountsReconciled; readonly absent: ReadonlySet<string> }> => {
  const drifted: Drifted[] = []
  let accounts = 0
  let after = 0
  for (;;) {
    const some = await linkedAfter(engine.db, target, after, atOnce)
    const last = some.at(-1)
    if (last === undefined) break
    after = last.account
    const read = await connector.accounts(
      some.map(({ native_id }) => native_id as NativeId),
      signal,
    )
    if (read.kind !== 'complete')
      return { told: { ...nothing, accounts, accountsUnread: read.cause }, absent: new Set() }
    accounts += some.length
    const seen = new Map(read.items.map(({ nativeId, enabled }) => [nativeId as string, enabled]))
    drifted.push(...some.flatMap((one) => driftOf(one, seen.get(one.native_id))))
  }
  const absent = new Set(drifted.flatMap(({ drift, one }) => (drift === 'account-gone' ? [one.native_id] : [])))
  const gone = absent.size
  if (!acceptShrunken && tooManyGone({ believed: accounts, gone }, 'target')) {
    const accountsUnread = `${gone} of ${accounts} accounts are not shown`
    return { told: { ...nothing, accounts, gone, accountsUnread }, absent }
  }
  const saved = drifted.length === 0 ? [] : await engine.db.transaction((tx) => save(tx, target, drifted, begun))
  await closeAccountFindings(engine.db, target, begun)
  if (saved.length > 0) for (const lane of ['leaver', 'bulk'] as const) engine.nudge('evaluate', lane)
  const count = (drift: DriftOfAccount) => saved.filter((one) => one.drift === drift).length
  const told = {
    accounts,
    reopened: count('account-reopened'),
    shutElsewhere: count('account-shut-elsewhere'),
    gone: count('account-gone'),
    accountsUnread: null,
  }
  return { told, absent }
}

const nothing: AccountsReconciled = { accounts: 0, reopened: 0, shutElsewhere: 0, gone: 0, accountsUnread: null }

const driftOf = (one: LinkedState, enabled: boolean | undefined): readonly Drifted[] => {
  if (enabled === undefined) return [{ drift: 'account-gone', one }]
  if (enabled && one.enabled === false) return [{ drift: 'account-reopened', one }]
  return !enabled && one.enabled === true ? [{ drift: 'account-shut-elsewhere', one }] : []
}

/** Not what an action of ours is changing just now, or has changed since the read began: the next run looks again. */
const save = async (
  tx: Transaction,
  target: TargetId,
  drifted: readonly Drifted[],
  begun: number,
): Promise<readonly Drifted[]> => {
  await lockIdentities(tx, [...new Set(drifted.map(({ one }) => one.identity))])
  const busy = await accountsInWork(
    tx,
    target,
    begun,
    drifted.map(({ one }) => one.account),
  )
  const real = drifted.filter(({ one }) => !busy.has(one.account))
  const reopened = real.filter(({ drift }) => drift === 'account-reopened').map(({ one }) => one)
  await saveReopened(
    tx,
    begun,
    reopened.map(({ account }) => account),
  )
  await makeDue(tx, [...new Set(reopened.map(({ identity }) => identity))])
  for (const { drift, one } of real)
    await openFinding(tx, {
      kind: drift,
      key: `${one.subject_ref}:${target}`,
      urgent: drift === 'account-reopened' && one.leaver,
      identityId: one.identity,
      detail: { target },
    })
  const at = await databaseNow(tx)
  await appendAudit(
    tx,
    at,
    real.map(({ drift, one }) =>
      auditEntry(
        'drift',
        at,
        { subjectRef: one.subject_ref },
        {
          subject: one.subject_ref,
          target,
          drift,
          account: one.native_id,
          readAt: new Date(begun).toISOString(),
          actor: { type: 'engine' },
        },
      ),
    ),
  )
  return real
}
