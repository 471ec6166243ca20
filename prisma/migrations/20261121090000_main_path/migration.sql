-- Muster's tables, roles and functions. Plain SQL: `muster migrate` applies it and `prisma migrate deploy` agrees.
-- Why so few foreign keys: measured at 10-25 % of the write time of the hot tables; the engine's statements keep them.

do $$
declare r text;
begin
  foreach r in array array['muster_owner', 'muster_engine', 'muster_auditor'] loop
    if not exists (select from pg_roles where rolname = r) then
      begin
        execute format('create role %I nologin', r);
      exception when duplicate_object or unique_violation then null; -- another database of this cluster was faster
      end;
    end if;
  end loop;
  execute format('grant muster_owner to %I', current_user);
end $$;

create schema muster authorization muster_owner;
create schema audit authorization muster_owner;
create schema auditor authorization muster_owner;
set role muster_owner;

-- ── One clock ────────────────────────────────────────────────────────────────────────────────────────────────────
create table muster.clock (
  one boolean primary key default true check (one),
  shift interval not null default '0'
);
insert into muster.clock default values;
comment on table muster.clock is 'Tests shift the clock here; only the owner may.';

create function muster.now() returns timestamptz language sql stable parallel safe
  as $$ select clock_timestamp() + (select shift from muster.clock) $$;

-- ── Configuration that is a row ──────────────────────────────────────────────────────────────────────────────────
create type muster.target_mode as enum ('observe', 'plan', 'enforce');

create table muster.target (
  id text primary key,
  mode muster.target_mode not null default 'observe',
  mode_set_at timestamptz not null default muster.now(),
  mode_set_by text not null,
  reads_indirect boolean not null default false, -- its connector reads what is held indirectly: no grant before that is known
  reconcile_at timestamptz,                   -- when its members are listed next by the schedule; null = at once
  turn_at timestamptz,                        -- when the schedule last began to list them, or was through
  listing_until timestamptz,                  -- a process is at it, and says so anew before then; null = none is
  changes_cursor text,                        -- of its change log (connector `changes`); null = none was told
  full_read_at timestamptz,                   -- when its last full reconciliation was begun
  planned_by text,                            -- hash of what muster.yaml says that plans depend on, by which everybody was last made due; several = somebody was evaluated by another since; null = none yet
  planned_at timestamptz                      -- since when that stands
);

create table muster.policy_version (
  id integer generated always as identity primary key,
  hash text not null,
  files jsonb not null,                       -- [{path, text}]: what was applied, to the byte
  entitlement_ids jsonb not null default '{}', -- {key: id}: which entitlements its keys meant, whatever they are called since
  applied_at timestamptz not null default muster.now(),
  applied_by text not null
);

create table muster.active_policy (
  one boolean primary key default true check (one),
  version integer not null references muster.policy_version
);

create table muster.entitlement (
  id integer generated always as identity primary key,
  target text not null,
  key text,                                   -- catalogue key; null = seen on the target, in no catalogue
  lookup text not null,                       -- how the target finds it (LDAP: DN)
  lookup_key text not null,                   -- the same for all spellings of `lookup` (domain/lookup-key)
  native_id text,                             -- pinned at first resolve
  managed boolean not null,                   -- in the catalogue of the active policy
  protected boolean not null default false,
  risk text not null default 'low',
  drift text not null default 'report' check (drift in ('report', 'revert', 'adopt')),
  first_seen_at timestamptz not null default muster.now(),
  duties text[] not null default '{}',        -- SoD policies of the active version that count it (ADR 0010)
  implied_duties text[] not null default '{}', -- those that count what implies it: its grants wait as those do (ADR 0022)
  asked_key text,                             -- lookup_key of which the target last said what it names; null = never
  ask_at timestamptz not null default muster.now(), -- when the target is asked (again)
  members_read_at timestamptz,                -- when its last complete list of members was begun; null = never listed
  members_read integer,                       -- how many of them were linked accounts
  members_behind_at timestamptz,              -- since then its list may say something that is not known yet; null = it does not
  contested_by text,                          -- native id that the lookup names although this row is, or must not be, another thing
  kept_by text,                               -- whose rule, directory or push says who is in it, as the target last said; null = nobody's but ours
  unique (target, key),
  unique (target, native_id)
);
create index entitlement_lookup on muster.entitlement (target, lookup_key);
create index entitlement_ask on muster.entitlement (ask_at) where managed;
-- Next to nothing is in it: grants ask it each time (store/claimable).
create index entitlement_unsure on muster.entitlement (target)
  where managed and duties <> '{}' and (asked_key is distinct from lookup_key or contested_by is not null);

