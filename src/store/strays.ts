import type { Queryable } from './database.ts'

/** Which of these person keys are known. */
export const peopleAmong = async (db: Queryable, keys: readonly string[]): Promise<ReadonlySet<string>> => {
  if (keys.length === 0) return new Set()
  const rows = await db.query<{ person_key: string }>({
    text: 'select person_key from muster.identity where person_key = any($1)',
    values: [keys],
  })
  return new Set(rows.map(({ person_key }) => person_key))
}

/** By account: how many grants it was last seen to hold, catalogued or not. */
export const grantsHeld = async (db: Queryable, accounts: readonly number[]): Promise<ReadonlyMap<number, number>> => {
  if (accounts.length === 0) return new Map()
  const rows = await db.query<{ account: number; n: number }>({
    text: `select account_id as account, count(*) as n from muster.grants
      where account_id = any($1) and gone_verified_at is null group by 1`,
    values: [accounts],
  })
  return new Map(rows.map(({ account, n }) => [account, n]))
}
