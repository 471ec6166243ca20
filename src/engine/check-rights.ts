import type { Queryable } from '../store/database.ts'
import { checkRights } from '../store/rights.ts'

/** Why the engine refuses to start on this database, as sentences with what to do; empty = it may start. */
export const databaseRefusals = async (db: Queryable): Promise<readonly string[]> => {
  const { role, migrated, problems } = await checkRights(db)
  const refusals = problems.map(
    (problem) =>
      `database role ${role} ${problem}; the engine runs as a role that only INSERTs audit entries (muster_engine): set MUSTER_DATABASE_URL to it`,
  )
  return migrated
    ? refusals
    : [...refusals, 'the database has no tables of Muster: run `muster migrate` (MUSTER_MIGRATE_DATABASE_URL)']
}
