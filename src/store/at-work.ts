import type { Queryable } from './database.ts'

/** Says that these parts of the engine live. In one order: two processes that do the same must not lock each other out. */
export const sayAtWork = async (db: Queryable, parts: readonly string[]): Promise<void> => {
  await db.query({
    name: 'at-work-say',
    text: `insert into muster.at_work (part, at) select part, muster.now() from unnest($1::text[]) part order by part
      on conflict (part) do update set at = excluded.at`,
    values: [parts],
  })
}

/** When a part of the engine was last seen, ms since 1970, and how long ago that is, ms. */
export type Seen = { readonly part: string; readonly at: number; readonly ago: number }

export const seenAtWork = (db: Queryable): Promise<readonly Seen[]> =>
  db.query<Seen>({
    text: `select part, (extract(epoch from at) * 1000)::bigint as at, (extract(epoch from muster.now() - at) * 1000)::float8 as ago
      from muster.at_work order by part`,
  })
