import { auditEntry } from '../audit/entry.ts'
import type { Actor } from '../domain/actor.ts'
import type { TargetId } from '../domain/ids.ts'
import { appendAudit } from '../store/audit-log.ts'
import type { Queryable, Transaction } from '../store/database.ts'
import { openFindingOnce } from '../store/findings.ts'
import { forgetPlansAs, plansAs, sayPlansAs } from '../store/plans-as.ts'
import { wantRecheck } from '../store/rechecks.ts'
import { lockTarget } from '../store/target-mode.ts'
import { savePlannedBy, several, type TargetRow, targetRows } from '../store/targets.ts'
import { makeAllDue } from '../store/work-queue-all.ts'
import type { Engine } from './engine.ts'

const starting: Actor = { type: 'engine', name: 'start' }
const sweeping: Actor = { type: 'engine', name: 'sweep' }

/** By what this process plans, of the targets of which that is compared. */
export const planningHashes = (targets: Engine['targets']): ReadonlyMap<TargetId, string> =>
  new Map(targets.flatMap(({ id, planningHash }) => (planningHash === undefined ? [] : [[id, planningHash] as const])))

/**
 * Evaluates everybody again, once, where rules or mapping of a target are not those of the last start: a wish was compared with
 * them when it was planned, and nobody else looks. `hashes`: of what this process plans by. Answers the targets that changed. Not where it
 * was there before and another is at work: whoever stays in the end does it then (`planAsLeft`), or a failed rollout would do it each time.
 */
export const planAnew = async (
  { db, nudge }: Pick<Engine, 'db' | 'nudge'>,
  hashes: ReadonlyMap<TargetId, string>,
  actor: Actor = starting,
): Promise<readonly TargetId[]> => {
  const seen = await changedOf(db, hashes)
  if (seen.every(({ before, returns }) => returns && before === several)) return []
  const changed = await db.transaction(async (tx) => {
    // A process that starts beside this one waits here, and then finds nothing changed.
    if (!seen.every(({ returns }) => returns)) await wantRecheck(tx, 'modes')
    const targets = await changedOf(tx, hashes)
    const anew = targets.filter(({ returns }) => !returns)
    // Identities before targets, as who sets a mode takes them.
    if (anew.length > 0) await makeAllDue(tx, 'modes')
    for (const { target, before, after, returns } of targets) {
      const row = await lockTarget(tx, target)
      if (row === null) continue
      await savePlannedBy(tx, target, returns ? several : after)
      if (returns) continue
      await appendAudit(tx, row.now, [auditEntry('target-configured', row.now, {}, { actor, target, before, after })])
    }
    await forgetPlansAs(tx)
    return anew.map(({ target }) => target)
  })
  if (changed.length > 0) for (const lane of ['leaver', 'bulk'] as const) nudge('evaluate', lane)
  return changed
}

/** `returns`: it came up longer ago than a restart takes, and another is at work. */
const changedOf = async (db: Queryable, hashes: ReadonlyMap<TargetId, string>) => {
  const [stored, saying] = await Promise.all([targetRows(db), plansAs(db)])
  const returns = (target: TargetId, hash: string) => {
    const { living = [], old = [] } = saying.get(target) ?? {}
    return living.length > 1 && old.includes(hash)
  }
  return [...hashes]
    .map(([target, after]) => ({
      target,
      before: stored.get(target)?.plannedBy ?? null,
      after,
      returns: returns(target, after),
    }))
    .filter(({ before, after }) => before !== null && before !== after)
    .sort((one, other) => (one.target < other.target ? -1 : 1))
}

/**
 * Where every process that is at work plans as this one does, and everybody was last made due by another configuration, or some were
 * evaluated by another since: they are evaluated again. While processes of several are at work none of them does it, or they would take
 * turns at it for ever; once that has lasted longer than a restart takes, it is a finding.
 */
export const planAsLeft = async (engine: Pick<Engine, 'db' | 'nudge' | 'targets' | 'log'>): Promise<void> => {
  const stored = await plansAs(engine.db)
  const isAlone = ([target, hash]: readonly [TargetId, string]) => {
    const { living = [], steady = [] } = stored.get(target) ?? {}
    return steady.includes(hash) && living.length === 1
  }
  const alone = new Map([...planningHashes(engine.targets)].filter(isAlone))
  if ([...alone].some(([target, hash]) => stored.get(target)?.plannedBy !== hash))
    for (const target of await planAnew(engine, alone, sweeping))
      engine.log.info(
        { target },
        'no process plans by another muster.yaml any more: everybody is evaluated by this one',
      )
  for (const [target, { old }] of stored)
    if (old.length > 1)
      await openFindingOnce(engine.db, {
        kind: 'configurations-differ',
        key: target,
        urgent: false,
        identityId: null,
        detail: { target },
      })
}

/**
 * In the transaction of an evaluation: this process plans by another configuration than everybody was made due by, so whom it
 * evaluates must be evaluated again, by the one that stays (`planAsLeft`) or the next that starts. Said once; while both go on,
 * neither's plans are made anew.
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
  // Whoever evaluates is at work, whatever has kept it from saying so.
  await sayPlansAs(tx, planningHashes(others))
}
