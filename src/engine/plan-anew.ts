import { auditEntry } from '../audit/entry.ts'
import type { Actor } from '../domain/actor.ts'
import type { TargetId } from '../domain/ids.ts'
import { appendAudit } from '../store/audit-log.ts'
import type { Queryable, Transaction } from '../store/database.ts'
import { wantRecheck } from '../store/rechecks.ts'
import { lockTarget } from '../store/target-mode.ts'
import { savePlannedBy, several, type TargetRow, targetRows } from '../store/targets.ts'
import { makeAllDue } from '../store/work-queue-all.ts'
import type { Engine } from './engine.ts'

const actor: Actor = { type: 'engine', name: 'start' }

/**
 * Evaluates everybody again, once, where rules or mapping of a target are not those of the last start: a wish was compared with
 * them when it was planned, and nobody else looks. `hashes`: of what this process plans by. Answers the targets that changed.
 */
export const planAnew = async (
  { db, nudge }: Pick<Engine, 'db' | 'nudge'>,
  hashes: ReadonlyMap<TargetId, string>,
): Promise<readonly TargetId[]> => {
  if ((await changedOf(db, hashes)).length === 0) return []
  const changed = await db.transaction(async (tx) => {
    // A process that starts beside this one waits here, and then finds nothing changed.
    await wantRecheck(tx, 'modes')
    const targets = await changedOf(tx, hashes)
    if (targets.length === 0) return []
    // Identities before targets, as who sets a mode takes them.
    await makeAllDue(tx, 'modes')
    for (const { target, before, after } of targets) {
      const row = await lockTarget(tx, target)
      if (row === null) continue
      await savePlannedBy(tx, target, after)
      await appendAudit(tx, row.now, [auditEntry('target-configured', row.now, {}, { actor, target, before, after })])
    }
    return targets.map(({ target }) => target)
  })
  if (changed.length > 0) for (const lane of ['leaver', 'bulk'] as const) nudge('evaluate', lane)
  return changed
}

const changedOf = async (db: Queryable, hashes: ReadonlyMap<TargetId, string>) => {
  const stored = await targetRows(db)
  return [...hashes]
    .map(([target, after]) => ({ target, before: stored.get(target)?.plannedBy ?? null, after }))
    .filter(({ before, after }) => before !== null && before !== after)
    .sort((one, other) => (one.target < other.target ? -1 : 1))
}

/**
 * In the transaction of an evaluation: this process plans by another configuration than the last that started, so whom it
 * evaluates must be evaluated again by the next one. Said once; while both go on, neither's plans are made anew.
 */
export const tellOtherPlans = async (
  tx: Transaction,
  targets: Engine['targets'],
  rows: ReadonlyMap<TargetId, TargetRow>,
): Promise<void> => {
  const others = targets.filter(({ id, planningHash }) => {
    const plannedBy = rows.get(id)?.plannedBy ?? null
    return planningHash !== undefined && plannedBy !== null && plannedBy !== several && plannedBy !== planningHash
  })
  for (const id of others.map((target) => target.id).sort()) await savePlannedBy(tx, id, several)
}
