import { auditEntry } from '../audit/entry.ts'
import type { Actor } from '../domain/actor.ts'
import type { TargetId } from '../domain/ids.ts'
import type { TargetMode } from '../domain/target.ts'
import { appendAudit } from '../store/audit-log.ts'
import { lockTarget, resumeDeadlines, saveMode } from '../store/target-mode.ts'
import { targetModes } from '../store/targets.ts'
import { makeAllDue } from '../store/work-queue-all.ts'
import type { Engine } from './engine.ts'

export type ModeSet =
  | { readonly kind: 'set'; readonly before: TargetMode; readonly mode: TargetMode }
  | { readonly kind: 'unchanged'; readonly mode: TargetMode }
  | { readonly kind: 'unknown-target'; readonly known: readonly string[] }

/** Whether actions are made and sent to a target, from now on; everybody is evaluated again, because plans depend on it. */
export const setTargetMode = async (
  { db, nudge }: Pick<Engine, 'db' | 'nudge'>,
  target: string,
  mode: TargetMode,
  actor: Actor,
): Promise<ModeSet> => {
  const result = await db.transaction(async (tx): Promise<ModeSet> => {
    const known = await targetModes(tx)
    const seen = known.get(target as TargetId)
    if (seen === undefined) return { kind: 'unknown-target', known: [...known.keys()].sort() }
    if (seen === mode) return { kind: 'unchanged', mode }
    // Identities before the target's row, as who sees a leaver off takes them: evaluated, then past the guard.
    await makeAllDue(tx, 'modes')
    const row = await lockTarget(tx, target)
    if (row === null) return { kind: 'unknown-target', known: [...known.keys()].sort() }
    // Somebody else has set it meanwhile: that everybody is evaluated once more does no harm.
    if (row.mode === mode) return { kind: 'unchanged', mode }
    if (mode === 'enforce') await resumeDeadlines(tx, target)
    await saveMode(tx, target, mode, actor.name)
    await appendAudit(tx, row.now, [
      auditEntry('target-mode-set', row.now, {}, { actor, target, before: row.mode, after: mode }),
    ])
    return { kind: 'set', before: row.mode, mode }
  })
  if (result.kind === 'set') for (const lane of ['leaver', 'bulk'] as const) nudge('evaluate', lane)
  return result
}