-- Rows to lock. Not advisory locks: any role that may connect could take those and hold them.
create table muster.latch (name text primary key);
insert into muster.latch values ('policy');

-- ── Kafka in ─────────────────────────────────────────────────────────────────────────────────────────────────────
create table muster.stream (
  id integer generated always as identity primary key,
  topic text not null,
  incarnation integer not null,               -- ours: rises when offsets go back (a re-created topic)
  partition integer not null,
  next_offset bigint not null default 0,      -- the cursor: everything below is in the inbox or explained
  required_offset bigint not null,            -- end offset read when ingest last started; grants wait until next_offset >= it
  current boolean not null default true,
  created_at timestamptz not null default muster.now(),
  unique (topic, incarnation, partition)
);
create unique index stream_current on muster.stream (topic, partition) where current;

create type muster.inbox_status as enum ('accepted', 'duplicate', 'quarantined');

create table muster.inbox (
  stream_id integer not null,
  "offset" bigint not null,
  status muster.inbox_status not null,
  identity_id bigint,                         -- accepted only
  source text,
  event_id text,
  ends_access boolean not null default false,
  appended_at timestamptz not null,           -- Kafka's timestamp
  received_at timestamptz not null,
  key bytea,
  headers jsonb,
  raw bytea,                                  -- the value's bytes; null = tombstone
  raw_sha256 bytea not null,
  -- accepted: domain/worker-event without receivedAt, instants in ms. json, for it is only stored and handed out whole:
  -- making jsonb of it cost about 5 of the 31 microseconds that PostgreSQL needs for an event.
  body json,
  tz_version text,                            -- tz data with which dates were resolved
  reason text,                                -- quarantined: code
  problem jsonb,                              -- quarantined: [{path, message}], no values
  replayed_at timestamptz,
  primary key (stream_id, "offset")
);
create unique index inbox_event on muster.inbox (source, event_id) where status = 'accepted';
create index inbox_identity on muster.inbox (identity_id) where status = 'accepted';
create index inbox_quarantine on muster.inbox (received_at) where status = 'quarantined';

-- ── People ───────────────────────────────────────────────────────────────────────────────────────────────────────
create type muster.lane as enum ('leaver', 'bulk');

create table muster.identity (
  id bigint generated always as identity primary key,
  person_key text not null unique,
  subject_ref uuid not null default gen_random_uuid() unique,
  -- the work queue of evaluation
  work_due_at timestamptz,                    -- null = nothing will change by itself
  lane muster.lane not null default 'bulk',
  events_seen integer not null default 0,     -- accepted by ingest
  events_folded integer not null default 0,   -- evaluated; a grant is claimed only when equal
  last_stream_id integer, last_offset bigint, last_appended_at timestamptz, -- newest accepted inbox row: the cause
  -- what evaluation last said
  evaluated_policy integer,
  evaluated_at timestamptz,
  plan_version integer not null default 0,
  lifecycle text,                             -- prehire active leave suspended terminated; null = never evaluated
  leaver boolean not null default false,
  ended_at timestamptz,                       -- when access ended (leaver), for the SLO clock
  leave_heard_at timestamptz,                 -- newest word of HR when they were first judged a leaver, without a break since
  urgent boolean not null default false,      -- involuntary or immediate
  profile jsonb,                              -- attributes of the primary employment, for account mapping
  parked_at timestamptz, parked_reason text,
  failed_at timestamptz, failures integer     -- last failed evaluation, and how many in a row: the pause before the next
) with (fillfactor = 70);
create index identity_due on muster.identity (lane, work_due_at) where work_due_at is not null and parked_at is null;
create index identity_parked on muster.identity (failed_at) where parked_at is not null;
create index identity_urgent on muster.identity (ended_at, id) where leaver and urgent;

