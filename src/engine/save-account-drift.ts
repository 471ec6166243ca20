import { auditEntry } from '../audit/entry.ts'
import type { Manifest } from '../connectors/connector.ts'
import type { TargetId } from '../domain/ids.ts'
import { accountsInWork, type LinkedState, saveGone, saveReopened } from '../store/account-reconciliations.ts'
import { appendAudit } from '../store/audit-log.ts'
import { databaseNow } from '../store/clock.ts'
import type { Transaction } from '../store/database.ts'
import { openFindingAnew } from '../store/findings.ts'
import { lockIdentities, makeDue } from '../store/work-queue.ts'
import { isNameChange, type NameChange, nameChange } from './account-name.ts'
import { type AuditedBy, auditedAccount } from './audited-account.ts'

export type DriftOfAccount = 'account-reopened' | 'account-shut-elsewhere' | 'account-gone' | NameChange
export type AccountDrift = { readonly drift: DriftOfAccount; readonly one: LinkedState }

/** An account as a complete read shows it. */
export type Shown = {
  readonly enabled: boolean
  /** What is kept of its name; null: the target's names never change. */
  readonly name: string | null
}

/** Work of ours that may be why it looks so. */
const explains: Readonly<Record<DriftOfAccount, readonly string[]>> = {
  'account-reopened': ['read', 'enable', 'ensureAccount'],
  'account-shut-elsewhere': ['read', 'disable', 'ensureAccount'],
  'account-gone': ['read', 'ensureAccount'],
  'account-renamed': ['read', 'enable', 'disable', 'ensureAccount'],
  'account-moved': ['read', 'enable', 'disable', 'ensureAccount'],
}

export const accountKey = ({ subject_ref }: LinkedState, target: TargetId): string => `${subject_ref}:${target}`

/** `shown`: undefined: the read does not show the account. */
export const accountDrift = (
  one: LinkedState,
  shown: Shown | undefined,
  { disable }: Pick<Manifest, 'disable'>,
): readonly AccountDrift[] => {
  if (shown === undefined) return [{ drift: 'account-gone', one }]
  const change = one.kept_name === null || shown.name === null ? null : nameChange(one.kept_name, shown.name)
  // Where accounts cannot be shut, an open one says nothing.
  const opened = disable === 'none' ? null : openedOrShut(one, shown.enabled)
  return [opened, change].flatMap((drift) => (drift === null ? [] : [{ drift, one }]))
}

const openedOrShut = (one: LinkedState, enabled: boolean): DriftOfAccount | null => {
  if (enabled) return one.enabled === false || one.shut ? 'account-reopened' : null
  return one.enabled === true ? 'account-shut-elsewhere' : null
}

/**
 * Writes it down, tells it and wants an evaluation. Not what an action of ours is changing just now, or has changed since the read
 * began or within the settling time before: the next run looks again. Only a leaver's account that seems open counts at once: it is
 * shut once more, which harms nobody.
 */
export const saveAccountDrift = async (
  tx: Transaction,
  target: TargetId,
  by: AuditedBy,
  drifted: readonly AccountDrift[],
  begun: number,
  settleMs: number,
): Promise<readonly AccountDrift[]> => {
  await lockIdentities(tx, [...new Set(drifted.map(({ one }) => one.identity))])
  const accounts = drifted.map(({ one }) => one.account)
  const unsettled = await accountsInWork(tx, target, begun - settleMs, accounts)
  const busy = settleMs === 0 ? unsettled : await accountsInWork(tx, target, begun, accounts)
  const real = drifted.filter(
    ({ drift, one }) =>
      !(drift === 'account-reopened' && one.leaver ? busy : unsettled)
        .get(one.account)
        ?.some((work) => explains[drift].includes(work)),
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
    // Another name each time: what is kept of it makes it be told once.
    if (isNew || reopened.has(one.account) || isNameChange(drift)) fresh.push({ drift, one })
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
          account: auditedAccount(by, one),
          readAt: new Date(begun).toISOString(),
          actor: { type: 'engine' },
        },
      ),
    ),
  )
  return real
}
