import type { Queryable } from './database.ts'

export type FindingFilter = {
  /** The closed ones too. */
  readonly all: boolean
  readonly kind: string | null
  readonly target: string | null
}

export type FindingCount = { readonly kind: string; readonly target: string | null; readonly count: number }
export type FindingPlace = { readonly id: bigint; readonly target: string | null }

/** A finding's target stands in its detail, or is that of the entitlement that it is about; few are about several. */
const listed = `muster.finding f left join muster.entitlement e
    on e.id = case when jsonb_typeof(f.detail -> 'entitlement') = 'number' then (f.detail ->> 'entitlement')::int end
  cross join lateral (select coalesce(f.detail ->> 'target', e.target) as target) t
  where ($1 or f.closed_at is null) and ($2::text is null or f.kind = $2) and ($3::text is null or t.target = $3 or $3 = any(string_to_array(f.detail ->> 'targets', ' ')))`

const valuesOf = ({ all, kind, target }: FindingFilter) => [all, kind, target]

/** How many of which kind on which target, most first. */
export const countFindings = (db: Queryable, filter: FindingFilter): Promise<readonly FindingCount[]> =>
  db.query({
    text: `select f.kind, t.target, count(*)::int as count from ${listed} group by 1, 2 order by 3 desc, 1, 2`,
    values: valuesOf(filter),
  })

/** Urgent ones first, then the latest. */
export const findFindings = async (
  db: Queryable,
  filter: FindingFilter,
  limit: number,
): Promise<readonly FindingPlace[]> => {
  const rows = await db.query<{ id: number; target: string | null }>({
    text: `select f.id, t.target from ${listed} order by f.urgent desc, f.seen_at desc, f.id limit $4`,
    values: [...valuesOf(filter), limit],
  })
  return rows.map(({ id, target }) => ({ id: BigInt(id), target }))
}

export type OpenOfKind = { readonly kind: string; readonly count: number; readonly urgent: number }

/** What is open about a target, by kind: those with urgent ones first, then most first. */
export const countOpenOf = (db: Queryable, target: string): Promise<readonly OpenOfKind[]> =>
  db.query({
    text: `select f.kind, count(*)::int as count, count(*) filter (where f.urgent)::int as urgent from ${listed}
      group by 1 order by (count(*) filter (where f.urgent) > 0) desc, 2 desc, 1`,
    values: valuesOf({ all: false, kind: null, target }),
  })
