import type { Queryable, Transaction } from './database.ts'

export type StoredFile = { readonly path: string; readonly text: string }

export type PolicyVersionRow = {
  readonly id: number
  readonly hash: string
  readonly files: readonly StoredFile[]
  /** Row ids by catalogue key, as the catalogue was when the version was applied. */
  readonly entitlement_ids: Readonly<Record<string, number>>
  /** ms since 1970. */
  readonly applied_at: number
  readonly applied_by: string
}

/**
 * What decides whether a compiled policy is still the one: the active version, and how many entitlements are known.
 * (Counted, because ids do not commit in their order; none is ever deleted.)
 */
export const activeVersion = async (
  db: Queryable,
): Promise<{ readonly version: number; readonly entitlements: number } | null> => {
  const [row] = await db.query<{ version: number; entitlements: number }>({
    name: 'policy-active',
    text: `select version, (select count(*) from muster.entitlement) as entitlements from muster.active_policy`,
  })
  return row ?? null
}

/** Every version that was ever active, oldest first; `known` are not read again. */
export const otherVersions = (db: Queryable, known: readonly number[]): Promise<readonly PolicyVersionRow[]> =>
  db.query({
    text: `select id, hash, files, entitlement_ids, (extract(epoch from applied_at) * 1000)::bigint as applied_at, applied_by
      from muster.policy_version where id <> all($1) order by id`,
    values: [known],
  })

/** One applier at a time, and nobody else is kept from anything. */
export const lockPolicies = async (tx: Transaction): Promise<void> => {
  await tx.query({ text: `select 1 from muster.latch where name = 'policy' for update` })
}

export const activeHash = async (
  db: Queryable,
): Promise<{ readonly version: number; readonly hash: string } | null> => {
  const [row] = await db.query<{ version: number; hash: string }>({
    text: 'select p.id as version, p.hash from muster.active_policy a join muster.policy_version p on p.id = a.version',
  })
  return row ?? null
}

export const insertVersion = async (
  tx: Transaction,
  row: {
    readonly hash: string
    readonly files: readonly StoredFile[]
    readonly entitlementIds: ReadonlyMap<string, number>
    readonly appliedBy: string
  },
): Promise<{ readonly version: number; readonly at: number }> => {
  const [made] = await tx.query<{ version: number; at: number }>({
    text: `with made as (insert into muster.policy_version (hash, files, applied_by, entitlement_ids) values ($1, $2, $3, $4) returning id, applied_at)
      select id as version, (extract(epoch from applied_at) * 1000)::bigint as at from made`,
    values: [
      row.hash,
      JSON.stringify(row.files),
      row.appliedBy,
      JSON.stringify(Object.fromEntries(row.entitlementIds)),
    ],
  })
  if (made === undefined) throw new Error('a policy version was not stored')
  await tx.query({
    text: `insert into muster.active_policy (version) values ($1) on conflict (one) do update set version = excluded.version`,
    values: [made.version],
  })
  return made
}
