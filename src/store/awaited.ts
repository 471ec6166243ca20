import { refusalReasons } from '../domain/outcome.ts'
import type { Queryable } from './database.ts'

export type Awaited = {
  readonly person: string
  /** How many entitlements of the target they should hold now. */
  readonly wanted: number
  /** ms: since then something of the target was wanted of them, by what was recorded; a time in which nothing at all was wanted is passed over. */
  readonly since: number
  /** The action that finds or makes the account; null: none is planned (target mode `observe`, or not evaluated since). */
  readonly action: number | null
  readonly state: string | null
  /** ms; null = none runs. */
  readonly deadline: number | null
  readonly overdue: boolean
  /** The open finding that keeps it: `account-ambiguous`, or that of the action; null: none. */
  readonly finding: string | null
  /** Native ids of the accounts that may be theirs, as far as `account-ambiguous` names them. */
  readonly doubted: readonly string[]
}

/** Who should hold something on a target now and has no account linked there. Of many, only the first assignments are looked at. */
const awaited = `with unlinked as materialized (select d.identity_id, d.assignments, d.entitlements from muster.desired d
      where d.recorded_to = 'infinity' and cardinality(d.entitlements) > 0
        and not exists (select from muster.account a where a.identity_id = d.identity_id and a.target = $1 and a.unlinked_at is null)),
    -- Each person's own few by their numbers: a target may have as many groups as people.
    missing as materialized (select u.identity_id, u.assignments,
        jsonb_build_object('ids', own.ids, 'now', extract(epoch from (select muster.now())) * 1000) as now
      from unlinked u cross join lateral (select jsonb_agg(e.id) as ids from muster.entitlement e
        where e.id = any(u.entitlements) and e.target || '' = $1) own where own.ids is not null),
    awaited as (select * from missing
      where jsonb_path_exists(assignments, '$[*] ? (@.e == $ids[*] && @.from <= $now && (@.to == null || @.to > $now))', now))`

/** What may keep an action that is about an account. */
const kept = [...refusalReasons, 'retries-exhausted', 'still-failing', 'still-unknown', 'not-brought']

export const countAwaited = async (db: Queryable, target: string): Promise<number> => {
  const [row] = await db.query<{ n: number }>({
    text: `${awaited} select count(*)::int as n from awaited`,
    values: [target],
  })
  return row?.n ?? 0
}

/** The first of them by their keys. */
export const findAwaited = (db: Queryable, target: string, limit: number): Promise<readonly Awaited[]> =>
  db.query({
    text: `${awaited}
      select p.person_key as person, w.wanted, s.since, o.id as action, o.state::text, (extract(epoch from o.deadline) * 1000)::bigint as deadline,
        coalesce(o.deadline < muster.now(), false) as overdue, coalesce(f.kind, g.kind) as finding,
        coalesce(string_to_array(f.detail ->> 'accounts', ' '), '{}') as doubted
      from (select a.*, i.person_key from awaited a join muster.identity i on i.id = a.identity_id order by i.person_key limit $2) p
      join muster.identity i on i.id = p.identity_id
      cross join lateral (select count(*)::int as wanted
        from jsonb_path_query(p.assignments, '$[*] ? (@.e == $ids[*] && @.from <= $now && (@.to == null || @.to > $now))', p.now)) w
      cross join lateral (select (extract(epoch from min(d.recorded_from)) * 1000)::bigint as since from muster.desired d
        where d.identity_id = i.id and d.recorded_from > coalesce((select max(b.recorded_from) from muster.desired b
          where b.identity_id = i.id and not exists (select from muster.entitlement e
            where e.id = any(b.entitlements) and e.target || '' = $1)), '-infinity')) s
      left join muster.action o on o.identity_id = i.id and o.target = $1 and o.kind = 'ensureAccount' and o.open
      left join muster.finding f on f.kind = 'account-ambiguous' and f.key = i.subject_ref || ':' || $1 and f.closed_at is null
      left join lateral (select kind from muster.finding where kind = any($3) and key = 'action:' || o.id and closed_at is null
        order by seen_at desc limit 1) g on true
      order by i.person_key`,
    values: [target, limit, kept],
  })
