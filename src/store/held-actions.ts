import type { ActionCause, ActionKind, ActionReason } from '../domain/action.ts'
import type { Queryable } from './database.ts'

/**
 * What limits of the guard can hold now of these targets and kinds, by the indexes of what is ready or waits: what was done
 * long ago is not looked at, however much it is.
 */
const held = ['ready', 'waiting']
  .map(
    (state) => `select id, identity_id, target, kind, entitlement_id, reason, cause from muster.action
      where lane in ('leaver', 'bulk') and target = any($1) and kind = any($2::muster.action_kind[])
        and ${state === 'ready' ? 'going' : 'open and not going'} and state = '${state}' and guarded and not guard_released`,
  )
  .join(' union all ')

/** Actions alike: what is done, why, by which cause, and where HR's first and last word of these people stand. */
export type HeldGroup = {
  readonly target: string
  readonly kind: ActionKind
  readonly entitlement: number | null
  readonly reason: ActionReason
  /** null: nobody asked when it was planned, because no limit could hold it then. */
  readonly cause: ActionCause['kind'] | null
  readonly policy: number | null
  readonly actions: number
  readonly topic: string | null
  readonly partition: number | null
  readonly firstOffset: number | null
  readonly lastOffset: number | null
  /** When the broker took them, ms. */
  readonly firstAt: number | null
  readonly lastAt: number | null
}

export const heldGroups = (
  db: Queryable,
  targets: readonly string[],
  kinds: readonly ActionKind[],
): Promise<readonly HeldGroup[]> =>
  db.query({
    text: `with held as (${held}),
      alike as materialized (select target, kind, entitlement_id, reason, cause->>'kind' as cause, (cause->>'policy')::int as policy,
          (cause->>'stream')::int as stream, count(*) as actions, min((cause->>'offset')::bigint) as first, max((cause->>'offset')::bigint) as last
        from held group by 1, 2, 3, 4, 5, 6, 7)
      select h.target, h.kind, h.entitlement_id as entitlement, h.reason, h.cause, h.policy, h.actions, s.topic, s.partition,
        h.first as "firstOffset", h.last as "lastOffset",
        (select b.appended_at from muster.inbox b where b.stream_id = h.stream and b."offset" = h.first) as "firstAt",
        (select b.appended_at from muster.inbox b where b.stream_id = h.stream and b."offset" = h.last) as "lastAt"
      from alike h left join muster.stream s on s.id = h.stream`,
    values: [targets, kinds],
  })

/** How many people that are, and the first of them, in the order in which their actions were planned. `entitlement` null: of all. */
export const heldPeople = async (
  db: Queryable,
  target: string,
  kinds: readonly ActionKind[],
  entitlement: number | null,
  named: number,
): Promise<{ readonly people: number; readonly named: readonly string[] }> => {
  const [row] = await db.query<{ people: number; named: readonly string[] }>({
    text: `with held as (${held}),
      people as materialized (select identity_id, min(id) as first from held where $3::int is null or entitlement_id = $3 group by 1)
      select (select count(*) from people) as people, array(select i.person_key
        from (select * from people order by first limit $4) p join muster.identity i on i.id = p.identity_id order by p.first) as named`,
    values: [[target], kinds, entitlement, named],
  })
  return row ?? { people: 0, named: [] }
}
