/** What PostgreSQL itself counted. */
import { setTimeout as pause } from 'node:timers/promises'
import type pg from 'pg'

export type Writes = {
  readonly inserted: number
  readonly updated: number
  readonly deleted: number
  readonly hot: number
}

/** Idle backends hand in their counts after at most ten seconds; those that end, at once. */
export const idleBackendsTellAfterMs = 11_000
export const endedBackendsTellAfterMs = 500

/** Rows inserted, updated and deleted so far in each table of Muster's; partitions of the audit log as one table. */
export const writesSoFar = async (admin: pg.Pool, afterMs: number): Promise<ReadonlyMap<string, Writes>> => {
  await pause(afterMs)
  const { rows } = await admin.query<Writes & { name: string }>(
    `select case when schemaname = 'audit' then 'audit.entry' else schemaname || '.' || relname end as name, sum(n_tup_ins)::float8 as inserted,
        sum(n_tup_upd)::float8 as updated, sum(n_tup_del)::float8 as deleted, sum(n_tup_hot_upd)::float8 as hot
      from pg_stat_user_tables where schemaname in ('muster', 'audit') group by 1`,
  )
  return new Map(rows.map(({ name, ...writes }) => [name, writes]))
}

export const writesBetween = (
  before: ReadonlyMap<string, Writes>,
  after: ReadonlyMap<string, Writes>,
): ReadonlyMap<string, Writes> =>
  new Map(
    [...after].map(([name, to]) => {
      const from = before.get(name)
      return [
        name,
        {
          inserted: to.inserted - (from?.inserted ?? 0),
          updated: to.updated - (from?.updated ?? 0),
          deleted: to.deleted - (from?.deleted ?? 0),
          hot: to.hot - (from?.hot ?? 0),
        },
      ]
    }),
  )
