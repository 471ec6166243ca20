import type { Queryable } from '../store/database.ts'
import { countOpenOf, type OpenOfKind } from '../store/finding-list.ts'
import { type OpenOfActionKind, openActionsOf } from '../store/target-mode.ts'

export type { OpenOfKind } from '../store/finding-list.ts'
export type { OpenOfActionKind } from '../store/target-mode.ts'

/** What is planned on a target and not done, and what a human should see of it, by kind. */
export const openOn = async (
  db: Queryable,
  target: string,
): Promise<{ readonly actionsByKind: readonly OpenOfActionKind[]; readonly findings: readonly OpenOfKind[] }> => {
  const [actionsByKind, findings] = await Promise.all([openActionsOf(db, target), countOpenOf(db, target)])
  return { actionsByKind, findings }
}