-- Everybody was made due by a transaction that could not see people who came while it ran: the sweeper looks again until
-- whoever may have evaluated by the old state has ended. Empty when all is well.
create table muster.recheck (
  kind text primary key check (kind in ('policy', 'modes')),
  since timestamptz not null,
  after xid8,                                 -- given out when the change was first seen: older transactions may be blind to it
  seen_at timestamptz
);

-- Bitemporal desired access: one row = what was believed, from recorded_from until recorded_to, about all of valid time.
create table muster.desired (
  identity_id bigint not null,
  recorded_from timestamptz not null,
  recorded_to timestamptz not null default 'infinity',
  assignments jsonb not null,                 -- [{e: entitlement, from: ms, to: ms|null, reasons: [...]}]
  entitlements integer[] not null,            -- the same entitlements, for the index
  primary key (identity_id, recorded_from)
);
create index desired_entitlements on muster.desired using gin (entitlements);

create table muster.account (
  id bigint generated always as identity primary key,
  identity_id bigint not null,
  target text not null,
  native_id text not null,
  origin text not null check (origin in ('created', 'linked')),
  linked_at timestamptz not null,
  unlinked_at timestamptz,
  enabled boolean,                            -- as last read
  attributes_hash text,
  read_at timestamptz,
  behind_at timestamptz,                      -- since then the target may say something of it that is not known yet
  sessions_ended_at timestamptz,              -- since it was last open
  could_sign_in_at timestamptz,               -- shut, or taken from, by then: an end of its sessions that went out before is not enough; null = none has to
  gone_at timestamptz,                        -- a complete read did not show it; null = as far as is known it is there
  out_of_sight boolean not null default false, -- Muster may not look where it may be; until a read shows it again
  kept_name text,                             -- hashes of its name and place as last seen; null = since it was opened or shut, not seen
  grants_read_at timestamptz,                 -- last complete read of its direct grants
  indirect_read_at timestamptz                -- last complete read of what it holds indirectly; null = to be read, and where there is such a thing no grant goes out before
);
create unique index account_native on muster.account (native_id, target) where unlinked_at is null;
-- After the other one: between equals, and to an empty table they are, the planner takes the later, and looks people up by it.
create unique index account_of_identity on muster.account (identity_id, target) where unlinked_at is null;

create index account_behind on muster.account (target, id) where behind_at is not null;

-- Leavers of whom a complete read found no account: nobody looks again while they stay away.
create table muster.absent_account (
  identity_id bigint not null,
  target text not null,
  read_at timestamptz not null,
  sought_as text,                             -- the connector's creationHash of what HR had told of them; null = looked for by its native id, or no connector
  primary key (identity_id, target)
);

-- A human said that this account is not this person's, whatever correlation finds.
create table muster.not_theirs (
  identity_id bigint not null,
  target text not null,
  native_id text not null,
  said_at timestamptz not null,
  said_by text not null,
  primary key (identity_id, target, native_id)
);

-- Leavers' accounts that are read once more: 5 minutes, an hour and a day after they were shut out (domain/leave-check).
create table muster.leave_check (
  account_id bigint primary key,
  target text not null,
  shut_at timestamptz not null,
  step smallint not null,                     -- which of them comes next
  due_at timestamptz not null,
  tries integer not null default 0            -- reads that told nothing
);
create index leave_check_due on muster.leave_check (target, due_at);

