/** What the auditor's role reads in the schema `auditor`: the demo believes nothing that does not stand there. */
import pg from 'pg'
import { isSo, type Look, NotSo, notYet } from './eventually.ts'

export type TrailRow = {
  readonly recorded_at: Date
  readonly id: string
  readonly kind: string
  readonly decision_id: string | null
  readonly action_id: string | null
  readonly dispatch_id: string | null
  readonly attempt: number | null
  readonly operation: string | null
  readonly entitlement: string | null
  readonly outcome: string | null
  readonly changed: boolean | null
  readonly code: string
  readonly evidence: { readonly read?: string } | null
  readonly cause: string | null
  readonly topic: string | null
  readonly partition: number | null
  readonly offset: string | null
  readonly policy_version: number | null
}

/** One change from the decision to its evidence. */
export type Chain = { readonly decided: TrailRow; readonly attempted: TrailRow; readonly outcome: TrailRow }

export type Quantiles = { readonly n: number; readonly p50: number; readonly p99: number }

export type LeaverOnTarget = {
  readonly target: string
  readonly ms: number
  readonly revokes: number
  readonly disabled: boolean
}

export type AuditLog = Awaited<ReturnType<typeof openAuditLog>>

export const openAuditLog = async (url: string) => {
  const client = new pg.Client({ connectionString: url, options: '-c timezone=UTC' })
  await client.connect()
  const ask = async <R extends pg.QueryResultRow>(text: string, ...values: unknown[]) =>
    (await client.query<R>(text, values)).rows

  const trail = (person: string) =>
    ask<TrailRow>('select * from auditor.person_trail where person_key = $1 order by recorded_at, id', person)

  return {
    trail,
    /** The latest complete chain of one change, or what is missing of it. */
    chain: async (person: string, operation: string, entitlement: string | null = null): Promise<Look<Chain>> => {
      const rows = await trail(person)
      const told = `${operation}${entitlement === null ? '' : ` ${entitlement}`} of ${person}`
      const outcome = rows.findLast(
        (row) =>
          row.kind === 'outcome' &&
          row.outcome === 'done' &&
          row.changed &&
          row.operation === operation &&
          row.entitlement === entitlement,
      )
      if (outcome === undefined) return notYet(`no outcome in the audit log: ${told}`)
      if (!outcome.evidence?.read) throw new NotSo(`an outcome without evidence: ${told}`)
      const attempts = rows.filter(
        (row) =>
          row.kind === 'attempt' && row.action_id === outcome.action_id && row.dispatch_id === outcome.dispatch_id,
      )
      const decisions = rows.filter((row) => row.kind === 'decision' && row.decision_id === outcome.decision_id)
      const [attempted, decided] = [attempts[0], decisions[0]]
      if (attempted === undefined || attempts.length > 1)
        throw new NotSo(`${attempts.length} attempts in the audit log: ${told}`)
      if (decided === undefined || decisions.length > 1)
        throw new NotSo(`${decisions.length} decisions in the audit log: ${told}`)
      return isSo({ decided, attempted, outcome })
    },
    person: async (person: string) =>
      (
        await ask<{ lifecycle: string | null; leaver: boolean }>(
          'select lifecycle, leaver from auditor.people where person_key = $1',
          person,
        )
      )[0],
    account: async (person: string) =>
      (
        await ask<{ origin: string; native_id: string }>(
          'select origin, native_id from auditor.accounts where person_key = $1',
          person,
        )
      )[0],
    outcomes: async () =>
      Number((await ask<{ n: string }>(`select count(*) as n from auditor.entries where kind = 'outcome'`))[0]?.n),
    firstGrant: async () =>
      (
        await ask<{ at: Date | null }>(
          `select min(recorded_at) as at from auditor.entries where kind = 'outcome' and entitlement_id is not null`,
        )
      )[0]?.at ?? null,
    policy: async () =>
      (
        await ask<{ policy_version: number; hash: string }>(
          'select policy_version, hash from auditor.policy_versions where active',
        )
      )[0],
    openHolds: (person: string) =>
      ask<{ entitlement: string; policies: string[]; conflicts_with: string[] }>(
        'select entitlement, policies, conflicts_with from auditor.holds where person_key = $1 and closed_at is null',
        person,
      ),
    quarantine: () =>
      ask<{ topic: string; partition: number; offset: string; reason: string }>(
        'select topic, partition, "offset", reason from auditor.quarantine',
      ),
    findings: () =>
      ask<{ kind: string; key: string; urgent: boolean }>(
        'select kind, key, urgent from auditor.findings where closed_at is null',
      ),
    held: async (person: string, at: Date) =>
      (
        await ask<{ entitlement: string }>('select entitlement from auditor.held($1, $1, $2) order by 1', at, person)
      ).map((row) => row.entitlement),
    leaver: async (person: string): Promise<Look<{ ms: number; revokes: number }>> => {
      const [row] = await ask<{ ms: string | null; open: string; revokes: string; slo_kept: boolean | null }>(
        'select * from auditor.leaver_latencies where person_key = $1',
        person,
      )
      if (row === undefined || row.ms === null)
        return notYet(
          row === undefined
            ? `no leaver ${person} in the audit log`
            : `of the leaver ${person} ${row.open} actions are not done`,
        )
      if (row.slo_kept !== true) throw new NotSo('the time that leavers may take was not kept')
      return isSo({ ms: Number(row.ms), revokes: Number(row.revokes) })
    },
    /** The same for each target, all of them; `disabled` where the target can disable. */
    leaverByTarget: async (person: string, targets: readonly string[]): Promise<Look<readonly LeaverOnTarget[]>> => {
      const rows = await ask<{
        target: string
        ms: string | null
        revokes: string
        disabled_at: Date | null
        slo_kept: boolean | null
      }>(
        'select target, ms, revokes, disabled_at, slo_kept from auditor.leaver_latencies where person_key = $1 order by target',
        person,
      )
      const done = rows.filter(({ ms }) => ms !== null)
      const missing = targets.filter((target) => !done.some((row) => row.target === target))
      if (missing.length > 0) return notYet(`of the leaver ${person} not everything is done on ${missing.join(', ')}`)
      if (done.some(({ slo_kept }) => slo_kept !== true)) throw new NotSo('the time that leavers may take was not kept')
      return isSo(
        done.map(({ target, ms, revokes, disabled_at }) => ({
          target,
          ms: Number(ms),
          revokes: Number(revokes),
          disabled: disabled_at !== null,
        })),
      )
    },
    /** What the guard holds of this entitlement now. */
    guardHold: async (entitlement: string) =>
      (
        await ask<{ hold: string; detail: { count: number; allowed: number } }>(
          `select hold, detail from auditor.holds where kind = 'guard' and entitlement = $1 and closed_at is null`,
          entitlement,
        )
      )[0],
    openGuardHolds: () =>
      ask<{ hold: string; limit: string }>(
        `select hold, policies[1] as "limit" from auditor.holds where kind = 'guard' and closed_at is null order by hold`,
      ),
    leaverQuantiles: () =>
      quantiles(
        ask(
          `select count(*)::int as n, percentile_cont(0.5) within group (order by ms) as p50, percentile_cont(0.99) within group (order by ms) as p99 from auditor.leaver_latencies`,
        ),
      ),
    /** From Kafka's append to the last grant read back, of those who joined with the feed and stayed. */
    joinerQuantiles: () =>
      quantiles(
        ask(`select count(*)::int as n, percentile_cont(0.5) within group (order by ms) as p50, percentile_cont(0.99) within group (order by ms) as p99
          from (select extract(epoch from max(e.recorded_at) - min(v.appended_at)) * 1000 as ms
            from auditor.person_events v join auditor.people p on p.subject_ref = v.subject_ref and not p.leaver
            join auditor.entries e on e.subject_ref = v.subject_ref and e.kind = 'outcome'
            where v.person_key like 'F-%' and v.event_id like 'feed-F-%' group by v.person_key) t`),
      ),
    close: () => client.end(),
  }
}

const quantiles = async (rows: Promise<readonly pg.QueryResultRow[]>): Promise<Quantiles> => {
  const [row] = await rows
  return { n: Number(row?.n), p50: Math.round(Number(row?.p50)), p99: Math.round(Number(row?.p99)) }
}
