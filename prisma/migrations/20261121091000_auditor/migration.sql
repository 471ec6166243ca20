-- What auditors may read: schema auditor, views and functions only. They run with the owner's rights, so that
-- muster_auditor needs (and has) no right on any table below them.

set role muster_owner;

-- ── Who and what ─────────────────────────────────────────────────────────────────────────────────────────────────
create view auditor.people as
  select person_key, subject_ref, lifecycle, leaver, urgent, ended_at, plan_version,
    evaluated_policy as policy_version, evaluated_at, parked_at, parked_reason
  from muster.identity;
comment on view auditor.people is 'The population: every person HR ever told of. subject_ref is the name that audit entries use.';

create view auditor.entitlements as
  select id as entitlement_id, target, key as entitlement, lookup, native_id, managed, protected, risk, first_seen_at, drift, members_read_at
  from muster.entitlement;

create view auditor.accounts as
  select i.person_key, i.subject_ref, a.target, a.native_id, a.origin, a.linked_at, a.unlinked_at, a.enabled, a.read_at, a.grants_read_at, a.gone_at
  from muster.account a join muster.identity i on i.id = a.identity_id;

create view auditor.adopted as
  select i.person_key, i.subject_ref, e.target, e.key as entitlement, e.risk, t.adopted_at, t.adopted_by, t.ended_at, t.ended_by
  from muster.adopted t join muster.identity i on i.id = t.identity_id join muster.entitlement e on e.id = t.entitlement_id;

create view auditor.policy_versions as
  select p.id as policy_version, p.hash, p.applied_at, p.applied_by, a.version is not null as active, p.files
  from muster.policy_version p left join muster.active_policy a on a.version = p.id;

create view auditor.targets as select id as target, mode, mode_set_at, mode_set_by from muster.target;

-- ── What came in ─────────────────────────────────────────────────────────────────────────────────────────────────
create view auditor.person_events as
  select i.person_key, i.subject_ref, s.topic, s.incarnation, s.partition, b."offset", b.appended_at, b.received_at, b.source, b.event_id,
    b.body ->> 'action' as action, b.body ->> 'supersedes' as supersedes,
    to_timestamp((b.body ->> 'effectiveAt')::float8 / 1000) as effective_at, b.ends_access, b.body, b.tz_version, b.raw_sha256
  from muster.identity i
  join muster.inbox b on b.identity_id = i.id and b.status = 'accepted'
  join muster.stream s on s.id = b.stream_id;

create view auditor.quarantine as
  select s.topic, s.incarnation, s.partition, b."offset", b.appended_at, b.received_at, b.reason, b.problem, b.raw_sha256
  from muster.inbox b join muster.stream s on s.id = b.stream_id
  where b.status = 'quarantined';

create view auditor.quarantine_counts as
  select topic, reason, count(*) as messages, min(received_at) as oldest, max(received_at) as newest
  from auditor.quarantine group by topic, reason;

-- Completeness of intake: what was consumed below the cursor, by what became of it.
create view auditor.intake as
  select s.topic, s.incarnation, s.partition, s.next_offset,
    count(*) filter (where b.status = 'accepted') as accepted,
    count(*) filter (where b.status = 'duplicate') as duplicate,
    count(*) filter (where b.status = 'quarantined') as quarantined
  from muster.stream s left join muster.inbox b on b.stream_id = s.id
  group by s.id;

-- ── The log ──────────────────────────────────────────────────────────────────────────────────────────────────────
create view auditor.entries as
  select e.id, e.recorded_at, e.kind, e.subject_ref, e.decision_id, e.action_id, e.dispatch_id, e.entitlement_id,
    s.topic, s.partition, e."offset", convert_from(e.bytes, 'UTF8')::jsonb as body, e.bytes, e.leaf_hash
  from audit.entry e left join muster.stream s on s.id = e.stream_id;
comment on view auditor.entries is 'leaf_hash = SHA-256(0x00 || bytes); bytes are canonical JSON (RFC 8785).';