-- Bitemporal observed grants.
create table muster.grants (
  account_id bigint not null,
  entitlement_id integer not null,
  given boolean not null default false,                 -- Muster gave it, or a rule has wanted it since; else found there
  first_verified_at timestamptz not null,     -- valid time: the read that saw it
  last_verified_at timestamptz not null,
  first_recorded_at timestamptz not null,     -- recorded time
  first_dispatch_id bigint,                   -- by which read
  gone_verified_at timestamptz,
  gone_recorded_at timestamptz,
  gone_dispatch_id bigint,
  appeared boolean not null default false,    -- drift: somebody was let in behind our back, after a complete list without them
  missing boolean not null default false,     -- drift: gone, and not by an action of ours
  taken boolean not null default false,       -- gone by a revoke of ours, or by one of which nobody knows what it did
  primary key (account_id, entitlement_id, first_verified_at)
);
create unique index grants_present on muster.grants (entitlement_id, account_id) where gone_verified_at is null;
create index grants_gone on muster.grants (entitlement_id, gone_verified_at) where gone_verified_at is not null;

-- Bitemporal, too: what an account holds by other ways than a grant of its own (nested groups, the primary group, a rule, another directory). No action
-- can take it away, so it stands apart from grants. A row is all of one account, as long as reads say the same.
create table muster.indirect (
  account_id bigint not null,
  held jsonb not null,                        -- [{e: entitlement, via: nested|primary|rule|sync, path: [native id, …]}], ordered
  entitlements integer[] not null,            -- the same entitlements, for the index
  first_verified_at timestamptz not null,
  last_verified_at timestamptz not null,
  first_recorded_at timestamptz not null,
  gone_verified_at timestamptz,               -- a later read said otherwise
  gone_recorded_at timestamptz,
  primary key (account_id, first_verified_at)
);
create unique index indirect_present on muster.indirect (account_id) where gone_verified_at is null;
create index indirect_entitlements on muster.indirect using gin (entitlements) where gone_verified_at is null;

-- Access that was there when Muster took a target over and that no rule gives: stands until a human ends it.
create table muster.adopted (
  identity_id bigint not null,
  entitlement_id integer not null,
  adopted_at timestamptz not null,
  adopted_by text not null,
  ended_at timestamptz,
  ended_by text,
  primary key (identity_id, entitlement_id, adopted_at)
);
create unique index adopted_open on muster.adopted (identity_id, entitlement_id) where ended_at is null;

-- ── Work ─────────────────────────────────────────────────────────────────────────────────────────────────────────
create type muster.action_kind as enum ('ensureAccount', 'enable', 'disable', 'endSessions', 'deleteAccount', 'grant', 'revoke');
create type muster.action_state as enum ('waiting', 'ready', 'dispatched', 'done', 'parked', 'superseded');

