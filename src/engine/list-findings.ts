import type { Queryable } from '../store/database.ts'
import {
  countFindings,
  type FindingCount,
  type FindingFilter,
  type FindingPlace,
  findFindings,
} from '../store/finding-list.ts'

export type { FindingCount } from '../store/finding-list.ts'

/** The most pressing findings, and how many there are of which kind on which target. */
export const listFindings = async (
  db: Queryable,
  filter: FindingFilter,
  limit: number,
): Promise<{ readonly places: readonly FindingPlace[]; readonly counts: readonly FindingCount[] }> => {
  const [places, counts] = await Promise.all([findFindings(db, filter, limit), countFindings(db, filter)])
  return { places, counts }
}
