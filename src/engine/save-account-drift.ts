import { auditEntry } from '../audit/entry.ts'
import type { Manifest } from '../connectors/connector.ts'
import type { TargetId } from '../domain/ids.ts'
import { accountsInWork, type LinkedState, saveGone, saveReopened } from '../store/account-reconciliations.ts'
import { appendAudit } from '../store/audit-log.ts'
import { databaseNow } from '../store/clock.ts'
import type { Transaction } from '../store/database.ts'
import { openFindingAnew } from '../store/findings.ts'
import { lockIdentities, makeDue } from '../store/work-queue.ts'

export type DriftOfAccount = 'account-reopened' | 'account-shut-elsewhere' | 'account-gone'
export type AccountDrift = { readonly drift: DriftOfAccount; readonly one: LinkedState }

/** Work of ours that may be why it looks so. */
const explains: Readonly<Record<DriftOfAccount, readonly string[]>> = {
  'account-reopened': ['read', 'enable', 'ensureAccount'],
  'account-shut-elsewhere': ['read', 'disable', 'ensureAccount'],
  'account-gone': ['read', 'ensureAccount'],
}

export const accountKey = ({ subject_ref }: LinkedState, target: TargetId): string => `${subject_ref}:${target}`

/** `enabled`: as a complete read shows it; undefined: the read does not show the account. */
export const accountDrift = (
  one: LinkedState,
  enabled: boolean | undefined,
  { disable }: Pick<Manifest, 'disable'>,
): readonly AccountDrift[] => {
  if (enabled === undefined) return [{ drift: 'account-gone', one }]
  // Where accounts cannot be shut, an open one says nothing.
  if (disable === 'none') return []
  if (enabled && (one.enabled === false || one.shut)) return [{ drift: 'account-reopened', one }]
  return !enabled && one.enabled === true ? [{ drift: 'account-shut-elsewhere', one }] : []
}

/** Writes it down, tells it and wants an evaluation. Not what an action of ours is changing just now, or has changed since the read began: the next run looks again. */
export const saveAccountDrift = async (
  tx: Transaction,
  target: TargetId,
  drifted: readonly AccountDrift[],
  begun: number,
): Promise<readonly AccountDrift[]> => {
  await lockIdentities(tx, [...new Set(drifted.map(({ one }) => one.identity))])
  const busy = await accountsInWork(
    tx,
    target,
    begun,
    drifted.map(({ one }) => one.account),
  )
  const real = drifted.filter(
    ({ drift, one }) => !busy.get(one.account)?.some((work) => explains[drift].includes(work)),
  )
  const accountsOf = (wanted: DriftOfAccount) =>
    real.flatMap(({ drift, one }) => (drift === wanted ? [one.account] : []))
  const reopened = await saveReopened(tx, begun, accountsOf('account-reopened'))
  await saveGone(tx, begun, accountsOf('account-gone'))
  await makeDue(tx, [
    ...new Set(real.flatMap(({ drift, one }) => (drift === 'account-reopened' ? [one.identity] : []))),
  ])
  // What is told already is not told, and not audited, again.
  const fresh: AccountDrift[] = []
  for (const { drift, one } of real) {
    const isNew = await openFindingAnew(tx, {
      kind: drift,
      key: accountKey(one, target),
      urgent: drift === 'account-reopened' && one.leaver,
      identityId: one.identity,
      detail: { target },
    })
    if (isNew || reopened.has(one.account)) fresh.push({ drift, one })
  }
  const at = await databaseNow(tx)
  await appendAudit(
    tx,
    at,
    fresh.map(({ drift, one }) =>
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