create table muster.action (
  id bigint primary key,                      -- from muster.action_id, allocated in blocks by the engine
  identity_id bigint not null,
  target text not null,
  kind muster.action_kind not null,
  entitlement_id integer,
  lane muster.lane not null,
  state muster.action_state not null,
  plan_version integer not null,
  decision_id bigint not null,
  dispatch_id bigint,
  attempts integer not null default 0,
  rests integer not null default 0,           -- how often it was parked, or left to rest
  rests_since timestamptz,                    -- the first of these rests began
  unknown boolean not null default false,     -- last attempt's result is not known: read back first
  doubtful boolean not null default false,    -- an attempt of ours made the change, or may have: a later look that finds it so finds its doing
  unknown_since timestamptz,                  -- within the target's settling time a read that does not show it proves nothing
  handle text,                                -- of a change that the target has taken on: asked by it (connector `poll`)
  guarded boolean not null default false,     -- the guard counts it (planning/guard: isGuarded)
  guard_released boolean not null default false,
  guard_rested boolean not null default false, -- released by its rests, not by a human: for as long as nothing is there to take away
  guard_passed_at timestamptz,                -- passed a tripped guard as one of its few urgent leavers, for the first time
  needs_account boolean not null default false,
  after_revoke_of integer[],                  -- waits until none of these entitlements is present or in flight
  inverse_of bigint,                          -- a revoke sent while this grant was claimed
  valid_from timestamptz, valid_to timestamptz, -- a grant is claimed only inside
  attributes_hash text,
  reason jsonb not null,
  cause jsonb,                                -- of what the guard looks at: domain/action: ActionCause
  created_at timestamptz not null,
  next_at timestamptz not null,               -- not dispatched before
  deadline timestamptz,
  dispatched_at timestamptz,
  done_at timestamptz,
  outcome text,                               -- word of the last outcome
  -- Indexes know states by these alone: a grant that is dispatched changes none of them, and so writes no index (ADR 0013).
  open boolean not null generated always as (state in ('waiting', 'ready', 'dispatched', 'parked')) stored,
  going boolean not null generated always as (state in ('ready', 'dispatched')) stored,
  taken_at timestamptz generated always as (case when guarded then dispatched_at end) stored,
  -- A grant of which some attempt ended otherwise than done: its worker may write one day what nobody wants any more.
  strayed boolean not null generated always as (kind = 'grant'
    and ((state = 'superseded' and attempts > 0) or (state = 'done' and attempts > 1))) stored
) with (fillfactor = 50);                     -- room on the page for all of its rows once more
create sequence muster.action_id;
create index action_going on muster.action (lane, target, kind, entitlement_id) where going;
create index action_guard on muster.action (target, kind, taken_at) where guarded;
create index action_passed on muster.action (target, guard_passed_at) where guard_passed_at is not null;
create index action_strayed on muster.action (identity_id, entitlement_id) where strayed;
-- Parked or waiting: what goes out writes nothing to it.
create index action_resting on muster.action (lane) where open and not going;
-- Found by identity through it, too.
create unique index action_one_open on muster.action (identity_id, target, kind, coalesce(entitlement_id, 0))
  where open;

-- A zombie's rejected outcome: its members must be read again until a read has told what it did.
create table muster.reobservation (
  dispatch_id bigint primary key,
  target text not null,
  lane muster.lane not null,
  actions jsonb not null,                     -- engine/claim's actions, as they were claimed, without profiles; those not told yet
  recorded_at timestamptz not null,
  tries integer not null default 0,
  next_at timestamptz not null
);
create index reobservation_actions on muster.reobservation using gin (actions jsonb_path_ops);

create type muster.dispatch_state as enum ('queued', 'claimed', 'done', 'expired');

create table muster.dispatch (
  id bigint primary key,
  target text not null,
  lane muster.lane not null,
  kind muster.action_kind,                    -- null: mixed (leaver lane)
  entitlement_id integer,
  size integer not null,
  actions bigint[] not null,                  -- its members when it was made; some may have left it since
  state muster.dispatch_state not null,
  queue_no integer not null default 1,        -- part of the BullMQ job id: every re-queue has its own
  lease_token uuid,
  lease_until timestamptz,
  created_at timestamptz not null,
  queued_at timestamptz,                      -- last put on the queue; null = not yet
  claimed_at timestamptz,
  done_at timestamptz
);
create sequence muster.dispatch_id;
create sequence muster.decision_id;
create index dispatch_open on muster.dispatch (lane, target, created_at) where state in ('queued', 'claimed');

-- What a target allows in a time, shared by all lanes and processes (connectors/budget): here, so that it holds without Redis.
create table muster.bucket (
  target text not null,
  name text not null,
  level float8 not null,                      -- units it held at `at`
  at timestamptz not null,
  closed_until timestamptz,                   -- the target itself said to wait
  primary key (target, name)
) with (fillfactor = 50);

-- At most so many callers at once under one name. A place whose time is over is free.
create table muster.place (
  id uuid not null,
  target text not null,
  name text not null,
  until timestamptz not null,
  primary key (target, name, id)
);

