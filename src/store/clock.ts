import type { Queryable } from './database.ts'

/** The one clock (DESIGN §3), ms since 1970. */
export const databaseNow = async (db: Queryable): Promise<number> => {
  const [row] = await db.query<{ at: number }>({
    name: 'clock',
    text: 'select (extract(epoch from muster.now()) * 1000)::bigint as at',
  })
  if (row === undefined) throw new Error('the database has no clock')
  return row.at
}
