import type { Connector } from '../connectors/connector.ts'
import type { TargetId } from '../domain/ids.ts'
import { allBehind, noteChanges, noteGone, progressOf, saveCursor } from '../store/behind.ts'
import { databaseNow } from '../store/clock.ts'
import type { Reconciler } from './reconciler.ts'

/** A change log tells of no deletion everywhere, and may have gaps: so often everything is read all the same, ms. */
const fullEveryMs = 86_400_000

/**
 * Asks the target what has changed, before anything is read, and notes it: what is noted stays behind until it was read,
 * whoever reads it. Answers whether everything is to be read instead.
 */
export const takeChanges = async (
  { db }: Pick<Reconciler, 'db'>,
  target: TargetId,
  connector: Connector,
  { full, signal }: { readonly full: boolean; readonly signal: AbortSignal },
): Promise<'full' | 'delta'> => {
  const { cursor, fullReadAt } = await progressOf(db, target)
  const told = await connector.changes?.(cursor, signal)
  if (told?.kind === 'changes' && !full && fullReadAt !== null && (await databaseNow(db)) - fullReadAt < fullEveryMs) {
    await db.transaction(async (tx) => {
      await noteChanges(tx, target, told.cursor, told.entitlements, told.accounts)
      if (told.there !== undefined) await noteGone(tx, target, told.there)
    })
    return 'delta'
  }
  await db.transaction(async (tx) => {
    await allBehind(tx, target)
    if (told !== undefined && told.kind !== 'failed') await saveCursor(tx, target, told.cursor)
  })
  return 'full'
}