-- When each part of the engine (a role, and its lane) last said that it lives: for people, nothing is decided by it.
create table muster.at_work (
  part text primary key,
  at timestamptz not null
) with (fillfactor = 50);

-- Configurations by which processes plan, and when one last said that it does: the one that is left alone makes everybody due by it.
create table muster.plans_as (
  target text not null,
  hash text not null,                         -- as muster.target.planned_by
  first_at timestamptz not null,              -- as since, over silences too where it came and went
  since timestamptz not null,                 -- has said so without a long silence since then
  seen_at timestamptz not null,
  primary key (target, hash)
) with (fillfactor = 50);

create table muster.hold (
  id bigint generated always as identity primary key,
  kind text not null check (kind in ('sod', 'guard')),
  identity_id bigint,                         -- sod
  entitlement_id integer,
  target text,
  action_kind muster.action_kind,
  policies text[] not null default '{}',      -- sod: policy keys; guard: the limit's name
  conflicts_with integer[] not null default '{}',
  detail jsonb not null default '{}',
  opened_at timestamptz not null,
  closed_at timestamptz,
  closed_by text,                             -- 'evaluation' or a person
  closed_as text check (closed_as in ('gone', 'rejected', 'released', 'excepted'))
);
create unique index hold_open_sod on muster.hold (identity_id, entitlement_id) where kind = 'sod' and closed_at is null;
create unique index hold_open_guard on muster.hold (target, action_kind, coalesce(entitlement_id, 0), (policies[1]))
  where kind = 'guard' and closed_at is null;
create index hold_rejected on muster.hold (identity_id) where kind = 'sod' and closed_as = 'rejected';

create table muster.finding (
  id bigint generated always as identity primary key,
  kind text not null,
  key text not null,                          -- what it is about, without personal data
  urgent boolean not null default false,
  identity_id bigint,
  detail jsonb not null default '{}',         -- no personal data
  opened_at timestamptz not null,
  seen_at timestamptz not null,
  times integer not null default 1,
  closed_at timestamptz
);
create unique index finding_open on muster.finding (kind, key) where closed_at is null;

-- Personal data that audit entries refer to: erasable, bound by a salted hash whose salt goes with it.
create table muster.personal_detail (
  ref uuid primary key,
  subject_ref uuid,
  salt bytea not null,
  body jsonb not null,
  recorded_at timestamptz not null
);

-- ── Audit ────────────────────────────────────────────────────────────────────────────────────────────────────────
create table audit.entry (
  id bigint generated always as identity,
  recorded_at timestamptz not null,
  xid xid8 not null default pg_current_xact_id(), -- the sealer orders by it
  kind text not null,
  subject_ref uuid,
  decision_id bigint,
  action_id bigint,
  dispatch_id bigint,
  entitlement_id integer,
  stream_id integer, "offset" bigint,         -- the inbox row that caused it
  bytes bytea not null,                       -- canonical JSON (RFC 8785), format version inside
  leaf_hash bytea not null check (leaf_hash = sha256('\x00'::bytea || bytes)),
  primary key (id, recorded_at)
) partition by range (recorded_at);
create index entry_subject on audit.entry (subject_ref) where subject_ref is not null;
-- Of an action's chain: what was decided, and the attempts it was part of. The rest is found by its person.
create index entry_decision on audit.entry (decision_id) where kind = 'decision';
create index entry_attempt on audit.entry (dispatch_id) where kind = 'attempt';
create index entry_action on audit.entry using brin (action_id, dispatch_id) with (pages_per_range = 32, autosummarize = on);
create index entry_entitlement on audit.entry (entitlement_id) where entitlement_id is not null;
create index entry_inbox on audit.entry (stream_id, "offset") where stream_id is not null;
create table audit.entry_default partition of audit.entry default;

create function audit.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'audit entries cannot be changed or deleted' using errcode = '42501';
end $$;
create trigger entry_immutable before update or delete on audit.entry
  for each row execute function audit.refuse_change();
