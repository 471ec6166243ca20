import { auditEntry } from '../audit/entry.ts'
import type { DriftKind } from '../domain/drift.ts'
import type { TargetId } from '../domain/ids.ts'
import { appendAudit } from '../store/audit-log.ts'
import { databaseNow } from '../store/clock.ts'
import type { Transaction } from '../store/database.ts'
import { type GrantSeen, lockPresent, verifiedSince } from '../store/grants.ts'
import { type Linked, linksInWork, saveAppeared, saveMissing } from '../store/reconciliations.ts'
import { lockIdentities, makeDue } from '../store/work-queue.ts'
import { type AuditedBy, auditedAccount, auditedBy } from './audited-account.ts'
import type { Engine } from './engine.ts'
import { settleMsOf } from './settle-ms-of.ts'

/** One difference between what a target shows and what was verified. `found`: seen by the first list of its entitlement. */
export type Drift = {
  readonly kind: DriftKind | 'found'
  readonly entitlement: number
  readonly entitlementNative: string
  readonly link: Linked
}

const peopleAtOnce = 200

export type SavedDrift = {
  readonly counts: Readonly<Record<Drift['kind'], number>>
  readonly drift: readonly Drift[]
}

/**
 * Writes down what differs, and wants an evaluation of whoever it concerns, in one transaction with the audit entries.
 * Nothing is drift of which an action is in work, or that was verified within the settling time before the read began or
 * since: the next run looks again. Only what a leaver seems to hold counts at once: it is taken away once more (ADR 0024).
 */
export const saveDrift = async (
  engine: Pick<Engine, 'db' | 'nudge' | 'connectors'>,
  target: TargetId,
  drift: readonly Drift[],
  { begun }: { readonly begun: number },
): Promise<SavedDrift> => {
  const byPerson = Map.groupBy(drift, ({ link }) => link.identity)
  const people = [...byPerson.keys()]
  const all: Drift[] = []
  for (let at = 0; at < people.length; at += peopleAtOnce) {
    const some = people.slice(at, at + peopleAtOnce).flatMap((person) => byPerson.get(person) ?? [])
    const saved = await engine.db.transaction((tx) =>
      saveOf(tx, target, auditedBy(engine, target), some, begun, settleMsOf(engine, target)),
    )
    all.push(...saved)
  }
  if (drift.length > 0) for (const lane of ['leaver', 'bulk'] as const) engine.nudge('evaluate', lane)
  const count = (kind: Drift['kind']) => all.filter((one) => one.kind === kind).length
  return { counts: { appeared: count('appeared'), missing: count('missing'), found: count('found') }, drift: all }
}

const linkKey = ({ account, entitlement }: GrantSeen): string => `${account}:${entitlement}`

/** Access of somebody who has left. */
const isLeavers = ({ kind, link }: Drift): boolean => link.leaver && kind !== 'missing'

const saveOf = async (
  tx: Transaction,
  target: TargetId,
  by: AuditedBy,
  drift: readonly Drift[],
  begun: number,
  settleMs: number,
): Promise<readonly Drift[]> => {
  const identities = [...new Set(drift.map(({ link }) => link.identity))]
  await lockIdentities(tx, identities)
  const rows = drift.map((one) => ({ one, account: one.link.account, entitlement: one.entitlement }))
  // In this order: an action that ends in between was in work, or what it verified is seen.
  const isInWork = await linksInWork(tx, target, rows)
  await lockPresent(tx, rows)
  const [kept, taken] = [rows.filter(({ one }) => !isLeavers(one)), rows.filter(({ one }) => isLeavers(one))]
  const isUnsettled = await verifiedSince(tx, begun - settleMs, kept)
  const isNewer = await verifiedSince(tx, begun, taken)
  const candidates = rows.filter((row) => !isUnsettled(row) && !isNewer(row) && !isInWork(row))
  const changed = [
    ...(await saveMissing(
      tx,
      begun,
      candidates.filter(({ one }) => one.kind === 'missing'),
    )),
    ...(await saveAppeared(
      tx,
      begun,
      candidates.flatMap(({ one, account, entitlement }) =>
        one.kind === 'missing' ? [] : [{ account, entitlement, drifted: one.kind === 'appeared' }],
      ),
    )),
  ].map(linkKey)
  // Another run may have written it down meanwhile.
  const real = candidates.filter((row) => changed.includes(linkKey(row)))
  if (real.length === 0) return []
  const at = await databaseNow(tx)
  await makeDue(tx, [...new Set(real.map(({ one }) => one.link.identity))])
  await appendAudit(
    tx,
    at,
    real.map(({ one }) =>
      auditEntry(
        'drift',
        at,
        { subjectRef: one.link.subject_ref, entitlementId: one.entitlement },
        {
          subject: one.link.subject_ref,
          target,
          entitlement: one.entitlement,
          drift: one.kind,
          account: auditedAccount(by, one.link),
          readAt: new Date(begun).toISOString(),
          actor: { type: 'engine' },
        },
      ),
    ),
  )
  return real.map(({ one }) => one)
}
