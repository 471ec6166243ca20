import type { Queryable } from './database.ts'
import { isLiving } from './plans-as.ts'
import { turnsApart } from './reconciliations.ts'

/** Something that a human should see. `key` says what it is about and, like `detail`, holds no personal data. */
export type Finding = {
  readonly kind: string
  readonly key: string
  readonly urgent: boolean
  readonly identityId: number | null
  readonly detail: Readonly<Record<string, string | number | boolean | null>>
}

/** Opens it, or counts one more time for the one that is open. */
export const openFinding = async (db: Queryable, finding: Finding): Promise<void> => {
  await db.query({
    name: 'finding-open',
    text: `insert into muster.finding (kind, key, urgent, identity_id, detail, opened_at, seen_at)
      values ($1, $2, $3, $4, $5, muster.now(), muster.now())
      on conflict (kind, key) where closed_at is null
      do update set seen_at = excluded.seen_at, times = muster.finding.times + 1, urgent = muster.finding.urgent or excluded.urgent,
        detail = excluded.detail`,
    values: [finding.kind, finding.key, finding.urgent, finding.identityId, JSON.stringify(finding.detail)],
  })
}

/** Opens it, or counts one more time; answers whether it was not open. */
export const openFindingAnew = async (db: Queryable, finding: Finding): Promise<boolean> => {
  const [row] = await db.query<{ times: number }>({
    name: 'finding-open-anew',
    text: `insert into muster.finding (kind, key, urgent, identity_id, detail, opened_at, seen_at)
      values ($1, $2, $3, $4, $5, muster.now(), muster.now())
      on conflict (kind, key) where closed_at is null
      do update set seen_at = excluded.seen_at, times = muster.finding.times + 1, urgent = muster.finding.urgent or excluded.urgent
      returning times`,
    values: [finding.kind, finding.key, finding.urgent, finding.identityId, JSON.stringify(finding.detail)],
  })
  return row?.times === 1
}

/** Opens it if it is not open: for what is looked at again and again. */
export const openFindingOnce = async (db: Queryable, finding: Finding): Promise<void> => {
  await db.query({
    name: 'finding-open-once',
    text: `insert into muster.finding (kind, key, urgent, identity_id, detail, opened_at, seen_at)
      values ($1, $2, $3, $4, $5, muster.now(), muster.now()) on conflict (kind, key) where closed_at is null do nothing`,
    values: [finding.kind, finding.key, finding.urgent, finding.identityId, JSON.stringify(finding.detail)],
  })
}

export const closeFinding = async (db: Queryable, kind: string, key: string): Promise<void> => {
  await db.query({
    name: 'finding-close',
    text: 'update muster.finding set closed_at = muster.now() where kind = $1 and key = $2 and closed_at is null',
    values: [kind, key],
  })
}

/** Closes those of a kind that are about these. */
export const closeFindingsOf = async (db: Queryable, kind: string, keys: readonly string[]): Promise<void> => {
  if (keys.length === 0) return
  await db.query({
    name: 'findings-close-of',
    text: 'update muster.finding set closed_at = muster.now() where kind = $1 and key = any($2) and closed_at is null',
    values: [kind, keys],
  })
}

/** Active Directory's recycle bin keeps an object so long by default, the longest of those we know (Entra: 30 days). */
const restorableDays = 180

/**
 * Closes what is no longer so: what each evaluation of an identity sees anew and the last one did not see, what was about
 * an action that is over, and what is tried every few seconds and has not failed for a minute (while nobody waits to be
 * evaluated), a credential not refused for two, configurations of which one is at work, a target that nobody waits for any more, an account that nobody has to be found any more (where it is not sent, a reconciliation says so), an account that was replaced and is linked again or can
 * hardly be restored any more, and what was about a guard hold that a human has released. A target that is back is
 * reconciled soon: what happened there meanwhile nobody has seen. How many.
 */
export const closeResolved = async (db: Queryable): Promise<number> => {
  const closed = await db.query({
    name: 'findings-close-resolved',
    text: `with closed as (update muster.finding f set closed_at = muster.now() where f.closed_at is null and (
      (f.kind in ('sod-violation', 'grant-unexplained', 'grant-missing', 'grant-fought', 'grant-indirect', 'leaver-holds-indirectly',
        'account-stays-open', 'evaluation-failed')
        and exists (select from muster.identity i where i.id = f.identity_id and i.evaluated_at > f.seen_at))
      or exists (select from muster.action a where f.key like 'action:%' and a.id = substring(f.key from '^action:([0-9]+)$')::bigint
        and a.state in ('done', 'superseded'))
      or (f.kind = 'guard-tripped' and not exists (select from muster.hold h where h.kind = 'guard' and h.closed_at is null
        and h.target || ':' || h.policies[1] || ':' || coalesce(h.entitlement_id::text, '*') = f.key))
      or (f.kind = 'urgent-leavers-held' and not exists (select from muster.hold h where h.kind = 'guard' and h.closed_at is null and h.target = f.key))
      or (f.kind = 'account-ambiguous' and (exists (select from muster.account a where a.identity_id = f.identity_id
        and a.target = f.detail->>'target' and a.unlinked_at is null)
        or exists (select from muster.target t join muster.identity i on i.id = f.identity_id and i.evaluated_at > t.mode_set_at
          where t.id = f.detail->>'target' and t.mode = 'enforce' and not exists (select from muster.action a
            where a.identity_id = i.id and a.target = t.id and a.kind = 'ensureAccount' and a.open))))
      or (f.kind = 'account-replaced' and (f.opened_at < muster.now() - interval '${restorableDays} days' or exists (select from muster.account g
        join muster.account a on a.identity_id = g.identity_id and a.target = g.target and a.native_id = g.native_id and a.unlinked_at is null
        where g.id = (f.detail->>'account')::bigint)))
      or (f.kind in ('evaluation-impossible', 'sweep-failed') and f.seen_at < muster.now() - interval '1 minute'
        and (f.kind = 'sweep-failed' or not exists (select from muster.identity where lane in ('leaver', 'bulk') and parked_at is null
          and work_due_at < (select muster.now()) - interval '1 minute')))
      or (f.kind = 'configurations-differ' and (select count(*) from muster.plans_as p where p.target = f.key
        and ${isLiving}) < 2)
      or (f.kind = 'credential-refused' and f.seen_at < muster.now() - interval '2 minutes')
      or (f.kind = 'target-away' and (f.seen_at < muster.now() - interval '10 minutes'
        or not exists (select from muster.action a where a.lane in ('leaver', 'bulk') and a.target = f.key and a.going
          and a.outcome in ('retry', 'unknown'))))) returning f.kind, f.key),
      back as (select t.id, greatest((select muster.now()), t.turn_at + ${turnsApart}) as at from muster.target t
        where t.id in (select c.key from closed c where c.kind in ('target-away', 'credential-refused'))),
      due as (update muster.target t set reconcile_at = back.at from back where t.id = back.id and t.reconcile_at > back.at)
      select 1 from closed`,
  })
  return closed.length
}
