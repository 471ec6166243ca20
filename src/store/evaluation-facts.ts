import type { OpenAction } from '../domain/action.ts'
import { foughtWithinMs } from '../domain/drift.ts'
import type { WorkerEvent } from '../domain/worker-event.ts'
import type { LinkedAccountRow } from './accounts.ts'
import type { Transaction } from './database.ts'

/** Everything that evaluation must know of one identity, read after its locks were taken. */
export type EvaluationFacts = {
  readonly id: number
  readonly events: readonly WorkerEvent[]
  readonly accounts: readonly LinkedAccountRow[]
  readonly grants: readonly {
    readonly entitlement: number
    readonly target: string
    readonly given: boolean
    readonly appeared: boolean
    /** The last read that saw it, ms. */
    readonly readAt: number
    /**
     * Appeared behind our back, was never given or taken away by us before, cannot be what a late worker of ours gave, and of
     * which nobody doubts what it is.
     */
    readonly adoptable?: boolean
  }[]
  /** Held by other ways than a grant of their own: no action of ours ends it. */
  readonly indirect: readonly (IndirectFact & IndirectRead)[]
  /** Taken over from before Muster, ended ones too; times in ms. */
  readonly adopted: readonly {
    readonly entitlement: number
    readonly target: string
    readonly from: number
    readonly to: number | null
    /** Who took it last from the account that is linked now: us, with a leave for one, which may be rescinded. null: it is there, or never was. */
    readonly takenBy: 'us' | 'another' | null
  }[]
  /** What changed behind our back on the accounts linked now: how often lately, and when the last time somebody was taken out of it (ms). */
  readonly drift: readonly {
    readonly entitlement: number
    readonly times: number
    readonly missingSince: number | null
  }[]
  readonly open: readonly (OpenAction & { readonly inverseOf: number | null })[]
  /** What late workers were about to give, and no read has told yet whether they did. */
  readonly late: readonly { readonly entitlement: number; readonly target: string }[]
  /** What was believed until now, as stored. */
  readonly desired: string | null
  /** Since when that has been believed, ms. */
  readonly desiredSince: number | null
  readonly holds: readonly (HoldFact & { readonly id: number })[]
  /** Rejected while wanted: not opened again as long as the same policies hold the same entitlement. */
  readonly rejected: readonly HoldFact[]
  /** Of whoever was a leaver already: targets that were seen to have no account of theirs, and when (ms). */
  readonly absent: readonly {
    readonly target: string
    readonly readAt: number
    /** Hash of what they were looked for by there; null = nobody can tell. */
    readonly soughtAs: string | null
  }[]
}

export type IndirectFact = {
  readonly entitlement: number
  readonly target: string
  readonly via: string
  /** Native ids, the account's own group first. */
  readonly path: readonly string[]
}

/** The last read that told it, ms: it stays known where a later one has failed. */
export type IndirectRead = { readonly readAt: number }

export type HoldFact = {
  readonly entitlement: number
  readonly policies: readonly string[]
  readonly conflictsWith: readonly number[]
}

/** The stored body is not touched by the database: it is text there until it is parsed here. */
type FactsRow = Omit<EvaluationFacts, 'events'> & {
  readonly events: readonly {
    readonly body: Omit<WorkerEvent, 'receivedAt'>
    readonly receivedAt: WorkerEvent['receivedAt']
  }[]
}

