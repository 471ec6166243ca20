import type { CheckReport, Uses } from './connector.ts'

/** Whoever only reads needs no right to write, and should not have to ask for it: it is missed once changes are sent. */
export const missedByChanges = (
  { writes }: Uses,
  missing: readonly string[],
): Pick<CheckReport, 'problems' | 'beforeEnforce'> =>
  writes ? { problems: missing } : { problems: [], beforeEnforce: missing }
