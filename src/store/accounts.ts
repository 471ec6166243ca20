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
  /** ms; null = never, or it was opened or let in somewhere since. */
  readonly sessionsEndedAt: number | null
  /** ms: since then it was not there; null = it was, when last looked at. */
  readonly goneAt: number | null
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

/** `soughtAs`: hash of what they were looked for by; null = nobody can tell. */
export type Sought = { readonly identity: number; readonly soughtAs: string | null }

/** Leavers of whom a complete read has found no account: nobody looks again by the same while they stay away. */
export const saveAbsent = async (
  tx: Transaction,
  at: number,
  target: string,
  sought: readonly Sought[],
): Promise<void> => {
  if (sought.length === 0) return
  await tx.query({
    name: 'accounts-absent',
    text: `insert into muster.absent_account (identity_id, target, read_at, sought_as)
      select r.id, $1, to_timestamp($2::float8 / 1000), r.sought_as from unnest($3::bigint[], $4::text[]) as r(id, sought_as)
      on conflict (identity_id, target) do update set read_at = excluded.read_at, sought_as = excluded.sought_as`,
    values: [target, at, sought.map(({ identity }) => identity), sought.map(({ soughtAs }) => soughtAs)],
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
        gone_at = null,
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

/** What a call told of the sessions of an account: it sent their end just now, or not; they have ended, or not yet. */
export type SessionsTold = { readonly account: number; readonly sent: boolean; readonly ended: boolean }

/**
 * An end that went out since they could sign in last is the one that counts, now or when it is told. Whatever the accounts held was read
 * for it, from `claimedAt` on. Answers those of which an earlier one has ended: they may have signed in since.
 */
export const saveSessions = async (
  tx: Transaction,
  at: number,
  claimedAt: number,
  told: readonly SessionsTold[],
): Promise<readonly number[]> => {
  if (told.length === 0) return []
  const rows = await tx.query<{ account: number; early: boolean }>({
    name: 'accounts-sessions-told',
    text: `update muster.account a set
        could_sign_in_at = case when ${counts} then null else a.could_sign_in_at end,
        sessions_ended_at = case when r.ended <> 0 and ${counts} then to_timestamp($1::float8 / 1000) else a.sessions_ended_at end,
        grants_read_at = case when r.ended <> 0 then greatest(a.grants_read_at, to_timestamp($2::float8 / 1000)) else a.grants_read_at end
      from unnest($3::bigint[], $4::int[], $5::int[]) as r(account, sent, ended)
      where a.id = r.account and (r.ended <> 0 or a.could_sign_in_at is not null)
      returning a.id as account, r.ended <> 0 and a.could_sign_in_at is not null as early`,
    values: [
      at,
      claimedAt,
      told.map(({ account }) => account),
      told.map(({ sent }) => Number(sent)),
      told.map(({ ended }) => Number(ended)),
    ],
  })
  return rows.flatMap(({ account, early }) => (early ? [account] : []))
}

const counts = '(a.could_sign_in_at is null or (r.sent <> 0 and a.could_sign_in_at <= to_timestamp($2::float8 / 1000)))'

/**
 * Something was taken from them only now, or they were shut, by `until`, ms: whoever had it may have begun a session up to then, and what was
 * sent before to end their sessions is not enough.
 */
export const forgetSessionsEnded = async (
  tx: Transaction,
  accounts: readonly number[],
  until: number,
): Promise<void> => {
  if (accounts.length === 0) return
  await tx.query({
    name: 'accounts-sessions-later',
    text: `update muster.account set sessions_ended_at = null, could_sign_in_at = to_timestamp($2::float8 / 1000)
      where id = any($1)`,
    values: [accounts, until],
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

/**
 * Another account of theirs was found in the place of one that is gone: that one is theirs no more. Not where the other is somebody else's
 * already, or was said not to be theirs. Answers the rows of those that are gone, by identity.
 */
export const unlinkReplaced = async (
  tx: Transaction,
  at: number,
  target: string,
  found: readonly { readonly identity: number; readonly nativeId: string }[],
): Promise<ReadonlyMap<number, number>> => {
  if (found.length === 0) return new Map()
  const rows = await tx.query<{ identity: number; id: number }>({
    name: 'accounts-replaced',
    text: `update muster.account a set unlinked_at = to_timestamp($1::float8 / 1000)
      from unnest($3::bigint[], $4::text[]) as r(identity, native_id)
      where a.identity_id = r.identity and a.target = $2 and a.unlinked_at is null and a.gone_at is not null and a.native_id <> r.native_id
        and not exists (select from muster.account o where o.native_id = r.native_id and o.target || '' = $2 and o.unlinked_at is null)
        and not exists (select from muster.not_theirs n where n.identity_id = r.identity and n.target = $2 and n.native_id = r.native_id)
      returning a.identity_id as identity, a.id`,
    values: [at, target, found.map(({ identity }) => identity), found.map(({ nativeId }) => nativeId)],
  })
  return new Map(rows.map(({ identity, id }) => [identity, id]))
}
