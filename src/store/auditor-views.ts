import type { Queryable } from './database.ts'

/** One line of a person's chain, as schema auditor shows it. */
export type TrailLine = {
  readonly at: number
  readonly id: number
  readonly kind: string
  readonly decision: number | null
  readonly action: number | null
  readonly dispatch: number | null
  readonly attempt: number | null
  readonly operation: string | null
  readonly target: string | null
  readonly entitlement: string | null
  readonly outcome: string | null
  readonly changed: boolean | null
  readonly code: string
  readonly evidence: Readonly<Record<string, unknown>> | null
  readonly next: string | null
  readonly cause: string | null
  readonly topic: string | null
  readonly partition: number | null
  readonly offset: number | null
  readonly planVersion: number | null
  readonly policyVersion: number | null
  readonly policyHash: string | null
  /** A human's own words, while they are kept. */
  readonly reason: string | null
}

/** Everything that the audit says of one person, in the order in which it was written. Needs the auditor's role. */
export const personTrail = (db: Queryable, personKey: string): Promise<readonly TrailLine[]> =>
  db.query({
    text: `select (extract(epoch from recorded_at) * 1000)::bigint as at, id, kind, decision_id as decision, action_id as action,
        dispatch_id as dispatch, attempt, operation, target, entitlement, outcome, changed, code, evidence, next, cause,
        topic, partition, "offset", plan_version as "planVersion", policy_version as "policyVersion", policy_hash as "policyHash", reason
      from auditor.person_trail where person_key = $1 order by recorded_at, id`,
    values: [personKey],
  })

export const isKnownPerson = async (db: Queryable, personKey: string): Promise<boolean> =>
  (await db.query({ text: 'select 1 from auditor.people where person_key = $1', values: [personKey] })).length > 0
