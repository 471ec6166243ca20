/** Muster's own database on a PostgreSQL of which we know a superuser: made, migrated, with logins for its roles. */
import pg from 'pg'
import { migrate, migrationsDirectory, provisionLogins } from '../../src/store/migrate.ts'

export type MusterDatabase = {
  /** Role muster_engine: MUSTER_DATABASE_URL. */
  readonly engineUrl: string
  /** Role muster_auditor: MUSTER_AUDITOR_DATABASE_URL. */
  readonly auditorUrl: string
  /** The superuser, in this database: MUSTER_MIGRATE_DATABASE_URL. */
  readonly migrateUrl: string
}

export type Passwords = { readonly engine: string; readonly auditor: string }

/** Makes what is missing; run again, it changes nothing but the passwords. */
export async function musterDatabase(
  superuserUrl: string,
  passwords: Passwords,
  name = 'muster',
): Promise<MusterDatabase> {
  const client = new pg.Client({ connectionString: superuserUrl })
  await client.connect()
  try {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name])
    if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(name)}`)
  } finally {
    await client.end()
  }
  const as = (user?: string, password?: string): string => {
    const url = new URL(superuserUrl)
    url.pathname = `/${name}`
    if (user !== undefined && password !== undefined) Object.assign(url, { username: user, password })
    return url.href
  }
  const migrateUrl = as()
  await migrate(migrateUrl, migrationsDirectory)
  await provisionLogins(migrateUrl, passwords)
  return {
    migrateUrl,
    engineUrl: as('muster_engine', passwords.engine),
    auditorUrl: as('muster_auditor', passwords.auditor),
  }
}

/** The variables by which Muster knows it. */
export function databaseEnv(database: MusterDatabase): Record<string, string> {
  return {
    MUSTER_DATABASE_URL: database.engineUrl,
    MUSTER_AUDITOR_DATABASE_URL: database.auditorUrl,
    MUSTER_MIGRATE_DATABASE_URL: database.migrateUrl,
  }
}
