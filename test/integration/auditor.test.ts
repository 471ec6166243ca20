/** What auditors read, from what the real engine wrote on a real directory. */
import { readFileSync } from 'node:fs'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { type House, openHouse } from '../support/house.ts'

let house: House
let auditor: Database
beforeAll(async () => {
  house = await openHouse()
  auditor = openDatabase({ url: house.database.auditorUrl, max: 1, applicationName: 'test-auditor' })
})
afterAll(async () => {
  await auditor.close()
  await house.close()
})

const ask = <R>(text: string, ...values: unknown[]) => auditor.query<R>({ text, values })
const keys = (rows: readonly { entitlement: string }[]) => rows.map(({ entitlement }) => entitlement).sort()
const desired = async (at: number, known: number, who: string) =>
  keys(
    await ask(
      'select entitlement from auditor.desired(to_timestamp($1::float8 / 1000), to_timestamp($2::float8 / 1000), $3)',
      at,
      known,
      who,
    ),
  )
const held = async (at: number, known: number, who: string) =>
  keys(
    await ask(
      'select entitlement from auditor.held(to_timestamp($1::float8 / 1000), to_timestamp($2::float8 / 1000), $3)',
      at,
      known,
      who,
    ),
  )

const hour = 3_600_000
const banker = { department: 'LENDING', country: 'IN' }

describe('two time axes', () => {
  test('a backdated correction changes what we say now about then, not what we said then', async () => {
    const joined = (await house.now()) - 5 * hour
    const first = await house.tell({ person: 'P-BACK', effectiveAt: joined, attributes: { ...banker, jobCode: 'RM' } })
    await house.quiesce()
    const believed = await house.now()
    await house.shift(hour)
    await house.tell({
      person: 'P-BACK',
      action: 'correct',
      supersedes: first,
      effectiveAt: joined,
      attributes: { ...banker, jobCode: 'CA' },
    })
    await house.quiesce()
    const corrected = await house.now()

    expect(await desired(joined + hour, believed, 'P-BACK')).toContain('CBS_LoanEntry')
    expect(await desired(joined + hour, believed, 'P-BACK')).not.toContain('CBS_LoanApprove')
    expect(await desired(joined + hour, corrected, 'P-BACK')).toContain('CBS_LoanApprove')
    expect(await desired(joined + hour, corrected, 'P-BACK')).not.toContain('CBS_LoanEntry')
    expect(await desired(joined - hour, corrected, 'P-BACK')).toEqual([])

    // The correction rewrites what should have been held; what was held stays what the reads saw.
    expect(await held(believed, corrected, 'P-BACK')).toContain('CBS_LoanEntry')
    expect(await held(corrected, corrected, 'P-BACK')).toContain('CBS_LoanApprove')
    expect(await held(corrected, corrected, 'P-BACK')).not.toContain('CBS_LoanEntry')
    // Nothing, null and infinity all mean: as it is known now.
    for (const known of ['', ', null', ", 'infinity'"]) {
      const of = async (what: 'held' | 'desired') =>
        keys(
          await ask(
            `select entitlement from auditor.${what}(to_timestamp($1::float8 / 1000)${known}) where person_key = 'P-BACK'`,
            corrected,
          ),
        )
      expect(await of('held')).toContain('CBS_LoanApprove')
      expect(await of('desired')).toContain('CBS_LoanApprove')
    }
    // Nobody had looked before the first read: nothing is claimed about the time before it.
    expect(await held(joined + hour, corrected, 'P-BACK')).toEqual([])
  })

  test('a grant found gone by a read that was recorded later is held until then for who asks about what was known', async () => {
    const start = await house.now()
    await house.tell({ person: 'P-LATE', effectiveAt: start - hour, attributes: { ...banker, jobCode: 'RM' } })
    await house.quiesce()
    const seen = await house.now()
    // What reconciliation writes: a read at +1 h found it gone, and was recorded at +2 h.
    await house.rows(
      `update muster.grants g set gone_verified_at = to_timestamp($1::float8 / 1000), gone_recorded_at = to_timestamp($2::float8 / 1000)
        from muster.account a, muster.identity i, muster.entitlement n
        where a.id = g.account_id and i.id = a.identity_id and n.id = g.entitlement_id and i.person_key = 'P-LATE' and n.key = 'CBS_LoanEntry'`,
      seen + hour,
      seen + 2 * hour,
    )
    expect(await held(seen + 1.5 * hour, seen + 1.9 * hour, 'P-LATE')).toContain('CBS_LoanEntry')
    expect(await held(seen + 1.5 * hour, seen + 2.1 * hour, 'P-LATE')).not.toContain('CBS_LoanEntry')
    expect(await held(seen + 0.5 * hour, seen + 2.1 * hour, 'P-LATE')).toContain('CBS_LoanEntry')
    expect(await held(seen + 0.5 * hour, seen - hour, 'P-LATE')).toEqual([])
  })
})

