/** From Kafka append to verified and audited, for leavers of a finished block: read from commits, so nothing was watched. */
import type pg from 'pg'
import { quantile } from '../measure/spread.ts'
import { wallNow } from '../measure/wall-clock.ts'
import { VoidRun } from './witness.ts'

export type LeaverLatency = {
  readonly key: string
  /** From the broker's own time of the append (cut to its millisecond: up to 1 ms too much), ms. */
  readonly fromAppend: number
  /** From the moment before the producer was told to send, ms. NaN when it was not noted. */
  readonly fromSend: number
  /** Commits on the way, ms after the append: inbox row, decision, claim (the attempt's entry). The end is `fromAppend`. */
  readonly inbox: number
  readonly decided: number
  readonly claimed: number
}

/**
 * The end is the commit of the last outcome's audit entry, as PostgreSQL's own clock stamped it, plus `commitLagMs`:
 * what else passes until a client knows. Throws VoidRun unless every leaver has `actions` actions, all done, all audited.
 */
export const leaverLatencies = async (
  admin: pg.Pool,
  sentAt: ReadonlyMap<string, number>,
  actions: number,
  commitLagMs: number,
): Promise<readonly LeaverLatency[]> => {
  const { rows } = await admin.query<Row>({
    text: `select i.person_key as key, ${ms('max(b.appended_at)')} as appended, ${ms('max(pg_xact_commit_timestamp(b.xmin))')} as inbox,
        ${ms('max(pg_xact_commit_timestamp(d.xmin))')} as decided, ${ms('max(pg_xact_commit_timestamp(c.xmin))')} as claimed,
        ${ms('max(pg_xact_commit_timestamp(e.xmin))')} as ended, count(distinct a.id)::int as done, count(distinct e.id)::int as audited
      from muster.identity i
      join muster.inbox b on b.identity_id = i.id and b.ends_access
      join muster.action a on a.identity_id = i.id and a.lane = 'leaver' and a.state = 'done'
      join audit.entry d on d.decision_id = a.decision_id and d.kind = 'decision'
      join audit.entry c on c.dispatch_id = a.dispatch_id and c.kind = 'attempt'
      join audit.entry e on e.action_id = a.id and e.kind = 'outcome'
      where i.person_key = any($1) group by 1`,
    values: [[...sentAt.keys()]],
  })
  const wrong = rows.filter(({ done, audited }) => done !== actions || audited < actions)
  if (rows.length !== sentAt.size || wrong.length > 0)
    throw new VoidRun(
      `of ${sentAt.size} leavers ${rows.length} were found done, ${wrong.length} of them not with ${actions} audited actions`,
    )
  return rows.map(({ key, appended, inbox, decided, claimed, ended }) => ({
    key,
    inbox: inbox - appended,
    decided: decided - appended,
    claimed: claimed - appended,
    fromAppend: ended + commitLagMs - appended,
    fromSend: ended + commitLagMs - (sentAt.get(key) ?? Number.NaN),
  }))
}

type Row = Readonly<Record<'appended' | 'inbox' | 'decided' | 'claimed' | 'ended' | 'done' | 'audited', number>> & {
  readonly key: string
}

const ms = (instant: string): string => `(extract(epoch from ${instant}) * 1000)::float8`

/** Medians of the commits on a leaver's way, and where the slowest hundredth of each step is. */
export const stagesText = (latencies: readonly LeaverLatency[]): string => {
  const at = (q: number, of: (one: LeaverLatency) => number) => quantile(latencies.map(of), q).toFixed(1)
  const p50 = (of: (one: LeaverLatency) => number) => at(0.5, of)
  const p99 = (of: (one: LeaverLatency) => number) => at(0.99, of)
  return `medians of its commits, ms after the append: inbox ${p50((one) => one.inbox)}, decision ${p50((one) => one.decided)}, claim ${p50((one) => one.claimed)}, last outcome ${p50((one) => one.fromAppend)}; p99 of each step: to inbox ${p99((one) => one.inbox)}, to decision ${p99((one) => one.decided - one.inbox)}, to last outcome ${p99((one) => one.fromAppend - one.claimed)}`
}

/** Median time from a commit's own stamp to its acknowledgement at the client, ms: the stamp is made before the flush. */
export const commitLag = async (admin: pg.Pool): Promise<number> => {
  const client = await admin.connect()
  try {
    await client.query(
      'create table if not exists public.bench_commit (id bigint generated always as identity, at float8)',
    )
    const acknowledged: number[] = []
    for (let i = 0; i < 200; i++) {
      await client.query('insert into public.bench_commit (at) values (0)')
      acknowledged.push(wallNow())
    }
    const { rows } = await client.query<{ at: number }>(
      'select (extract(epoch from pg_xact_commit_timestamp(xmin)) * 1000)::float8 as at from public.bench_commit order by id',
    )
    await client.query('drop table public.bench_commit')
    return Math.max(
      0,
      quantile(
        rows.map(({ at }, i) => (acknowledged[i] ?? 0) - at),
        0.5,
      ),
    )
  } finally {
    client.release()
  }
}
