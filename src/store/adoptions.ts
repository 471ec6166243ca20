import type { Queryable, Transaction } from './database.ts'

/** Access that is there and that Muster never gave. */
export type Standing = {
  readonly entitlement: number
  readonly key: string
  readonly risk: string
  readonly identity: number
  readonly subject_ref: string
  readonly person_key: string
  /** `unjudged`: evaluation has not seen the newest of this person; `rule`: a rule gives it, and it stands under that rule; `leaver`: somebody who has left or is only to come, whom an adoption would give nothing; `rest`: nothing explains it. */
  readonly stands: 'unjudged' | 'rule' | 'leaver' | 'rest'
}

/**
 * What reads found in the catalogue's entitlements of a target, and not by a change behind our back. `identities` null: of
 * everybody.
 */
export const standing = (
  db: Queryable,
  target: string,
  identities: readonly number[] | null,
): Promise<readonly Standing[]> =>
  db.query({
    name: identities === null ? 'adoption-standing-all' : 'adoption-standing-of',
    text: `select e.id as entitlement, e.key, e.risk, i.id as identity, i.subject_ref, i.person_key,
        case when i.events_seen <> i.events_folded or i.work_due_at <= muster.now() or i.parked_at is not null
            or i.evaluated_policy is distinct from (select version from muster.active_policy) then 'unjudged'
          when i.leaver or i.lifecycle in ('terminated', 'prehire') then 'leaver'
          when exists (select from muster.desired d cross join lateral jsonb_array_elements(d.assignments) w
            where d.identity_id = i.id and d.recorded_to = 'infinity' and (w->>'e')::int = e.id
              and (w->>'from')::bigint <= t.now and (w->'to' = 'null' or (w->>'to')::bigint > t.now)) then 'rule'
          else 'rest' end as stands
      from muster.account a join muster.grants g on g.account_id = a.id and g.gone_verified_at is null and not g.given
        -- Let in behind our back, or by a late worker of ours: no part of what stood there before.
        and not g.appeared and not exists (select from muster.action z
          where z.identity_id = a.identity_id and z.entitlement_id = g.entitlement_id and z.strayed)
      join muster.entitlement e on e.id = g.entitlement_id and e.managed and not e.protected and e.contested_by is null
      join muster.identity i on i.id = a.identity_id and i.lifecycle is not null,
      (select (extract(epoch from muster.now()) * 1000)::bigint as now) t
      where a.target = $1 and a.unlinked_at is null and a.gone_at is null ${identities === null ? '' : 'and a.identity_id = any($2)'}
        and not exists (select from muster.adopted o where o.identity_id = i.id and o.entitlement_id = e.id and o.ended_at is null)
      order by e.key, i.person_key`,
    values: identities === null ? [target] : [target, identities],
  })

export const saveAdopted = async (
  tx: Transaction,
  at: number,
  by: string,
  rows: readonly { readonly identity: number; readonly entitlement: number }[],
): Promise<void> => {
  if (rows.length === 0) return
  await tx.query({
    name: 'adoption-save',
    text: `insert into muster.adopted (identity_id, entitlement_id, adopted_at, adopted_by)
      select r.identity, r.entitlement, to_timestamp($1::float8 / 1000), $2 from unnest($3::bigint[], $4::int[]) as r(identity, entitlement)`,
    values: [at, by, rows.map((r) => r.identity), rows.map((r) => r.entitlement)],
  })
}

export type AdoptedRow = { readonly identity: number; readonly subject_ref: string; readonly entitlement: number }

/** The open adoption of one person and one entitlement, with its identity locked; null: there is none. */
export const lockAdopted = async (tx: Transaction, person: string, entitlement: string): Promise<AdoptedRow | null> => {
  await tx.query({ text: 'select 1 from muster.identity where person_key = $1 for update', values: [person] })
  const [row] = await tx.query<AdoptedRow>({
    text: `select t.identity_id as identity, i.subject_ref, t.entitlement_id as entitlement from muster.adopted t
      join muster.identity i on i.id = t.identity_id and i.person_key = $1
      join muster.entitlement e on e.id = t.entitlement_id and e.key = $2 where t.ended_at is null`,
    values: [person, entitlement],
  })
  return row ?? null
}

/** Which of the two nobody has heard of; null: both are known. */
export const unknownOf = async (
  tx: Transaction,
  person: string,
  entitlement: string,
): Promise<'unknown-person' | 'unknown-entitlement' | null> => {
  const [known] = await tx.query<{ person: boolean; entitlement: boolean }>({
    text: `select exists (select from muster.identity where person_key = $1) as person,
      exists (select from muster.entitlement where key = $2) as entitlement`,
    values: [person, entitlement],
  })
  return known?.person === false ? 'unknown-person' : known?.entitlement === false ? 'unknown-entitlement' : null
}

export const endAdopted = async (
  tx: Transaction,
  { identity, entitlement }: AdoptedRow,
  at: number,
  by: string,
): Promise<void> => {
  await tx.query({
    text: `update muster.adopted set ended_at = to_timestamp($3::float8 / 1000), ended_by = $4
      where identity_id = $1 and entitlement_id = $2 and ended_at is null`,
    values: [identity, entitlement, at, by],
  })
}

/** The account on which it was found is theirs no more; answers the entitlements. */
export const endAdoptedOn = async (
  tx: Transaction,
  target: string,
  identity: number,
  at: number,
  by: string,
): Promise<readonly number[]> => {
  const rows = await tx.query<{ entitlement: number }>({
    text: `update muster.adopted t set ended_at = to_timestamp($3::float8 / 1000), ended_by = $4 from muster.entitlement e
      where e.id = t.entitlement_id and e.target = $1 and t.identity_id = $2 and t.ended_at is null returning e.id as entitlement`,
    values: [target, identity, at, by],
  })
  return rows.map(({ entitlement }) => entitlement).sort((a, b) => a - b)
}
