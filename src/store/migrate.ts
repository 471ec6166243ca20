import { createHash, randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import pg from 'pg'

/** Prisma's own advisory lock key: ours and `prisma migrate deploy` never run side by side. */
const prismaLock = 72_707_369

const migrationsTable = `create table if not exists _prisma_migrations (
  id varchar(36) primary key not null, checksum varchar(64) not null, finished_at timestamptz, migration_name varchar(255) not null,
  logs text, rolled_back_at timestamptz, started_at timestamptz not null default now(), applied_steps_count integer not null default 0)`

export type MigrateResult = { readonly applied: readonly string[]; readonly already: number }

/**
 * Applies prisma/migrations in order, one transaction a file, and fills `_prisma_migrations` as Prisma does.
 * Throws when an applied file was edited since, or a former run failed half-way.
 */
export const migrate = async (url: string, directory: URL): Promise<MigrateResult> => {
  const client = new pg.Client({ connectionString: url, application_name: 'muster-migrate' })
  await client.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [prismaLock])
    await client.query(migrationsTable)
    const known = await client.query<{ migration_name: string; checksum: string; finished_at: number | null }>(
      'select migration_name, checksum, finished_at from _prisma_migrations where rolled_back_at is null',
    )
    const names = (await readdir(directory, { withFileTypes: true }))
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
    const applied: string[] = []
    for (const name of names.sort()) {
      const sql = await readFile(new URL(`${name}/migration.sql`, directory), 'utf8')
      const checksum = createHash('sha256').update(sql).digest('hex')
      const row = known.rows.find((candidate) => candidate.migration_name === name)
      if (row !== undefined) {
        if (row.finished_at === null)
          throw new Error(`migration ${name} failed before: repair the database, then mark it rolled back`)
        if (row.checksum !== checksum)
          throw new Error(`migration ${name} was edited after it was applied: restore the file, add a new migration`)
        continue
      }
      await client.query('begin')
      await client.query(sql)
      await client.query(
        `insert into _prisma_migrations (id, checksum, finished_at, migration_name, applied_steps_count) values ($1, $2, now(), $3, 1)`,
        [randomUUID(), checksum, name],
      )
      await client.query('commit')
      applied.push(name)
    }
    return { applied, already: known.rows.length }
  } finally {
    await client.end()
  }
}

/** Where the migrations of this checkout stand. */
export const migrationsDirectory = new URL('../../prisma/migrations/', import.meta.url)

/** Gives the roles of DESIGN §5 a password and the right to log in: for the local stack and for tests. */
export const provisionLogins = async (
  url: string,
  passwords: { readonly engine: string; readonly auditor: string },
): Promise<void> => {
  const client = new pg.Client({ connectionString: url, application_name: 'muster-migrate' })
  await client.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [prismaLock])
    for (const [role, password] of [
      ['muster_engine', passwords.engine],
      ['muster_auditor', passwords.auditor],
    ] as const)
      await client.query(`alter role ${client.escapeIdentifier(role)} login password ${client.escapeLiteral(password)}`)
  } finally {
    await client.end()
  }
}