create trigger entry_default_no_truncate before truncate on audit.entry_default
  for each statement execute function audit.refuse_change();

-- Makes the month's partition and those ahead; returns how many rows sit in the default partition (0 = healthy).
create function audit.ensure_partitions(months_ahead integer) returns bigint
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare m date; part text; strays bigint;
begin
  for i in 0..least(months_ahead, 24) loop
    m := (date_trunc('month', muster.now() at time zone 'UTC') + make_interval(months => i))::date;
    part := format('entry_%s', to_char(m, 'YYYY_MM'));
    if to_regclass(format('audit.%I', part)) is null then
      begin
        execute format('create table audit.%I partition of audit.entry for values from (%L) to (%L)', part,
          m::text || ' 00:00+00', (m + interval '1 month')::date::text || ' 00:00+00');
        execute format('create trigger %I before truncate on audit.%I for each statement execute function audit.refuse_change()',
          part || '_no_truncate', part);
      exception when duplicate_table then null; when check_violation then null; -- the default already holds rows of that month
      end;
    end if;
  end loop;
  select count(*) into strays from audit.entry_default;
  return strays;
end $$;
select audit.ensure_partitions(3);

-- ── The claim protocol's locks (DESIGN §5) ───────────────────────────────────────────────────────────────────────
-- Evaluation calls this after it locked the identities and before it reads links, grants and open actions.
-- Order: parked actions (whoever makes one ready is waited for, so that it is seen as that), ready ones (dispatchers skip locked
-- rows), dispatches by id, then waiting and parked actions by id.
create function muster.lock_open_work(ids bigint[]) returns void language plpgsql as $$
declare locked bigint[] := '{}'; more bigint[];
begin
  perform 1 from muster.action where identity_id = any(ids) and open and state = 'parked' order by id for update;
  perform 1 from muster.action where identity_id = any(ids) and open and state = 'ready' order by id for update;
  loop
    select array_agg(distinct dispatch_id order by dispatch_id) into more
      from muster.action where identity_id = any(ids) and open and state = 'dispatched' and dispatch_id <> all(locked);
    exit when more is null;
    perform 1 from muster.dispatch where id = any(more) order by id for update;
    locked := locked || more;
    perform 1 from muster.action where identity_id = any(ids) and open and state = 'ready' order by id for update;
  end loop;
  perform 1 from muster.action where identity_id = any(ids) and open and state in ('waiting', 'parked') order by id for update;
end $$;

-- Takes units of all these buckets or of none: 0, or for how many ms there is not enough. One who overdraws waits no longer
-- than a full bucket takes.
create function muster.draw(of_target text, names text[], capacities float8[], rates float8[], units float8[], floors float8[])
  returns float8 language plpgsql as $$
declare t timestamptz; wait float8 := 0; i integer; b muster.bucket; levels float8[] := '{}'; level float8;
begin
  insert into muster.bucket (target, name, level, at)
    select of_target, n.name, n.capacity, muster.now() from unnest(names, capacities) as n(name, capacity) order by 2 on conflict do nothing;
  perform 1 from muster.bucket where target = of_target and name = any(names) order by name for update;
  t := muster.now();
  for i in 1 .. cardinality(names) loop
    select * into b from muster.bucket where target = of_target and name = names[i];
    level := least(capacities[i], b.level + greatest(0, extract(epoch from t - b.at)) * rates[i]);
    levels := levels || level;
    wait := greatest(wait, extract(epoch from b.closed_until - t) * 1000,
      (least(units[i] + floors[i], capacities[i]) - level) / rates[i] * 1000);
  end loop;
  if wait > 0 then return ceil(wait); end if;
  for i in 1 .. cardinality(names) loop
    update muster.bucket set level = levels[i] - units[i], at = t where target = of_target and name = names[i];
  end loop;
  return 0;
end $$;

-- A place under each of these names or under none: 0, or how many ms until the first of those in the way is over.
create function muster.occupy(of_target text, names text[], most integer[], place_id uuid, for_ms float8)
  returns float8 language plpgsql as $$
