import type { Transaction } from './database.ts'

export type LinkedAccountRow = {
  readonly id: number
  readonly target: string
  readonly enabled: boolean | null
  readonly attributesHash: string | null
  /** ms; null = its direct grants were never read completely. */
  readonly grantsReadAt: number | null
  /** ms; null = what it holds indirectly is to be read, and no grant goes out before; or its target has no such thing. */
  readonly indirectReadAt: number | null
  /** ms; null = never, or it was opened since. */
  readonly sessionsEndedAt: number | null
}

export type AccountSeen = {
  readonly identity: number
  readonly target: string
  readonly nativeId: string
  readonly origin: 'created' | 'linked'
  /** null = it is there, and no more is known of it. */
  readonly enabled: boolean | null
  readonly attributesHash: string | null
  /** ms: the read behind it covered all direct grants; null = it did not. */
  readonly grantsReadAt: number | null
  /** By a change of ours: its name, of which nobody was told, may be another. */
  readonly mayBeMoved?: boolean
}

/** Leavers of whom a complete read has found no account: nobody looks again while they stay away. */
export const saveAbsent = async (
  tx: Transaction,
  at: number,
  target: string,
  identities: readonly number[],
): Promise<void> => {
  if (identities.length === 0) return
  await tx.query({
    name: 'accounts-absent',
    text: `insert into muster.absent_account (identity_id, target, read_at)
      select r.id, $1, to_timestamp($2::float8 / 1000) from unnest($3::bigint[]) as r(id)
      on conflict (identity_id, target) do update set read_at = excluded.read_at`,
    values: [target, at, identities],
  })
}

export type Believed = {
  /** state: what these rows say of `enabled` was read after our change of it; so attributes. nothing: somebody late may have changed it. */
  readonly verifies: 'state' | 'attributes' | 'nothing'
  /** ms: what was verified later than this stands, as far as these rows do not verify it themselves. */
  readonly since: number
}

/**
 * Links new accounts and refreshes what was read of known ones. Returns id by identity. A native id that is linked to
 * somebody else already, or of which a human said that it is not theirs, is left alone and missing in the answer: the caller makes it a finding, never a guess.
 */
export const saveAccounts = async (
  tx: Transaction,
  rows: readonly AccountSeen[],
  { verifies, since }: Believed,
): Promise<ReadonlyMap<number, number>> => {
  if (rows.length === 0) return new Map()
  const saved = await tx.query<{ identity_id: number; id: number }>({
    name: 'accounts-save',
    text: `insert into muster.account (identity_id, target, native_id, origin, linked_at, enabled, attributes_hash, read_at, grants_read_at)
      select r.identity, r.target, r.native_id, r.origin, (select muster.now()), r.enabled, r.hash, (select muster.now()), to_timestamp(r.grants_read / 1000)
      from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::text[], $7::float8[])
        as r(identity, target, native_id, origin, enabled, hash, grants_read)
      -- Found by native id: of the target alone the other index would answer with all of its accounts.
      where not exists (select from muster.account o where o.native_id = r.native_id and o.target || '' = r.target
        and o.unlinked_at is null and o.identity_id <> r.identity)
        and not exists (select from muster.not_theirs n where n.identity_id = r.identity and n.target = r.target and n.native_id = r.native_id)
      on conflict (identity_id, target) where unlinked_at is null
      do update set enabled = ${enabledNow},
        attributes_hash = case when ${keeps.attributes} then coalesce(muster.account.attributes_hash, excluded.attributes_hash)
          else coalesce(excluded.attributes_hash, muster.account.attributes_hash) end,
        read_at = case when excluded.enabled is null then muster.account.read_at else excluded.read_at end,
        grants_read_at = coalesce(excluded.grants_read_at, muster.account.grants_read_at),
        -- Opening and shutting may move an account, also one that was as open, or as shut, before.
        kept_name = case when muster.account.enabled is not distinct from ${enabledNow} and muster.account.identity_id <> all($10::bigint[])
          then muster.account.kept_name end,
        -- Whoever could sign in until now may have done so.
        sessions_ended_at = case when muster.account.enabled is not distinct from ${enabledNow} then muster.account.sessions_ended_at end
        where muster.account.native_id = excluded.native_id
      returning identity_id, id`,
    values: [
      rows.map((r) => r.identity),
      rows.map((r) => r.target),
      rows.map((r) => r.nativeId),
      rows.map((r) => r.origin),
      rows.map((r) => r.enabled),
      rows.map((r) => r.attributesHash),
      rows.map((r) => r.grantsReadAt),
      since,
      verifies,
      rows.flatMap((r) => (r.mayBeMoved === true ? [r.identity] : [])),
    ],
  })
  return new Map(saved.map((row) => [row.identity_id, row.id]))
}

const isLater = 'muster.account.read_at > to_timestamp($8::float8 / 1000)'

/**
 * What stands was verified lately, and this row does not verify it. Where somebody late may have opened an account that we have
 * shut, it counts as open: it is shut once more, which harms nobody.
 */
const keeps = {
  state: `(${isLater} and ($9::text = 'attributes' or ($9 = 'nothing' and muster.account.enabled)))`,
  attributes: `(${isLater} and $9 = 'state')`,
}

const enabledNow = `case when ${keeps.state} then coalesce(muster.account.enabled, excluded.enabled)
          else coalesce(excluded.enabled, muster.account.enabled) end`

/** Whatever the accounts held was read for it, from `readAt` on. */
export const saveSessionsEnded = async (
  tx: Transaction,
  at: number,
  readAt: number,
  accounts: readonly number[],
): Promise<void> => {
  if (accounts.length === 0) return
  await tx.query({
    name: 'accounts-sessions-ended',
    text: `update muster.account set sessions_ended_at = to_timestamp($1::float8 / 1000),
        grants_read_at = greatest(grants_read_at, to_timestamp($2::float8 / 1000))
      where id = any($3)`,
    values: [at, readAt, accounts],
  })
}

/** Deleted on the target by us: linked to nobody any more. What it held is gone with it. */
export const saveDeleted = async (tx: Transaction, at: number, accounts: readonly number[]): Promise<void> => {
  if (accounts.length === 0) return
  await tx.query({
    name: 'accounts-deleted',
    text: `update muster.account set unlinked_at = to_timestamp($1::float8 / 1000), gone_at = to_timestamp($1::float8 / 1000)
      where id = any($2) and unlinked_at is null`,
    values: [at, accounts],
  })
}
