/** When Muster has nothing left to do, and when exactly it committed the last of it. */
import { setTimeout as pause } from 'node:timers/promises'
import type pg from 'pg'
import type { Ground } from './ground.ts'

/** Seldom enough to cost nothing: the moment of the end is read from the commits, not from this loop. */
const lookEveryMs = 60

/** Resolves when everything appended so far was read, evaluated, sent and settled. Throws after `withinMs`. */
export const untilQuiet = async ({ admin, topic }: Ground, appended: number, withinMs: number): Promise<void> => {
  const query = {
    name: 'bench-quiet',
    text: `select (select coalesce(sum(next_offset), 0) from muster.stream where current)::float8 as consumed,
      exists (select from muster.identity where work_due_at <= muster.now() and parked_at is null) as due,
      exists (select from muster.action where open and state in ('waiting', 'ready', 'dispatched')) as open`,
  }
  for (const end = performance.now() + withinMs; ; await pause(lookEveryMs)) {
    const { rows } = await admin.query<{ consumed: number; due: boolean; open: boolean }>(query)
    const [row] = rows
    if (row !== undefined && row.consumed >= appended && !row.due && !row.open) return
    if (performance.now() > end)
      throw new Error(`not quiet within ${withinMs} ms (${topic}): ${JSON.stringify(row)} of ${appended}`)
  }
}

const written = [
  'audit.entry',
  'muster.inbox',
  'muster.identity',
  'muster.desired',
  'muster.account',
  'muster.grants',
  'muster.action',
  'muster.dispatch',
]

/** Moment (ms since 1970) of the last commit that left a row in any of the tables that Muster fills. */
export const lastCommit = async (admin: pg.Pool): Promise<number> => {
  const { rows } = await admin.query<{ at: number }>(
    `select (extract(epoch from max(pg_xact_commit_timestamp(x))) * 1000)::float8 as at
      from (${written.map((table) => `select distinct xmin as x from ${table}`).join(' union ')}) all_of_them`,
  )
  return rows[0]?.at ?? Number.NaN
}

/** Parked actions, findings and open holds: a run that has some did not do what was asked. */
export const trouble = async (admin: pg.Pool): Promise<readonly string[]> => {
  const { rows } = await admin.query<{ what: string; n: number }>(
    `select 'action parked: ' || kind || ' ' || coalesce(outcome, '') as what, count(*)::int as n from muster.action where state = 'parked' group by 1
     union all select 'finding: ' || kind, count(*)::int from muster.finding group by 1
     union all select 'hold: ' || kind, count(*)::int from muster.hold where closed_at is null group by 1
     union all select 'identity parked', count(*)::int from muster.identity where parked_at is not null having count(*) > 0`,
  )
  return rows.map(({ what, n }) => `${n} × ${what}`)
}
