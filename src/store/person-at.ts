import type { Queryable } from './database.ts'
import type { IndirectFact, IndirectRead } from './evaluation-facts.ts'

export const identityByKey = async (db: Queryable, personKey: string): Promise<{ readonly id: number } | null> => {
  const [row] = await db.query<{ id: number }>({
    text: 'select id from muster.identity where person_key = $1',
    values: [personKey],
  })
  return row ?? null
}

/** Grants that were verified as there at a moment (ms) of valid time, as far as is known now. */
export const grantsAt = (
  db: Queryable,
  identity: number,
  at: number,
): Promise<
  readonly {
    readonly entitlement: number
    readonly target: string
    readonly given: boolean
    readonly appeared: boolean
    readonly readAt: number
  }[]
> =>
  db.query({
    text: `select g.entitlement_id as entitlement, a.target, g.given, g.appeared,
        (extract(epoch from g.last_verified_at) * 1000)::bigint as "readAt" from muster.account a join muster.grants g on g.account_id = a.id
      where a.identity_id = $1 and g.first_verified_at <= to_timestamp($2::float8 / 1000)
        and (g.gone_verified_at is null or g.gone_verified_at > to_timestamp($2::float8 / 1000))`,
    values: [identity, at],
  })

/** What was held indirectly at a moment (ms) of valid time, as far as is known now. */
export const indirectAt = (
  db: Queryable,
  identity: number,
  at: number,
): Promise<readonly (IndirectFact & IndirectRead)[]> =>
  db.query({
    text: `select (h->>'e')::int as entitlement, a.target, h->>'via' as via, h->'path' as path,
        (extract(epoch from n.last_verified_at) * 1000)::bigint as "readAt"
      from muster.account a join muster.indirect n on n.account_id = a.id cross join lateral jsonb_array_elements(n.held) h
      where a.identity_id = $1 and n.first_verified_at <= to_timestamp($2::float8 / 1000)
        and (n.gone_verified_at is null or n.gone_verified_at > to_timestamp($2::float8 / 1000))`,
    values: [identity, at],
  })

/** What these native ids are called on their target, as far as is known. */
export const namesOf = async (
  db: Queryable,
  target: string,
  nativeIds: readonly string[],
): Promise<ReadonlyMap<string, string>> => {
  if (nativeIds.length === 0) return new Map()
  const rows = await db.query<{ id: string; name: string }>({
    text: `select native_id as id, coalesce(key, lookup) as name from muster.entitlement where target = $1 and native_id = any($2)`,
    values: [target, nativeIds],
  })
  return new Map(rows.map(({ id, name }) => [id, name]))
}

export type HoldOfPerson = {
  readonly id: number
  readonly policies: readonly string[]
  readonly openedAt: number
  readonly closedAs: string | null
  readonly closedBy: string | null
}

/** SoD holds on one entitlement of one person, the newest first: the open one, and those that a human rejected. */
export const holdsOn = (db: Queryable, identity: number, entitlement: number): Promise<readonly HoldOfPerson[]> =>
  db.query({
    text: `select id, policies, (extract(epoch from opened_at) * 1000)::bigint as "openedAt", closed_as as "closedAs", closed_by as "closedBy"
      from muster.hold where kind = 'sod' and identity_id = $1 and entitlement_id = $2 and (closed_at is null or closed_as = 'rejected')
      order by id desc limit 5`,
    values: [identity, entitlement],
  })

/** By action: the open guard hold that keeps it from going out. */
export const guardHoldsOf = async (db: Queryable, actions: readonly number[]): Promise<ReadonlyMap<number, number>> => {
  const rows = await db.query<{ action: number; hold: number }>({
    text: `select a.id as action, min(h.id) as hold from muster.action a join muster.hold h on h.kind = 'guard' and h.closed_at is null
        and h.target = a.target and h.action_kind = a.kind and (h.entitlement_id is null or h.entitlement_id = a.entitlement_id)
      where a.id = any($1) and a.state = 'ready' and not a.guard_released group by a.id`,
    values: [actions],
  })
  return new Map(rows.map(({ action, hold }) => [action, hold]))
}