/** What is read back after each operation on so few accounts. */
const proofs: Readonly<Record<string, string>> = {
  ensureAccount: 'account-entry',
  disable: 'account-entry',
  grant: 'groups-of-member',
  revoke: 'groups-of-member',
}

describe('a person', () => {
  let start: number
  beforeAll(async () => {
    start = await house.now()
    await house.tell({ person: 'P-TRAIL', effectiveAt: start - 1000, attributes: { ...banker, jobCode: 'RM' } })
    await house.tell({ person: 'P-OTHER', effectiveAt: start - 1000, attributes: { ...banker, jobCode: 'RM' } })
    await house.quiesce()
    await house.tell({ person: 'P-TRAIL', effectiveAt: await house.now(), status: 'terminated', urgency: 'immediate' })
    await house.quiesce()
  })

  test('has one complete chain for every change: decided, attempted, outcome with its evidence', async () => {
    const rows = await ask<Trail>(
      `select * from auditor.person_trail where person_key = 'P-TRAIL' order by recorded_at, id`,
    )
    const changed = rows.filter(({ kind, changed: did }) => kind === 'outcome' && did)
    expect(changed.map(({ operation, entitlement }) => `${operation} ${entitlement ?? ''}`.trim())).toEqual(
      expect.arrayContaining([
        'ensureAccount',
        'grant CBS_ViewOnly',
        'grant CBS_LoanEntry',
        'disable',
        'revoke CBS_LoanEntry',
      ]),
    )
    for (const outcome of changed) {
      expect(outcome.evidence?.read).toBe(proofs[outcome.operation ?? ''])
      expect(rows.filter(({ kind, action_id }) => kind === 'attempt' && action_id === outcome.action_id)).toHaveLength(
        1,
      )
      const decided = rows.filter(({ kind, decision_id }) => kind === 'decision' && decision_id === outcome.decision_id)
      expect(decided).toHaveLength(1)
      expect(decided[0]?.body.actions.map(({ id }) => id)).toContain(outcome.action_id)
      expect(decided[0]?.policy_version).toBe(1)
    }
    const [joined] = rows
    expect(joined).toMatchObject({ kind: 'decision', cause: 'event', topic: 'test', partition: 0 })
    // The attempt is one entry for a whole dispatch: only this person's operations are shown.
    const own = new Set(rows.filter(({ kind }) => kind === 'outcome').map(({ action_id }) => action_id))
    for (const { kind, action_id } of rows) if (kind === 'attempt') expect(own).toContain(action_id)
    expect(rows.filter(({ kind }) => kind === 'attempt')).toHaveLength(
      rows.filter(({ kind }) => kind === 'outcome').length,
    )
  })

  test('is found by the subject reference as well, and by the events that HR told', async () => {
    const [person] = await ask<{ subject_ref: string }>(
      `select subject_ref from auditor.people where person_key = 'P-TRAIL'`,
    )
    const byRef = await ask(`select id from auditor.person_trail where subject_ref = $1`, person?.subject_ref)
    const byKey = await ask(`select id from auditor.person_trail where person_key = 'P-TRAIL'`)
    expect(byRef).toHaveLength(byKey.length)
    expect(await ask(`select "offset" from auditor.person_events where person_key = 'P-TRAIL'`)).toHaveLength(2)
  })

  test('who left has its time from the append to the last read-back', async () => {
    const [leaver] = await ask<Latency>(`select * from auditor.leaver_latencies where person_key = 'P-TRAIL'`)
    expect(leaver).toMatchObject({ open: 0, slo_kept: true, urgent: true })
    expect(leaver?.ms).not.toBeNull()
    expect(leaver?.finished_at).toBe(Math.max(leaver?.disabled_at ?? 0, leaver?.revoked_at ?? 0))
    expect(Number(leaver?.ms)).toBeCloseTo((leaver?.finished_at ?? 0) - (leaver?.started_at ?? 0), -1)
    expect(leaver?.started_at).toBe(leaver?.appended_at)
  })

  test('what was proved of a leaving stays when HR tells of it once more: they have left already, and nobody is shut anew', async () => {
    const all = `select * from auditor.leaver_latencies where person_key = 'P-TRAIL' order by started_at`
    const [before] = await ask<Latency>(all)
    const [told] = await ask<{ at: number }>(
      `select (extract(epoch from ended_at) * 1000)::bigint as at from auditor.leaver_latencies where person_key = 'P-TRAIL'`,
    )
    await house.shift(600_000)
    await house.tell({ person: 'P-TRAIL', effectiveAt: told?.at ?? 0, status: 'terminated' })
    await house.quiesce()
    expect(await ask<Latency>(all)).toEqual([before])
    expect(await ask(`select 1 from auditor.person_events where person_key = 'P-TRAIL'`)).toHaveLength(3)
  })

  test('an entitlement has its chain too', async () => {
    const rows = await ask<Trail>(
      `select * from auditor.entitlement_trail where entitlement = 'CBS_LoanEntry' and person_key = 'P-TRAIL' order by recorded_at, id`,
    )
    expect(rows.filter(({ kind }) => kind === 'outcome').map(({ operation }) => operation)).toEqual(['grant', 'revoke'])
    expect(rows.filter(({ kind }) => kind === 'decision').length).toBe(2)
  })
})

