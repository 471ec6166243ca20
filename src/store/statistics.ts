import type { Queryable } from './database.ts'

/** Analyses tables that have doubled since they were last analysed; see the function's comment in the migration. */
export const refreshStatistics = async (db: Queryable): Promise<number> => {
  const [row] = await db.query<{ n: number }>({
    name: 'statistics-refresh',
    text: 'select muster.refresh_statistics() as n',
  })
  return row?.n ?? 0
}
