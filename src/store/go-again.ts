import type { Queryable } from './database.ts'

/**
 * Parked actions of leavers: the target refused them for what it is like there, and that may change. Found by the index of what
 * is open and goes nowhere.
 */
const parked = `a.open and not a.going and a.state = 'parked' and a.lane = 'leaver'`

/** What may have been done already, on an account that is out of sight: it is read back as seldom as what is parked there is tried. */
const resting = `a.going and a.state = 'ready' and a.unknown and a.lane = 'leaver' and a.next_at > (select muster.now())`

/** To be tried once more: the guard counts it like what was not sent yet. What is read back stays what it is: it went out, and counts as that. */
const toReady = `state = 'ready', next_at = muster.now(),
  dispatch_id = case when state = 'parked' then null else dispatch_id end,
  dispatched_at = case when state = 'parked' then null else dispatched_at end`

/**
 * Who has rested for a day is of no mass change of now: years of leavers whom a target refuses must not hold up the next one. What took
 * nothing away was released when it was parked.
 */
const isOld = `guarded and state = 'parked' and rests_since < muster.now() - interval '1 day'`

/** While the account is gone, one action asks for it on behalf of all that is to be taken from it. */
const asksAlone = `not (a.kind = 'revoke' and exists (select from muster.account c where c.identity_id = a.identity_id and c.target = a.target
    and c.unlinked_at is null and c.gone_at is not null)
  and exists (select from muster.action o where o.identity_id = a.identity_id and o.target = a.target and o.open
    and o.kind in ('disable', 'endSessions')))`

/** Those whose pause is over, at most so many; how many. */
export const goAgainDue = async (db: Queryable, limit: number): Promise<number> => {
  const rows = await db.query({
    name: 'go-again-due',
    text: `update muster.action set ${toReady}, guard_released = guard_released or (${isOld}),
        guard_rested = guard_rested or (${isOld} and not guard_released) where id in (
      select a.id from muster.action a where ${parked} and a.next_at <= (select muster.now()) and ${asksAlone}
      order by a.id limit $1 for update skip locked) returning 1`,
    values: [limit],
  })
  return rows.length
}

/**
 * Their account there is back, or another one was found: at once, and what rested for want of it makes no later rest longer. Many that
 * come back together are a mass change of now, whatever the guard thought of each while it rested.
 * `mostRests`: only those that were parked no more often, whatever else they met; they count on.
 */
export const goAgainOf = async (
  db: Queryable,
  target: string,
  identities: readonly number[],
  mostRests: number | null = null,
): Promise<void> => {
  if (identities.length === 0) return
  await db.query({
    name: 'go-again-of',
    text: `update muster.action set ${toReady}, rests = case when $3::int is null then 0 else rests end,
        rests_since = case when $3::int is null then null else rests_since end,
        guard_released = guard_released and not (guard_rested and state = 'parked'), guard_rested = guard_rested and state <> 'parked' where id in (
      select a.id from muster.action a where a.identity_id = any($2) and a.target = $1 and ($3::int is null or a.rests <= $3) and a.open
        and ((${parked}) or (${resting})) order by a.id for update)`,
    values: [target, identities, mostRests],
  })
}

/** At the next sweep: configuration may protect them no more, another version of Muster may know better, and see what was out of sight. */
export const endPauses = async (db: Queryable): Promise<void> => {
  await db.query({
    text: `update muster.action set next_at = muster.now() where id in (
      select a.id from muster.action a where ((${parked}) or (${resting} and exists (select from muster.account c
        where c.identity_id = a.identity_id and c.target = a.target and c.unlinked_at is null and c.out_of_sight)))
        and a.next_at > (select muster.now()) order by a.id for update)`,
  })
}
