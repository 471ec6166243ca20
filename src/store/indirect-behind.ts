import type { Queryable } from './database.ts'

/** A linked account of which what it holds indirectly is to be read. */
export type IndirectBehind = {
  readonly account: number
  readonly native_id: string
  readonly identity: number
  readonly subject_ref: string
  readonly leaver: boolean
}

/** A group that a list shows as a member, or an account that is kept there: `member` sits in `entitlement`. */
export type Nesting = { readonly entitlement: number; readonly member: string }

/** What the target may say something new of. */
export type Changed = {
  /** How long a read may not yet show a change, ms. */
  readonly settleMs: number
  readonly accounts: readonly number[]
  readonly entitlements: readonly number[]
  readonly nestings: readonly Nesting[]
}

/**
 * The next accounts, by their ids. `changed` null: all; else those never read, those that are named, those whose own grants of these entitlements changed since, or so shortly before that the read may not show it, and those that hold a nested group, or are kept in one, and do not know so.
 */
export const indirectBehind = (
  db: Queryable,
  target: string,
  changed: Changed | null,
  after: number,
  limit: number,
): Promise<readonly IndirectBehind[]> =>
  db.query({
    name: `indirect-behind${changed === null ? '-all' : ''}`,
    text: `select a.id as account, a.native_id, a.identity_id as identity, i.subject_ref, i.leaver
      from muster.account a join muster.identity i on i.id = a.identity_id
      where a.id > $2 and a.target = $1 and a.unlinked_at is null and a.gone_at is null
        ${changed === null ? '' : `and (a.indirect_read_at is null or a.id = any($7::bigint[]) or a.id in (${concerned}))`}
      order by a.id limit $3`,
    values: [
      target,
      after,
      limit,
      ...(changed === null
        ? []
        : [
            changed.entitlements,
            changed.nestings.map(({ entitlement }) => entitlement),
            changed.nestings.map(({ member }) => member),
            changed.accounts,
            changed.settleMs,
          ]),
    ],
  })

const concerned = `
  select g.account_id from muster.grants g join muster.account o on o.id = g.account_id
    where g.entitlement_id = any($4::int[]) and greatest(g.first_verified_at, g.gone_verified_at) > o.indirect_read_at - make_interval(secs => $8::float8 / 1000)
  union
  select h.account from unnest($5::int[], $6::text[]) as s(entitlement, member)
    join muster.entitlement m on m.target = $1 and m.native_id = s.member
    cross join lateral (
      select g.account_id as account from muster.grants g where g.entitlement_id = m.id and g.gone_verified_at is null
      union select n.account_id from muster.indirect n where n.entitlements @> array[m.id] and n.gone_verified_at is null) h
    where not exists (select from muster.indirect k where k.account_id = h.account and k.gone_verified_at is null
      and k.entitlements @> array[s.entitlement])
  union
  select p.id from unnest($5::int[], $6::text[]) as s(entitlement, member)
    join muster.account p on p.target = $1 and p.native_id = s.member and p.unlinked_at is null
    where not exists (select from muster.indirect k where k.account_id = p.id and k.gone_verified_at is null
      and k.entitlements @> array[s.entitlement])`

/** Accounts whose own grants changed since then: what that brought may be missing in what was read. The next run reads them again. */
export const noteSettling = async (db: Queryable, accounts: readonly number[], since: number): Promise<void> => {
  if (accounts.length === 0) return
  await db.query({
    name: 'indirect-settling',
    text: `update muster.account a set behind_at = muster.now()
      where a.id in (select o.id from muster.account o where o.id = any($1) and exists (select from muster.grants g
        where g.account_id = o.id and greatest(g.first_verified_at, g.gone_verified_at) > to_timestamp($2::float8 / 1000))
        order by o.id for update)`,
    values: [accounts, since],
  })
}

/** Linked accounts that are known to hold something of the catalogue indirectly. */
export const indirectHolders = async (db: Queryable, target: string): Promise<number> => {
  const [row] = await db.query<{ n: number }>({
    name: 'indirect-holders',
    text: `select count(*) as n from muster.indirect n join muster.account a on a.id = n.account_id
      where a.target = $1 and a.unlinked_at is null and a.gone_at is null and n.gone_verified_at is null
        and exists (select from muster.entitlement e where e.id = any(n.entitlements) and e.managed)`,
    values: [target],
  })
  return row?.n ?? 0
}

export type KnownIndirect = { readonly entitlement: number; readonly nativeId: string; readonly via: string }

/** Of these accounts: what of the catalogue they are known to hold indirectly. */
export const indirectKnown = async (
  db: Queryable,
  accounts: readonly number[],
): Promise<ReadonlyMap<number, readonly KnownIndirect[]>> => {
  if (accounts.length === 0) return new Map()
  const rows = await db.query<{ account: number; links: KnownIndirect[] }>({
    name: 'indirect-known',
    text: `select n.account_id as account, jsonb_agg(jsonb_build_object('entitlement', e.id, 'nativeId', e.native_id, 'via', h->'via')) as links
      from muster.indirect n cross join lateral jsonb_array_elements(n.held) h
      join muster.entitlement e on e.id = (h->>'e')::int and e.managed and e.native_id is not null
      where n.account_id = any($1) and n.gone_verified_at is null group by 1`,
    values: [accounts],
  })
  return new Map(rows.map(({ account, links }) => [account, links]))
}