-- A person's chain, from the log by its indexes: entries that name the person, and of each attempt (whose entry is one
-- for a whole dispatch) the operations that were this person's. Filter by person_key or subject_ref.
create view auditor.person_trail as
  select i.person_key, i.subject_ref, t.recorded_at, t.id, t.kind,
    t.decision_id, t.action_id, t.dispatch_id,
    coalesce((t.operation ->> 'attempt')::int, (t.body ->> 'attempt')::int) as attempt,
    coalesce(t.operation ->> 'kind', case when t.kind not in ('decision', 'attempt') then coalesce(t.body ->> 'drift', t.body ->> 'kind') end) as operation,
    t.body ->> 'target' as target,
    coalesce(n.key, n.lookup) as entitlement,
    t.body ->> 'outcome' as outcome,
    (t.body ->> 'changed')::boolean as changed,
    coalesce(t.body ->> 'code', '') as code,
    t.body -> 'evidence' as evidence,
    t.body ->> 'next' as next,
    t.body -> 'actor' as actor,
    (t.body ->> 'planVersion')::int as plan_version,
    (t.body #>> '{policy,version}')::int as policy_version,
    t.body #>> '{policy,hash}' as policy_hash,
    t.body #>> '{cause,kind}' as cause,
    s.topic, s.partition, t."offset",
    t.body,
    p.body ->> 'reason' as reason
  from muster.identity i
  cross join lateral (
    select e.recorded_at, e.id, e.kind, e.decision_id, e.action_id, e.dispatch_id, e.entitlement_id, e.stream_id, e."offset",
      null::jsonb as operation, convert_from(e.bytes, 'UTF8')::jsonb as body
    from audit.entry e
    where e.subject_ref = i.subject_ref
    union all
    select e.recorded_at, e.id, e.kind, null, mine.action_id, e.dispatch_id, (o.operation ->> 'entitlement')::int, null, null,
      o.operation, b.body - 'operations'
    from (
      select r.dispatch_id, r.action_id from audit.entry r
      where r.subject_ref = i.subject_ref and r.dispatch_id is not null and r.action_id is not null
      union
      select a.dispatch_id, a.id from muster.action a where a.identity_id = i.id and a.open and a.state = 'dispatched' and a.dispatch_id is not null
    ) mine
    join audit.entry e on e.dispatch_id = mine.dispatch_id and e.kind = 'attempt'
    cross join lateral (select convert_from(e.bytes, 'UTF8')::jsonb as body) b
    cross join lateral jsonb_array_elements(b.body -> 'operations') as o(operation)
    where (o.operation ->> 'action')::bigint = mine.action_id
  ) t
  left join muster.entitlement n on n.id = t.entitlement_id
  left join muster.stream s on s.id = t.stream_id
  left join muster.personal_detail p on p.ref = (t.body #>> '{detail,ref}')::uuid;

-- Why somebody released, rejected, retried, linked, unlinked or adopted, in their words: beside the log, for they may be erased. An
-- entry names it by body -> detail -> ref, and binds it by body -> detail -> hash.
create view auditor.reasons as
  select p.ref, i.person_key, p.subject_ref, p.recorded_at, p.body ->> 'reason' as reason
  from muster.personal_detail p left join muster.identity i on i.subject_ref = p.subject_ref
  where p.body ->> 'reason' is not null;

-- An entitlement's chain: outcomes that name it, and the decisions behind them. Filter by entitlement (and target) or entitlement_id.
create view auditor.entitlement_trail as
  select n.id as entitlement_id, n.target, n.key as entitlement, i.person_key, t.subject_ref, t.recorded_at, t.id, t.kind,
    t.decision_id, t.action_id, t.dispatch_id,
    case when t.kind <> 'decision' then t.body ->> 'kind' end as operation,
    t.body ->> 'outcome' as outcome, (t.body ->> 'changed')::boolean as changed, coalesce(t.body ->> 'code', '') as code,
    t.body -> 'evidence' as evidence, t.body
  from muster.entitlement n
  cross join lateral (
    select e.subject_ref, e.recorded_at, e.id, e.kind, e.decision_id, e.action_id, e.dispatch_id, convert_from(e.bytes, 'UTF8')::jsonb as body
    from audit.entry e where e.entitlement_id = n.id
    union all
    select d.subject_ref, d.recorded_at, d.id, d.kind, d.decision_id, null, null, convert_from(d.bytes, 'UTF8')::jsonb
    from (select distinct e.decision_id from audit.entry e where e.entitlement_id = n.id and e.decision_id is not null) mine
    join audit.entry d on d.decision_id = mine.decision_id and d.kind = 'decision'
  ) t
  left join muster.identity i on i.subject_ref = t.subject_ref;

-- ── Held and desired, on both time axes ──────────────────────────────────────────────────────────────────────────
-- Who held what at `at`, as we knew it at `as_known_at` (left out, null or infinity: as it is known now). Between the last
-- read that saw a grant and the read that found it gone nobody looked: last_verified_at and gone_verified_at say how sure
-- the answer is.
create function auditor.held(at timestamptz, as_known_at timestamptz default null, who text default null)
  returns table (person_key text, subject_ref uuid, target text, account text, entitlement_id integer, entitlement text, managed boolean,
    given boolean, first_verified_at timestamptz, last_verified_at timestamptz, gone_verified_at timestamptz,
    first_dispatch_id bigint, gone_dispatch_id bigint)
  language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select i.person_key, i.subject_ref, a.target, a.native_id, g.entitlement_id, coalesce(n.key, n.lookup), n.managed, g.given,
    g.first_verified_at, least(g.last_verified_at, known.at),
    case when g.gone_recorded_at <= known.at then g.gone_verified_at end, g.first_dispatch_id,
    case when g.gone_recorded_at <= known.at then g.gone_dispatch_id end
  from (select coalesce(as_known_at, 'infinity') as at) known
  cross join muster.identity i
  join muster.account a on a.identity_id = i.id
  join muster.grants g on g.account_id = a.id
  join muster.entitlement n on n.id = g.entitlement_id
  where (who is null or i.person_key = who)
    and g.first_verified_at <= held.at and g.first_recorded_at <= known.at
    and (g.gone_recorded_at is null or g.gone_recorded_at > known.at or g.gone_verified_at > held.at)
    and (a.unlinked_at is null or a.unlinked_at > least(held.at, known.at))
$$;

-- What policy wanted everybody to hold at `at` (before separation of duties), as we believed at `as_known_at`, read as above.
create function auditor.desired(at timestamptz, as_known_at timestamptz default null, who text default null)
  returns table (person_key text, subject_ref uuid, target text, entitlement_id integer, entitlement text,
    valid_from timestamptz, valid_to timestamptz, reasons jsonb, recorded_from timestamptz, recorded_to timestamptz)
  language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select i.person_key, i.subject_ref, n.target, n.id, coalesce(n.key, n.lookup), w.valid_from, w.valid_to, w.one -> 'reasons',
    d.recorded_from, d.recorded_to
  from muster.identity i
  join muster.desired d on d.identity_id = i.id
  cross join lateral (
    select one, to_timestamp((one ->> 'from')::float8 / 1000) as valid_from,
      coalesce(to_timestamp((one ->> 'to')::float8 / 1000), 'infinity') as valid_to
    from jsonb_array_elements(d.assignments) as one
  ) w
  join muster.entitlement n on n.id = (w.one ->> 'e')::int
  where (who is null or i.person_key = who)
    and case when coalesce(as_known_at, 'infinity') = 'infinity' then d.recorded_to = 'infinity' else d.recorded_from <= as_known_at and d.recorded_to > as_known_at end
    and w.valid_from <= at and w.valid_to > at
$$;

-- What everybody holds by other ways than a grant of their own, as reads saw it. Rows without gone_verified_at stand.
create view auditor.indirect as
  select i.person_key, i.subject_ref, a.target, a.native_id as account, n.id as entitlement_id, coalesce(n.key, n.lookup) as entitlement,
    n.managed, h.one ->> 'via' as via, h.one -> 'path' as path, t.first_verified_at, t.last_verified_at, t.first_recorded_at,
    t.gone_verified_at, t.gone_recorded_at, a.unlinked_at
  from muster.indirect t
  join muster.account a on a.id = t.account_id
  join muster.identity i on i.id = a.identity_id
  cross join lateral jsonb_array_elements(t.held) as h(one)
  join muster.entitlement n on n.id = (h.one ->> 'e')::int;

-- ── What waits for somebody, and how fast access ended ───────────────────────────────────────────────────────────
create view auditor.holds as
  select h.id as hold, h.kind, i.person_key, i.subject_ref, coalesce(h.target, n.target) as target, coalesce(n.key, n.lookup) as entitlement,
    h.action_kind, h.policies,
    array(select coalesce(c.key, c.lookup) from muster.entitlement c where c.id = any(h.conflicts_with) order by 1) as conflicts_with,
    h.detail - 'reasons' as detail, h.opened_at, h.closed_at, h.closed_by, h.closed_as,
    array(select p.body ->> 'reason' from jsonb_array_elements_text(h.detail -> 'reasons') as r(ref)
      join muster.personal_detail p on p.ref = r.ref::uuid order by p.recorded_at) as reasons
  from muster.hold h
  left join muster.identity i on i.id = h.identity_id
  left join muster.entitlement n on n.id = h.entitlement_id;

create view auditor.findings as
  select f.id as finding, f.kind, f.key, f.urgent, i.person_key, i.subject_ref, f.detail, f.opened_at, f.seen_at, f.times, f.closed_at
  from muster.finding f left join muster.identity i on i.id = f.identity_id;

-- One row for each time a person left a target, and for each later event that ended it once more: what was proved before
-- stays as it was. The clock starts at the later of Kafka's append and the moment that access
-- ended; one who leaves on receipt (immediate, involuntary) is measured from the append. It ends with the last read-back.
create view auditor.leaver_latencies as
  with taken as (
    select a.identity_id, a.target, a.kind, a.state, a.done_at, a.deadline, a.decision_id, d.ended_at, d.stream_id, d."offset"
    from muster.action a
    cross join lateral (
      select (convert_from(e.bytes, 'UTF8')::jsonb ->> 'endedAt')::timestamptz as ended_at, e.stream_id, e."offset"
      from audit.entry e where e.decision_id = a.decision_id and e.kind = 'decision' limit 1
    ) d
    where a.kind in ('disable', 'endSessions', 'revoke') and a.lane = 'leaver' and a.state <> 'superseded' and d.ended_at is not null
  ), told as (
    -- What an outcome or a timer made be decided belongs to the event before it.
    select *, count(stream_id) over (partition by identity_id, target, ended_at order by decision_id) as event from taken
  ), left_ as (
    select identity_id, target, ended_at,
      max(done_at) filter (where kind = 'disable' and state = 'done') as disabled_at,
      max(done_at) filter (where kind = 'revoke' and state = 'done') as revoked_at,
      count(*) filter (where kind = 'revoke') as revokes,
      count(*) filter (where state <> 'done') as open,
      max(done_at) filter (where state = 'done') as finished_at,
      min(deadline) as deadline,
      (array_agg(stream_id order by decision_id) filter (where stream_id is not null))[1] as stream_id,
      (array_agg("offset" order by decision_id) filter (where stream_id is not null))[1] as "offset"
    from told group by identity_id, target, ended_at, event
  ), timed as (
    select l.*, b.appended_at,
      case when b.appended_at is null or l.ended_at > b.received_at + interval '1 ms' then l.ended_at
        else b.appended_at end as started_at,
      clock_timestamp() + (select shift from muster.clock) as now
    from left_ l left join muster.inbox b on b.stream_id = l.stream_id and b."offset" = l."offset"
  )
  select i.person_key, i.subject_ref, t.target, i.urgent, t.ended_at, t.appended_at, t.started_at, t.disabled_at, t.revoked_at, t.revokes,
    t.open, case when t.open = 0 then t.finished_at end as finished_at, t.deadline,
    case when t.open = 0 then round((extract(epoch from t.finished_at - t.started_at) * 1000)::numeric, 1) end as ms,
    case when t.open = 0 then t.finished_at <= t.deadline when t.now > t.deadline then false end as slo_kept
  from timed t join muster.identity i on i.id = t.identity_id;
comment on view auditor.leaver_latencies is 'ms: from started_at to the last verified change. slo_kept: null while it may still be kept.';

-- ── Rights ───────────────────────────────────────────────────────────────────────────────────────────────────────
grant select on all tables in schema auditor to muster_auditor;
revoke execute on all functions in schema auditor from public;
grant execute on all functions in schema auditor to muster_auditor;

reset role;

-- PostgreSQL lets everybody make temporary tables and large objects; an auditor only reads. What the migrating role may
-- not decide here, the owner of the cluster must (docs/auditors.md).
do $$ begin
  execute format('revoke temporary on database %I from public', current_database());
exception when insufficient_privilege then raise notice 'temporary tables remain allowed: %', sqlerrm;
end $$;
do $$ begin
  if not exists (select from pg_db_role_setting where setrole = 'muster_auditor'::regrole
      and setconfig::text like '%default_transaction_read_only=on%') then
    alter role muster_auditor set default_transaction_read_only = on;
  end if;
exception when insufficient_privilege or internal_error then raise notice 'not read-only by default: %', sqlerrm;
end $$;
