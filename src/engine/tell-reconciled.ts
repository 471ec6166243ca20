import { auditEntry } from '../audit/entry.ts'
import type { Actor } from '../domain/actor.ts'
import type { TargetId } from '../domain/ids.ts'
import { countOutOfSight } from '../store/account-reconciliations.ts'
import { appendAudit } from '../store/audit-log.ts'
import { databaseNow } from '../store/clock.ts'
import { closeFinding, closeFindingsOf, openFinding } from '../store/findings.ts'
import type { Compared } from './compare-members.ts'
import type { Reconciler, Reconciliation } from './reconciler.ts'

/** How many of them a finding names. */
const namedStrangers = 10
const pages = new Set(['high', 'critical'])

/** Members who are nobody's account, entitlement by entitlement: of those that were read. */
export const tellStrangers = async (
  { db }: Reconciler,
  target: TargetId,
  compared: readonly Compared[],
): Promise<void> => {
  const kind = 'members-uncorrelated'
  const about = (one: Compared) => `${target}:${one.entitlement.id}`
  for (const one of compared.filter(({ strangers }) => strangers.length > 0))
    await openFinding(db, {
      kind,
      key: about(one),
      urgent: pages.has(one.entitlement.risk),
      identityId: null,
      detail: {
        target,
        entitlement: one.entitlement.id,
        members: one.strangers.length,
        accounts: one.strangers.slice(0, namedStrangers).join(' '),
      },
    })
  await closeFindingsOf(db, kind, compared.filter(({ strangers }) => strangers.length === 0).map(about))
}

/** What a human should see of the run itself; what differs is told by evaluation, person by person. */
export const conclude = async (
  engine: Reconciler,
  result: Reconciliation,
  actor: Actor,
  begun: number,
): Promise<void> => {
  const { target, unread, shrunken, accountsUnread, uncorrelatedPeople, indirectUnread } = result
  const tell = async (
    kind: string,
    open: boolean,
    urgent: boolean,
    detail: Readonly<Record<string, string | number>>,
  ) =>
    open
      ? openFinding(engine.db, { kind, key: target, urgent, identityId: null, detail: { target, ...detail } })
      : closeFinding(engine.db, kind, target)
  const keys = (of: readonly { readonly key: string }[]) =>
    of
      .slice(0, 10)
      .map(({ key }) => key)
      .join(', ')
  await tell(
    'reconcile-incomplete',
    unread.length > 0 || accountsUnread !== null || uncorrelatedPeople !== null || indirectUnread !== null,
    false,
    {
      entitlements: unread.length,
      first: keys(unread),
      cause: unread[0]?.cause ?? accountsUnread ?? uncorrelatedPeople ?? indirectUnread ?? '',
    },
  )
  const outOfSight = await countOutOfSight(engine.db, target)
  await tell('accounts-out-of-sight', outOfSight > 0, false, { accounts: outOfSight })
  await tell('reconcile-shrunken', shrunken.length > 0, true, {
    entitlements: shrunken.length,
    first: keys(shrunken),
    gone: shrunken.reduce((sum, { gone }) => sum + gone, 0),
  })
  await engine.db.transaction(async (tx) => {
    const at = await databaseNow(tx)
    const { unread: notRead, shrunken: tooSmall, changes: _, ...counts } = result
    await appendAudit(tx, at, [
      auditEntry(
        'reconciled',
        at,
        {},
        { actor, readAt: new Date(begun).toISOString(), ...counts, unread: notRead.length, shrunken: tooSmall.length },
      ),
    ])
  })
}
