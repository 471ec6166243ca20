/** Who may do what with the log: the auditor reads views, the engine appends, nobody changes (law L10 without sealing). */
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type MusterDatabase, musterDatabase } from '../../scripts/stack/muster-database.ts'
import { addresses, freshName } from '../support/stack.ts'

const name = freshName()
let database: MusterDatabase
let engine: pg.Client
let auditor: pg.Client
let owner: pg.Client

const connect = async (url: string): Promise<pg.Client> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  return client
}

beforeAll(async () => {
  const { databaseUrl, passwords } = addresses()
  // Migrated on the spot: a copy of the template would not have the database's own rights.
  database = await musterDatabase(databaseUrl, passwords, name)
  engine = await connect(database.engineUrl)
  auditor = await connect(database.auditorUrl)
  owner = await connect(database.migrateUrl)
  await engine.query(
    `insert into audit.entry (recorded_at, kind, bytes, leaf_hash) values (now(), 'decision', '{}', sha256('\\x007b7d'))`,
  )
})
afterAll(async () => {
  await Promise.all([engine.end(), auditor.end(), owner.end()])
  const client = await connect(addresses().databaseUrl)
  await client.query(`drop database if exists ${client.escapeIdentifier(name)} with (force)`)
  await client.end()
})

const relations = async (schemas: readonly string[], kinds: readonly string[]): Promise<readonly string[]> => {
  const { rows } = await owner.query<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = any($1) and c.relkind = any($2) order by 1`,
    [schemas, kinds],
  )
  return rows.map((row) => row.name)
}

const refused = async (client: pg.Client, sql: string): Promise<string> =>
  client.query(sql).then(
    () => `${sql}: allowed`,
    (error: { code?: string }) => error.code ?? String(error),
  )

const denied = '42501'
const readOnly = '25006'

describe('the auditor', () => {
  test('reads every view', async () => {
    const views = await relations(['auditor'], ['v'])
    expect(views.length).toBeGreaterThan(10)
    for (const view of views) await auditor.query(`select * from ${view} limit 1`)
    await auditor.query(`select * from auditor.held(now(), now())`)
    await auditor.query(`select * from auditor.desired(now(), now())`)
  })

  test('reads no table, sequence or function below them', async () => {
    const tables = await relations(['muster', 'audit', 'public'], ['r', 'p', 'v', 'm', 'f'])
    expect(tables).toEqual(
      expect.arrayContaining([
        'audit.entry',
        'audit.entry_default',
        'muster.identity',
        'muster.personal_detail',
        'muster.inbox',
        'public._prisma_migrations',
      ]),
    )
    for (const table of tables) expect(await refused(auditor, `select * from ${table}`)).toBe(denied)
    for (const sequence of await relations(['muster', 'audit'], ['S']))
      expect(await refused(auditor, `select last_value from ${sequence}`)).toBe(denied)
    expect(await refused(auditor, 'select muster.now()')).toBe(denied)
    expect(await refused(auditor, 'select audit.ensure_partitions(1)')).toBe(denied)
  })

  test('writes nothing, also after it asked for a transaction that could', async () => {
    await auditor.query('set default_transaction_read_only = off')
    const all = await relations(['muster', 'audit', 'auditor', 'public'], ['r', 'p', 'v'])
    for (const relation of all)
      for (const sql of [`delete from ${relation}`, `truncate ${relation}`, `insert into ${relation} default values`])
        expect(await refused(auditor, sql), sql).not.toMatch(/allowed/)
    for (const sql of [
      'create table auditor.x ()',
      'create table public.x ()',
      'create temporary table x ()',
      'create schema x',
      'create role x',
      'set role muster_owner',
      'set role muster_engine',
    ])
      expect(await refused(auditor, sql), sql).toBe(denied)
    await auditor.query('reset default_transaction_read_only')
  })

  test('is read-only by default', async () => {
    expect(await refused(auditor, `select lo_from_bytea(0, 'x')`)).toBe(readOnly)
  })
})

describe('the engine and the log (L10, without sealing)', () => {
  test('only appends', async () => {
    const partitions = (await relations(['audit'], ['r', 'p'])).filter((table) => table !== 'audit.entry')
    expect(partitions.length).toBeGreaterThan(3)
    for (const table of ['audit.entry', ...partitions])
      for (const sql of [
        `select * from ${table}`,
        `update ${table} set kind = 'x'`,
        `delete from ${table}`,
        `truncate ${table}`,
        `drop table ${table}`,
        `alter table ${table} disable trigger all`,
        `alter table ${table} add column x int`,
        `create trigger x before insert on ${table} for each row execute function audit.refuse_change()`,
        ...(table === 'audit.entry'
          ? []
          : [
              `insert into ${table} (recorded_at, kind, bytes, leaf_hash) values (now(), 'x', '', '')`,
              `alter table audit.entry detach partition ${table}`,
            ]),
      ])
        expect(await refused(engine, sql), sql).toBe(denied)
    for (const sql of [
      'create table audit.x ()',
      'drop function audit.refuse_change cascade',
      'set role muster_owner',
      'alter role muster_engine superuser',
    ])
      expect(await refused(engine, sql), sql).toBe(denied)
    expect(await refused(engine, `set session_replication_role = replica`)).toBe(denied)
    expect(await refused(engine, 'select * from auditor.entries')).toBe(denied)
  })

  test('not even a superuser changes, deletes or truncates by accident', async () => {
    for (const sql of [
      `update audit.entry set kind = 'x'`,
      'delete from audit.entry',
      'truncate audit.entry',
      'truncate audit.entry_default',
    ])
      expect(await refused(owner, sql), sql).toBe(denied)
    const { rows } = await owner.query<{ n: number }>('select count(*)::int as n from audit.entry')
    expect(rows[0]?.n).toBe(1)
  })
})