/** One statement, index lookups per identity; missing parts are empty lists. */
export const loadFacts = async (tx: Transaction, ids: readonly number[]): Promise<readonly EvaluationFacts[]> => {
  const rows = await tx.query<FactsRow>({
    name: 'evaluation-facts',
    text: `select i.id,
      coalesce((select json_agg(json_build_object('body', b.body, 'receivedAt', (extract(epoch from b.received_at) * 1000)::bigint))
        from muster.inbox b where b.identity_id = i.id and b.status = 'accepted'), '[]') as events,
      coalesce((select jsonb_agg(jsonb_build_object('id', a.id, 'target', a.target, 'enabled', a.enabled, 'attributesHash', a.attributes_hash,
          'grantsReadAt', (extract(epoch from a.grants_read_at) * 1000)::bigint,
          'indirectReadAt', (extract(epoch from a.indirect_read_at) * 1000)::bigint,
          -- Whoever was let in since then may have begun another one with that.
          'sessionsEndedAt', case when a.sessions_ended_at is not null and not exists (select from muster.grants g
            where g.account_id = a.id and g.first_verified_at > a.sessions_ended_at) then (extract(epoch from a.sessions_ended_at) * 1000)::bigint end,
          'goneAt', (extract(epoch from a.gone_at) * 1000)::bigint))
        from muster.account a where a.identity_id = i.id and a.unlinked_at is null), '[]') as accounts,
      coalesce((select jsonb_agg(jsonb_build_object('entitlement', g.entitlement_id, 'target', a.target, 'given', g.given, 'appeared', g.appeared,
          'readAt', (extract(epoch from g.last_verified_at) * 1000)::bigint,
          'adoptable', case when g.appeared and not g.given then not exists (select from muster.grants l where l.account_id = g.account_id
              and l.entitlement_id = g.entitlement_id and (l.given or l.gone_dispatch_id is not null))
            -- Nor may it be what a late worker of ours wrote.
            and not exists (select from muster.action z where z.identity_id = i.id and z.entitlement_id = g.entitlement_id and z.strayed)
            and not exists (select from muster.entitlement e where e.id = g.entitlement_id and e.contested_by is not null) else false end))
        from muster.account a join muster.grants g on g.account_id = a.id and g.gone_verified_at is null
        where a.identity_id = i.id and a.unlinked_at is null), '[]') as grants,
      coalesce((select jsonb_agg(jsonb_build_object('entitlement', (h->>'e')::int, 'target', a.target, 'via', h->'via', 'path', h->'path',
          'readAt', (extract(epoch from n.last_verified_at) * 1000)::bigint))
        from muster.account a join muster.indirect n on n.account_id = a.id and n.gone_verified_at is null
        cross join lateral jsonb_array_elements(n.held) h where a.identity_id = i.id and a.unlinked_at is null), '[]') as indirect,
      coalesce((select jsonb_agg(jsonb_build_object('entitlement', t.entitlement_id, 'target', e.target,
          'from', (extract(epoch from t.adopted_at) * 1000)::bigint, 'to', (extract(epoch from t.ended_at) * 1000)::bigint,
          'takenBy', (select case when g.gone_verified_at is null then null when g.taken then 'us' else 'another' end
            from muster.account a join muster.grants g on g.account_id = a.id and g.entitlement_id = t.entitlement_id
            where a.identity_id = i.id and a.unlinked_at is null
            order by g.gone_verified_at desc nulls first, g.first_verified_at desc limit 1)))
        from muster.adopted t join muster.entitlement e on e.id = t.entitlement_id where t.identity_id = i.id), '[]') as adopted,
      coalesce((select jsonb_agg(jsonb_build_object('entitlement', d.entitlement_id, 'times', d.times,
          'missingSince', (extract(epoch from d.missing_since) * 1000)::bigint))
        from (select g.entitlement_id,
            count(*) filter (where g.appeared and g.first_recorded_at > (select muster.now()) - interval '${foughtWithinMs} ms')
              + count(*) filter (where g.missing and g.gone_recorded_at > (select muster.now()) - interval '${foughtWithinMs} ms') as times,
            -- Whatever was verified of it later is the newer word.
            max(g.gone_verified_at) filter (where g.missing and not exists (select from muster.grants l where l.account_id = g.account_id
              and l.entitlement_id = g.entitlement_id and l.first_verified_at > g.first_verified_at)) as missing_since
          from muster.account a join muster.grants g on g.account_id = a.id
          where a.identity_id = i.id and a.unlinked_at is null and (g.appeared or g.missing) group by 1) d), '[]') as drift,
      coalesce((select jsonb_agg(jsonb_build_object('id', o.id, 'identity', i.id, 'target', o.target, 'kind', o.kind,
          'entitlement', o.entitlement_id, 'lane', o.lane, 'state', o.state, 'dispatch', o.dispatch_id, 'unknown', o.unknown,
          'claimed', o.state = 'dispatched' and d.state = 'claimed', 'attributesHash', o.attributes_hash,
          'inverseOf', o.inverse_of, 'current', o.plan_version = p.plan_version, 'needsAccount', o.needs_account,
          'afterRevokeOf', coalesce(to_jsonb(o.after_revoke_of), '[]'),
          'validFrom', (extract(epoch from o.valid_from) * 1000)::bigint, 'validTo', (extract(epoch from o.valid_to) * 1000)::bigint))
        from muster.action o left join muster.dispatch d on d.id = o.dispatch_id
        where o.identity_id = i.id and o.open), '[]') as open,
      coalesce((select jsonb_agg(distinct jsonb_build_object('entitlement', (m->>'entitlement_id')::int, 'target', r.target))
        from muster.reobservation r cross join lateral jsonb_array_elements(r.actions) m
        where r.actions @> jsonb_build_array(jsonb_build_object('identity_id', i.id, 'kind', 'grant'))
          and m->>'kind' = 'grant' and (m->>'identity_id')::bigint = i.id), '[]') as late,
      d.assignments::text as desired, d.recorded_from as "desiredSince",
      coalesce((select jsonb_agg(jsonb_build_object('id', h.id, 'entitlement', h.entitlement_id, 'policies', h.policies, 'conflictsWith', h.conflicts_with))
        from muster.hold h where h.identity_id = i.id and h.kind = 'sod' and h.closed_at is null), '[]') as holds,
      coalesce((select jsonb_agg(jsonb_build_object('entitlement', h.entitlement_id, 'policies', h.policies, 'conflictsWith', h.conflicts_with))
        from muster.hold h where h.identity_id = i.id and h.kind = 'sod' and h.closed_as = 'rejected'), '[]') as rejected,
      case when p.leaver then coalesce((select jsonb_agg(jsonb_build_object('target', n.target, 'readAt', (extract(epoch from n.read_at) * 1000)::bigint, 'soughtAs', n.sought_as))
        from muster.absent_account n where n.identity_id = i.id), '[]') else '[]' end as absent
      from unnest($1::bigint[]) as i(id) join muster.identity p on p.id = i.id
      left join muster.desired d on d.identity_id = i.id and d.recorded_to = 'infinity'`,
    values: [ids],
  })
  return rows.map((row) => ({ ...row, events: row.events.map(({ body, receivedAt }) => ({ ...body, receivedAt })) }))
}
