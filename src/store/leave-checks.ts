import { leaveChecksMs } from '../domain/leave-check.ts'
import type { LinkedState } from './account-reconciliations.ts'
import type { Queryable, Transaction } from './database.ts'

export type LeaveCheck = LinkedState & {
  readonly person_key: string
  /** Which of them it is: an index of `leaveChecksMs`. */
  readonly step: number
  /** When they were shut out, ms: what comes later begins anew. */
  readonly shutAt: number
  /** Reads that told nothing. */
  readonly tries: number
}

/** Those of these accounts that are a leaver's were just shut out, or found so: they are read again, from the first time on. */
export const scheduleLeaveChecks = async (
  tx: Transaction,
  at: number,
  target: string,
  accounts: readonly number[],
): Promise<void> => {
  if (accounts.length === 0) return
  await tx.query({
    name: 'leave-checks-schedule',
    text: `insert into muster.leave_check (account_id, target, shut_at, step, due_at)
      select a, $1, to_timestamp($2::float8 / 1000), 0, to_timestamp(($2::float8 + ${leaveChecksMs[0]}) / 1000) from unnest($3::bigint[]) as a
      where exists (select from muster.account c join muster.identity i on i.id = c.identity_id and i.leaver where c.id = a)
      on conflict (account_id) do update set shut_at = excluded.shut_at, step = 0, due_at = excluded.due_at, tries = 0`,
    values: [target, at, accounts],
  })
}

export const dueLeaveChecks = (db: Queryable, target: string, limit: number): Promise<readonly LeaveCheck[]> =>
  db.query({
    name: 'leave-checks-due',
    text: `select a.id as account, a.native_id, a.identity_id as identity, i.subject_ref, i.person_key, i.leaver, a.enabled, a.kept_name,
        a.gone_at is not null as known_gone, a.out_of_sight, true as shut, c.step, c.tries,
        (extract(epoch from c.shut_at) * 1000)::float8 as "shutAt"
      from muster.leave_check c join muster.account a on a.id = c.account_id and a.unlinked_at is null
      join muster.identity i on i.id = a.identity_id and i.leaver
      where c.target = $1 and c.due_at <= (select muster.now()) order by c.due_at, c.account_id limit $2`,
    values: [target, limit],
  })

/** Who is back, or whose account is nobody's by now, is not checked. */
export const forgetLeaveChecks = async (db: Queryable, target: string): Promise<void> => {
  await db.query({
    name: 'leave-checks-forget',
    text: `delete from muster.leave_check c where c.target = $1 and c.due_at <= (select muster.now())
      and not exists (select from muster.account a join muster.identity i on i.id = a.identity_id and i.leaver
        where a.id = c.account_id and a.unlinked_at is null)`,
    values: [target],
  })
}

const sameLeave = 'abs(extract(epoch from c.shut_at) * 1000 - r.shut) < 1'

/** The one that was just made is over; the last of them ends it. Answers those that nobody else has made meanwhile. */
export const advanceLeaveChecks = async (
  tx: Transaction,
  checks: readonly Pick<LeaveCheck, 'account' | 'step' | 'shutAt'>[],
): Promise<ReadonlySet<number>> => {
  const next = (step: number) => leaveChecksMs[step + 1]
  const going = checks.filter(({ step }) => next(step) !== undefined)
  const over = checks.filter(({ step }) => next(step) === undefined)
  const advanced = await tx.query<{ account: number }>({
    name: 'leave-checks-advance',
    text: `update muster.leave_check c set step = r.step + 1, tries = 0, due_at = c.shut_at + make_interval(secs => r.after / 1000)
      from unnest($1::bigint[], $2::int[], $3::float8[], $4::float8[]) as r(account, step, after, shut)
      where c.account_id = r.account and c.step = r.step and ${sameLeave} returning c.account_id as account`,
    values: [
      going.map(({ account }) => account),
      going.map(({ step }) => step),
      going.map(({ step }) => next(step)),
      going.map(({ shutAt }) => shutAt),
    ],
  })
  const ended = await tx.query<{ account: number }>({
    name: 'leave-checks-over',
    text: `delete from muster.leave_check c using unnest($1::bigint[], $2::int[], $3::float8[]) as r(account, step, shut)
      where c.account_id = r.account and c.step = r.step and ${sameLeave} returning c.account_id as account`,
    values: [over.map(({ account }) => account), over.map(({ step }) => step), over.map(({ shutAt }) => shutAt)],
  })
  return new Set([...advanced, ...ended].map(({ account }) => account))
}

/** Nothing was learnt: again soon. */
export const postponeLeaveChecks = async (
  db: Queryable,
  accounts: readonly number[],
  afterMs: number,
): Promise<void> => {
  await db.query({
    name: 'leave-checks-postpone',
    text: `update muster.leave_check set tries = tries + 1, due_at = muster.now() + make_interval(secs => $2::float8 / 1000)
      where account_id = any($1)`,
    values: [accounts, afterMs],
  })
}