test('the statements of docs/auditors.md run as they stand there', async () => {
  const guide = readFileSync(new URL('../../docs/auditors.md', import.meta.url), 'utf8')
  const blocks = [...guide.matchAll(/```sql\n([\s\S]*?)```/g)].map(([, sql]) => sql ?? '')
  const statements = blocks.flatMap((sql) => sql.split(/;\s*$/m)).filter((sql) => /select/.test(sql))
  expect(statements.length).toBeGreaterThan(4)
  for (const statement of statements) await ask(statement)
  const listed = [...guide.matchAll(/`([a-z_]+)`(?=[^|\n]*\|)/g)].map(([, name]) => name)
  for (const { name } of await ask<{ name: string }>(
    `select relname::text as name from pg_class where relnamespace = 'auditor'::regnamespace and relkind = 'v'`,
  ))
    expect(listed).toContain(name)
})

test('a hold shows the rule and what it conflicts with', async () => {
  const now = await house.now()
  await house.tell({ person: 'P-HOLD', effectiveAt: now - 1000, attributes: { ...banker, jobCode: 'CA' } })
  await house.quiesce()
  await house.tell({
    person: 'P-HOLD',
    employment: 'P-HOLD-2',
    primary: false,
    effectiveAt: now,
    attributes: { ...banker, jobCode: 'RM' },
  })
  await house.quiesce()
  expect(
    await ask(`select entitlement, policies, conflicts_with, closed_at from auditor.holds where person_key = 'P-HOLD'`),
  ).toEqual([
    {
      entitlement: 'CBS_LoanEntry',
      policies: ['loan-entry-vs-approve'],
      conflicts_with: ['CBS_LoanApprove'],
      closed_at: null,
    },
  ])
})

test('the trail of one person among many is read by indexes', async () => {
  await house.rows(
    `insert into audit.entry (recorded_at, kind, subject_ref, action_id, dispatch_id, bytes, leaf_hash)
      select muster.now(), case when n % 10 = 0 then 'attempt' else 'outcome' end, case when n % 10 > 0 then gen_random_uuid() end, n + 1000000, n / 10 + 1000000,
        convert_to('{"operations":[]}', 'UTF8'), sha256('\\x00'::bytea || convert_to('{"operations":[]}', 'UTF8')) from generate_series(1, 40000) n`,
  )
  await house.rows(`insert into muster.identity (person_key) select 'P-FILL-' || n from generate_series(1, 5000) n`)
  const admin = new pg.Client({ connectionString: house.database.adminUrl })
  await admin.connect()
  await admin.query('vacuum analyze')
  await admin.end()
  const plan = await ask<{ 'QUERY PLAN': string }>(
    `explain (costs off) select * from auditor.person_trail where person_key = 'P-TRAIL'`,
  )
  const text = plan.map((row) => row['QUERY PLAN']).join('\n')
  expect(text).toMatch(/subject_ref_idx/)
  expect(text).toMatch(/dispatch_id_idx/)
  expect(text).toMatch(/identity_person_key_key/)
  expect(text).not.toMatch(/Seq Scan on entry_\d/)
})

type Trail = {
  kind: string
  action_id: number | null
  decision_id: number | null
  operation: string | null
  entitlement: string | null
  changed: boolean | null
  evidence: { read: string } | null
  policy_version: number | null
  body: { actions: { id: number }[] }
}
type Latency = {
  ms: string | null
  started_at: number
  appended_at: number
  finished_at: number
  disabled_at: number | null
  revoked_at: number | null
}
