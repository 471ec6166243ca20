import type { TargetId } from '../domain/ids.ts'
import type { Queryable } from './database.ts'

/** Who has not said for so long that it plans is gone. Processes say so every ten seconds. */
const silentFor = "interval '1 minute'"

/** Configurations that are at work side by side for longer are no restart of one process after the other. */
const restartsWithin = "interval '5 minutes'"

/** Whoever ended sooner after it had begun, and was back sooner after that, comes and goes: it may soon be back once more. */
const returnsWithin = "interval '10 minutes'"

/** A process is at work that plans by it (p), or will be. */
export const isLiving = `p.seen_at > (select muster.now()) - case when p.first_at < p.since - ${silentFor} and p.seen_at - p.since < ${returnsWithin}
    then ${returnsWithin} else ${silentFor} end`

/** Says that a process is at work that plans by this configuration, target by target. In one order, as `sayAtWork`. */
export const sayPlansAs = async (db: Queryable, hashes: ReadonlyMap<TargetId, string>): Promise<void> => {
  if (hashes.size === 0) return
  await db.query({
    name: 'plans-as-say',
    text: `insert into muster.plans_as as p (target, hash, first_at, since, seen_at)
      select target, hash, now.at, now.at, now.at from unnest($1::text[], $2::text[]) r(target, hash), (select muster.now() as at) now order by target, hash
      on conflict (target, hash) do update set seen_at = excluded.seen_at,
        first_at = case when p.seen_at < excluded.seen_at - ${silentFor}
          and (p.seen_at - p.since >= ${returnsWithin} or p.seen_at < excluded.seen_at - ${returnsWithin}) then excluded.since else p.first_at end,
        since = case when p.seen_at < excluded.seen_at - ${silentFor} then excluded.since else p.since end`,
    values: [[...hashes.keys()], [...hashes.values()]],
  })
}

export type PlansAs = {
  /** By which configuration everybody was last made due, or `several`. */
  readonly plannedBy: string
  /** By which processes that are at work plan, or will soon again. */
  readonly living: readonly string[]
  /** Those of them that have been at work for so long that whoever else is must have said so, too. */
  readonly steady: readonly string[]
  /** Those that came up longer ago than a restart takes. */
  readonly old: readonly string[]
}

export const plansAs = async (db: Queryable): Promise<ReadonlyMap<TargetId, PlansAs>> => {
  const rows = await db.query<PlansAs & { id: TargetId }>({
    name: 'plans-as',
    text: `select t.id, t.planned_by as "plannedBy", coalesce(array_agg(p.hash) filter (where p.hash is not null), '{}') as living,
        coalesce(array_agg(p.hash) filter (where p.since < now.at - ${silentFor}), '{}') as steady,
        coalesce(array_agg(p.hash) filter (where p.first_at < now.at - ${restartsWithin}), '{}') as old
      from (select muster.now() as at) now cross join muster.target t left join muster.plans_as p on p.target = t.id and ${isLiving}
      where t.planned_by is not null group by t.id`,
  })
  return new Map(rows.map(({ id, ...row }) => [id, row]))
}

/** What nobody has planned by for a day will be said anew. */
export const forgetPlansAs = async (db: Queryable): Promise<void> => {
  await db.query({ text: `delete from muster.plans_as where seen_at < muster.now() - interval '1 day'` })
}
