import type { Lane } from '../domain/action.ts'
import type { Queryable, Transaction } from './database.ts'

/** A dispatch whose outcome was rejected: what its worker did must be read from the target. */
export type Reobservation = { readonly dispatch: number; readonly target: string; readonly lane: Lane }

/** As it is to be read. `A`: engine/claim's actions, as they were claimed. */
export type ToReobserve<A> = {
  /** Those of which no read has told yet; `told`: their rejection is in the audit. */
  readonly actions: readonly (A & { readonly told?: boolean })[]
  /** When its outcome was rejected the last time, µs: what is told of an earlier time is not told of this one. */
  readonly recorded: number
  readonly rejectedMsAgo: number
  /** ms */
  readonly now: number
}

/** A profile is personal, and this table outlives it: it is read where it belongs when it is needed. */
const withoutProfiles = (actions: readonly object[]): string =>
  JSON.stringify(actions.map((action) => ({ ...action, profile: null })))

/** Rejected once more (a call that had been given up has ended): its time begins anew, whatever was told until now. */
export const saveReobservation = async (
  tx: Transaction,
  of: { readonly dispatch: number; readonly target: string; readonly lane: Lane; readonly actions: readonly object[] },
): Promise<void> => {
  await tx.query({
    name: 'reobservation-save',
    text: `insert into muster.reobservation (dispatch_id, target, lane, actions, recorded_at, next_at)
      values ($1, $2, $3::muster.lane, $4::jsonb, muster.now(), muster.now())
      on conflict (dispatch_id) do update set actions = excluded.actions, recorded_at = excluded.recorded_at, next_at = excluded.next_at`,
    values: [of.dispatch, of.target, of.lane, withoutProfiles(of.actions)],
  })
}

/** Targets of which something is to be read now. */
export const reobservedTargets = async (db: Queryable): Promise<readonly string[]> =>
  (
    await db.query<{ target: string }>({
      name: 'reobserved-targets',
      text: 'select distinct target from muster.reobservation where next_at <= (select muster.now()) order by 1',
    })
  ).map(({ target }) => target)

/** The longest due of a target: nobody else takes it for so long, ms, in which it is read, finished or postponed. */
export const takeReobservation = async (
  db: Queryable,
  target: string,
  forMs: number,
): Promise<Reobservation | null> => {
  const [row] = await db.query<Reobservation>({
    name: 'reobservation-take',
    text: `update muster.reobservation set next_at = muster.now() + make_interval(secs => $2::float8 / 1000)
      where dispatch_id = (select dispatch_id from muster.reobservation where target = $1 and next_at <= (select muster.now())
        order by next_at limit 1 for update skip locked)
      returning dispatch_id as dispatch, target, lane::text`,
    values: [target, forMs],
  })
  return row ?? null
}

const recordedMicros = '(extract(epoch from recorded_at) * 1000000)::bigint'

/** null: somebody else has read it meanwhile. */
export const reobservationOf = async <A>(db: Queryable, dispatch: number): Promise<ToReobserve<A> | null> => {
  const [row] = await db.query<ToReobserve<A>>({
    name: 'reobservation-of',
    text: `select ${recordedMicros} as recorded, (extract(epoch from n.now) * 1000)::bigint as now,
        (date_part('epoch', n.now - recorded_at) * 1000)::float8 as "rejectedMsAgo",
        (select jsonb_agg(case when m.one->>'kind' = 'ensureAccount'
            then m.one || jsonb_build_object('profile', coalesce(i.profile, jsonb_build_object('personKey', i.person_key))) else m.one end order by m.at)
          from jsonb_array_elements(actions) with ordinality m(one, at)
          left join muster.identity i on i.id = (m.one->>'identity_id')::bigint) as actions
      from muster.reobservation, (select muster.now() as now) n where dispatch_id = $1`,
    values: [dispatch],
  })
  return row ?? null
}

/** What is left of it by now: two may read it side by side. `left`: by action. null: nothing is. */
export const lockReobservation = async (
  tx: Transaction,
  dispatch: number,
): Promise<{
  readonly recorded: number
  readonly left: ReadonlyMap<number, { readonly told: boolean }>
} | null> => {
  const [row] = await tx.query<{ recorded: number; left: { id: number; told: boolean }[] }>({
    name: 'reobservation-lock',
    text: `select ${recordedMicros} as recorded, (select coalesce(jsonb_agg(jsonb_build_object('id', m.one->'id', 'told', coalesce((m.one->>'told')::boolean, false))), '[]')
        from jsonb_array_elements(actions) m(one)) as left
      from muster.reobservation where dispatch_id = $1 for update`,
    values: [dispatch],
  })
  return row === undefined
    ? null
    : { recorded: row.recorded, left: new Map(row.left.map(({ id, told }) => [id, { told }])) }
}

/** A read has told of every member. Not if its outcome was rejected once more since that read began. */
export const finishReobservation = async (tx: Transaction, dispatch: number, recorded: number): Promise<boolean> => {
  const finished = await tx.query({
    name: 'reobservation-finish',
    text: `delete from muster.reobservation where dispatch_id = $1 and ${recordedMicros} = $2 returning 1`,
    values: [dispatch, recorded],
  })
  return finished.length > 0
}

/** s. Where Muster may not look, asking again soon tells no more: as long as the first rest of an action (planning/retry). */
const longestPause = { usual: 30, seldom: 900 } as const

/**
 * Some member is still not known: read again after a growing pause, half a minute at the longest. `read`: what is left of
 * it; else all is. `isSeldom`: a quarter of an hour at the longest.
 */
export const postponeReobservation = async (
  tx: Transaction,
  dispatch: number,
  read?: { readonly recorded: number; readonly left: readonly object[]; readonly isSeldom?: boolean },
): Promise<void> => {
  await tx.query({
    name: 'reobservation-postpone',
    text: `update muster.reobservation set tries = tries + 1,
      actions = case when ${recordedMicros} = $2 then $3::jsonb else actions end,
      next_at = muster.now() + make_interval(secs => least($4::int, power(2, least(tries, 10)))) where dispatch_id = $1`,
    values: [
      dispatch,
      read?.recorded ?? null,
      read === undefined ? null : withoutProfiles(read.left),
      read?.isSeldom === true ? longestPause.seldom : longestPause.usual,
    ],
  })
}
