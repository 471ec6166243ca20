/** Audit entries built, hashed, appended and committed as the engine does it, against COPY of the finished rows. */
import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { auditEntry } from '../../src/audit/entry.ts'
import type { AuditEntry } from '../../src/domain/audit-entry.ts'
import { appendAudit } from '../../src/store/audit-log.ts'
import { openDatabase } from '../../src/store/database.ts'
import { asSuperuser, databaseAt, freshName } from '../house/bench-stack.ts'
import { VoidRun } from '../house/witness.ts'
import { spreadOf } from '../measure/spread.ts'
import { rangeText } from '../report/figures.ts'
import type { Bench, Line } from '../row.ts'

/** Outcomes of one full dispatch: what one transaction of the engine appends. */
const perTransaction = 500

export const auditLine = async (bench: Bench): Promise<Line> => {
  const { entries, pairs } = bench.scale.audit
  const rates: { muster: number; copy: number }[] = []
  for (let pair = 0; pair <= pairs; pair++) {
    const muster = (entries * 1_000) / (await onFreshDatabase(bench, entries, (url) => append(url, entries)))
    const rows = outcomes(entries).map(copyText)
    const copy = (entries * 1_000) / (await onFreshDatabase(bench, entries, (url) => copyRows(url, rows)))
    if (pair > 0) rates.push({ muster, copy }) // the first pair compiles
  }
  return {
    what: `audit append, built, hashed and committed, ${entries.toLocaleString('en')} entries, ${perTransaction} a transaction`,
    against:
      'one COPY through the driver of the same finished rows, one commit, same partitioned table with its indexes',
    value: spreadOf(rates.map(({ muster, copy }) => muster / copy)),
    unit: 'share',
    goal: { reach: 0.25, aim: 0.5, better: 'more' },
    details: [
      `Muster ${rangeText(
        rates.map(({ muster }) => muster),
        'entries/s',
      )}, COPY ${rangeText(
        rates.map(({ copy }) => copy),
        'rows/s',
      )}`,
    ],
    samples: rates,
  }
}

/** As the engine's outcomes of a grant. */
const outcomes = (count: number): readonly AuditEntry[] =>
  Array.from({ length: count }, (_, i) => outcome(Date.now(), i))

const outcome = (at: number, i: number): AuditEntry => {
  const subject = randomUUID()
  const keys = {
    subjectRef: subject,
    decisionId: i,
    actionId: i,
    dispatchId: Math.floor(i / perTransaction),
    entitlementId: i % 30,
  }
  return auditEntry('outcome', at, keys, {
    subject,
    action: i,
    dispatch: keys.dispatchId,
    decision: i,
    target: 'bank-ldap',
    kind: 'grant',
    entitlement: keys.entitlementId,
    attempt: 1,
    outcome: 'done',
    changed: true,
    code: '0',
    evidence: { read: 'member-values', code: '0', account: randomUUID(), entitlement: randomUUID() },
    before: { held: false },
    after: { held: true },
    next: null,
  })
}

const append = async (url: string, count: number): Promise<number> => {
  const db = openDatabase({ url, max: 1, applicationName: 'bench-audit' })
  try {
    await db.query({ text: 'select 1' })
    const begun = performance.now()
    for (let at = 0; at < count; at += perTransaction) {
      const now = Date.now()
      const entries = Array.from({ length: Math.min(perTransaction, count - at) }, (_, i) => outcome(now, at + i))
      await db.transaction((tx) => appendAudit(tx, now, entries))
    }
    return performance.now() - begun
  } finally {
    await db.close()
  }
}

const copyText = ({ kind, keys, text, leafHash }: AuditEntry): string =>
  `${new Date().toISOString()}\t${kind}\t${keys.subjectRef}\t${keys.decisionId}\t${keys.actionId}\t${keys.dispatchId}\t${keys.entitlementId}\t\\\\x${Buffer.from(text).toString('hex')}\t\\\\x${leafHash}\n`

const copyRows = async (url: string, rows: readonly string[]): Promise<number> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const pieces = Array.from({ length: Math.ceil(rows.length / 100) }, (_, i) =>
      Buffer.from(rows.slice(i * 100, i * 100 + 100).join('')),
    )
    const begun = performance.now()
    await pipeline(
      Readable.from(pieces),
      client.query(
        copyFrom(
          'copy audit.entry (recorded_at, kind, subject_ref, decision_id, action_id, dispatch_id, entitlement_id, bytes, leaf_hash) from stdin',
        ),
      ),
    )
    return performance.now() - begun
  } finally {
    await client.end()
  }
}

const onFreshDatabase = async (
  bench: Bench,
  entries: number,
  work: (engineUrl: string) => Promise<number>,
): Promise<number> => {
  const { stack, templateDatabase, passwords } = bench.stack
  const name = freshName()
  await asSuperuser(stack.databaseUrl, (client) => client.query(`create database ${name} template ${templateDatabase}`))
  try {
    const ms = await work(databaseAt(stack.databaseUrl, name, 'muster_engine', passwords.engine))
    const { rows } = await asSuperuser(databaseAt(stack.databaseUrl, name), (client) =>
      client.query<{ n: number }>('select count(*)::int as n from audit.entry'),
    )
    if (rows[0]?.n !== entries) throw new VoidRun(`${rows[0]?.n} of ${entries} audit entries are there`)
    return ms
  } finally {
    await asSuperuser(stack.databaseUrl, (client) => client.query(`drop database ${name} with (force)`))
  }
}
