/**
 * The conditions under which an action may go out (DESIGN §5), as one fragment that dispatch and claim share: dispatch
 * selects by them, the claim checks them again under its lock. Aliases: a = action, i = identity, c = linked account.
 */

/** Ingest has passed the end offsets that it read at its start: no leaver is still unread in Kafka. */
const ingestCaughtUp = `(select count(*) > 0 and bool_and(s.next_offset >= s.required_offset) from muster.stream s where s.current)`

/** What gives access waits for everything that could take it away. */
const grantConditions = `(i.events_seen = i.events_folded
  and (i.work_due_at is null or i.work_due_at > (select muster.now()))
  and i.parked_at is null and not i.leaver
  and i.evaluated_policy = (select version from muster.active_policy)
  and a.plan_version = i.plan_version
  and (a.valid_from is null or a.valid_from <= (select muster.now()))
  and (a.valid_to is null or a.valid_to > (select muster.now()))
  and ${ingestCaughtUp})`

/** A leaver's account is only looked for (domain/action: seeksOnly). */
const takesAway = `(a.kind in ('revoke', 'disable') or (a.kind = 'ensureAccount' and a.lane = 'leaver'))`

/** What takes away goes at once; only what a newer plan of somebody who stays has left to its outcome does not go again. */
export const mayGoOut = `(exists (select from muster.target t where t.id = a.target and t.mode = 'enforce')
  and (a.kind = 'ensureAccount' or c.id is not null)
  and case when ${takesAway} then i.leaver or a.plan_version = i.plan_version else ${grantConditions} end)`

/** An action whose last result is unknown is read back whatever else holds: only then is known what to undo. */
export const mayBeSent = `(${mayGoOut} or (a.unknown and (a.kind = 'ensureAccount' or c.id is not null)
  and exists (select from muster.target t where t.id = a.target and t.mode = 'enforce')))`
