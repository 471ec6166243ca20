import type { Queryable, Transaction } from './database.ts'

/**
 * Parked: evaluation leaves it alone and no grant of it is claimed, until it is retried, another event of it comes or a
 * policy is applied. Failures count in a row: an evaluation that went well since begins anew.
 */
export const parkIdentity = async (tx: Transaction, id: number, reason: string): Promise<void> => {
  await tx.query({
    text: `update muster.identity set parked_at = muster.now(), parked_reason = $2, failed_at = muster.now(),
      failures = case when evaluated_at > failed_at then 1 else coalesce(failures, 0) + 1 end where id = $1`,
    values: [id, reason],
  })
}

/** Pause after the nth failure: 5 s, doubled each time, up to half a minute where access may have to end, else a quarter of an hour. */
const pauseText = `make_interval(secs => least(case when lane = 'leaver' or leaver then 30 else 900 end, 5 * power(2, least(failures - 1, 8))))`

/** Lets those be evaluated again whose pause is over; how many. Their grants stay stopped: they are due. */
export const unparkDue = async (db: Queryable): Promise<number> => {
  const rows = await db.query({
    name: 'parked-unpark-due',
    text: `update muster.identity set parked_at = null where id in (
      select id from muster.identity where parked_at is not null and failed_at <= (select muster.now()) - ${pauseText}
      order by person_key for update skip locked) returning 1`,
  })
  return rows.length
}

/** Lets all of them be evaluated again at once: another version of Muster may know better. */
export const unparkAll = async (db: Queryable): Promise<number> => {
  const rows = await db.query({
    text: `update muster.identity set parked_at = null where id in (
      select id from muster.identity where parked_at is not null order by person_key for update) returning 1`,
  })
  return rows.length
}