declare t timestamptz; wait float8 := 0; i integer; taken integer; first_over timestamptz;
begin
  -- The buckets' rows are what two callers meet at. One that was just forgotten (store/budget) is made anew.
  loop
    insert into muster.bucket (target, name, level, at)
      select of_target, n, 0, muster.now() from unnest(names) as n order by 2 on conflict do nothing;
    perform 1 from muster.bucket where target = of_target and name = any(names) order by name for update;
    get diagnostics taken = row_count;
    exit when taken = (select count(distinct n) from unnest(names) as n);
  end loop;
  t := muster.now();
  delete from muster.place where target = of_target and name = any(names) and until <= t;
  for i in 1 .. cardinality(names) loop
    select count(*), min(until) into taken, first_over from muster.place where target = of_target and name = names[i];
    if taken >= most[i] then wait := greatest(wait, extract(epoch from first_over - t) * 1000, 1); end if;
  end loop;
  if wait > 0 then return ceil(wait); end if;
  insert into muster.place (id, target, name, until)
    select place_id, of_target, n, t + make_interval(secs => for_ms / 1000) from unnest(names) as n;
  return 0;
end $$;

-- An initial load fills empty tables within seconds, autovacuum looks once a minute, and plans made for empty tables read
-- whole indexes for every row. Analyses what has doubled since it was last looked at; returns how many tables that were.
create function muster.refresh_statistics() returns integer
  language plpgsql security definer set search_path = pg_catalog, pg_temp
  set default_statistics_target = 10 as $$    -- plans go by indexes anyway (ADR 0009); a large sample costs a tenth of an initial load
declare t record; n integer := 0;
begin
  for t in
    select c.oid::regclass as name from pg_class c
    where c.relnamespace = 'muster'::regnamespace and c.relkind = 'r'
      and pg_stat_get_mod_since_analyze(c.oid) > greatest(500, c.reltuples)
  loop
    execute format('analyze %s', t.name);
    n := n + 1;
  end loop;
  return n;
end $$;

-- Never searched by: sampling and comparing them took most of the time of an analysis.
alter table muster.inbox alter raw set statistics 0, alter raw_sha256 set statistics 0, alter body set statistics 0,
  alter headers set statistics 0, alter key set statistics 0, alter problem set statistics 0;
alter table muster.identity alter profile set statistics 0;
alter table muster.desired alter assignments set statistics 0;
alter table muster.action alter reason set statistics 0, alter cause set statistics 0, alter attributes_hash set statistics 0;

reset role;

-- ── Rights ───────────────────────────────────────────────────────────────────────────────────────────────────────
grant usage on schema muster to muster_engine;
grant select, insert, update on all tables in schema muster to muster_engine;
grant delete on muster.plans_as, muster.personal_detail, muster.reobservation, muster.recheck, muster.place, muster.bucket, muster.leave_check,
  muster.not_theirs to muster_engine;
revoke insert, update on muster.clock from muster_engine;
revoke update on muster.policy_version, muster.desired, muster.inbox from muster_engine;
grant update (recorded_to) on muster.desired to muster_engine;
grant update (status, identity_id, source, event_id, ends_access, body, tz_version, reason, problem, replayed_at) on muster.inbox to muster_engine;
grant usage on all sequences in schema muster to muster_engine;
grant usage on schema audit to muster_engine;
-- Not id, not xid: the order of the log is the database's to say.
grant insert (recorded_at, kind, subject_ref, decision_id, action_id, dispatch_id, entitlement_id, stream_id, "offset", bytes, leaf_hash)
  on audit.entry to muster_engine;
grant execute on function audit.ensure_partitions(integer) to muster_engine;
revoke execute on function audit.ensure_partitions(integer) from public;
revoke execute on function muster.refresh_statistics() from public;
grant execute on function muster.refresh_statistics() to muster_engine;
grant usage on schema auditor to muster_auditor;
