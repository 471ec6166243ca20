/**
 * The conditions under which an action may go out (DESIGN §5), as one fragment that dispatch and claim share: dispatch
 * selects by them, the claim checks them again under its lock. Aliases: a = action, i = identity, c = linked account.
 */

/** Ingest has passed the end offsets that it read at its start: no leaver is still unread in Kafka. */
const ingestCaughtUp = `(select count(*) > 0 and bool_and(s.next_offset >= s.required_offset) from muster.stream s where s.current)`

/**
 * SoD policies that may count somebody wrongly: the target was not yet asked what one of their entitlements is, or it is
 * contested (ADR 0010). Uncorrelated and by a partial index that is all but empty: one look for each statement.
 */
const unsureDuties = `(select array_agg(distinct d) from muster.entitlement u cross join unnest(u.duties) as d
  where u.managed and u.duties <> '{}' and (u.asked_key is distinct from u.lookup_key or u.contested_by is not null)
    and exists (select from muster.target t where t.id = u.target))`

/** None of the SoD policies that judged this grant, or a grant that implies it, is unsure. */
const dutiesAreSure = `(${unsureDuties} is null
  or not exists (select from muster.entitlement own where own.id = a.entitlement_id
    and (own.duties || own.implied_duties) && ${unsureDuties}))`

/** Where accounts hold things indirectly, nothing is granted beside what nobody has read (ADR 0023). Uncorrelated: one look for each statement. */
const indirectIsRead = `(a.kind <> 'grant' or c.indirect_read_at is not null
  or a.target <> all (array(select r.id from muster.target r where r.reads_indirect)))`

/** Who was out of sight may have been let in meanwhile: nothing is granted beside what a reconciliation has not read yet (ADR 0021). */
const isInSight = `(a.kind <> 'grant' or not c.out_of_sight)`

/** What gives access waits for everything that could take it away. */
const grantConditions = `(i.events_seen = i.events_folded
  and (i.work_due_at is null or i.work_due_at > (select muster.now()))
  and i.parked_at is null and not i.leaver
  and i.evaluated_policy = (select version from muster.active_policy)
  and a.plan_version = i.plan_version
  and (a.valid_from is null or a.valid_from <= (select muster.now()))
  and (a.valid_to is null or a.valid_to > (select muster.now()))
  and ${ingestCaughtUp}
  and ${indirectIsRead}
  and ${isInSight}
  and ${dutiesAreSure})`

/**
 * Nothing is deleted of somebody who may be back: what a grant waits for, a deletion waits for. Nor of an account that
 * somebody has opened, until a reconciliation sees it shut: they may still need it.
 */
const deletionConditions = `(i.leaver and i.events_seen = i.events_folded
  and (i.work_due_at is null or i.work_due_at > (select muster.now()))
  and i.parked_at is null and a.plan_version = i.plan_version and ${ingestCaughtUp}
  and not exists (select from muster.finding f where f.kind = 'account-reopened' and f.key = i.subject_ref || ':' || a.target and f.closed_at is null))`

/** A leaver's account is only looked for (domain/action: seeksOnly). */
const takesAway = `(a.kind in ('revoke', 'disable', 'endSessions') or (a.kind = 'ensureAccount' and a.lane = 'leaver'))`

/** What takes away goes at once; only what a newer plan of somebody who stays has left to its outcome does not go again. */
export const mayGoOut = `(exists (select from muster.target t where t.id = a.target and t.mode = 'enforce')
  and (a.kind = 'ensureAccount' or c.id is not null)
  and case when a.kind = 'deleteAccount' then ${deletionConditions}
    when ${takesAway} then i.leaver or a.plan_version = i.plan_version else ${grantConditions} end)`

/** An action whose last result is unknown is read back whatever else holds: only then is known what to undo. */
export const mayBeSent = `(${mayGoOut} or (a.unknown and (a.kind = 'ensureAccount' or c.id is not null)
  and exists (select from muster.target t where t.id = a.target and t.mode = 'enforce')))`
