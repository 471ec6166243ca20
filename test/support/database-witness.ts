/** Looks at who waits for whom in the database, and makes transactions stand before their commit. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Database } from '../../src/store/database.ts'

export const databaseWitness = (admin: Database) => {
  /** Resolves when so many statements of the engine wait for a lock that another transaction holds. */
  const waitingForALock = async (statements = 1) => {
    for (;;) {
      const [row] = await admin.query<{ n: number }>({
        text: `select count(*) as n from pg_stat_activity where datname = current_database() and application_name = 'test-engine' and wait_event_type = 'Lock'`,
      })
      if ((row?.n ?? 0) >= statements) return
      await wait(5)
    }
  }

  /**
   * Starts all of `work` while nobody can append to the audit: each transaction has written everything else and stands
   * before its commit. The answer lets them go, and waits for them.
   */
  const holdAudit = async (work: readonly (() => Promise<unknown>)[]) => {
    const standing = Promise.withResolvers<void>()
    const commit = Promise.withResolvers<void>()
    const locking = admin.transaction(async (tx) => {
      await tx.query({ text: 'lock table audit.entry in share mode' })
      standing.resolve()
      await commit.promise
    })
    await standing.promise
    const done = Promise.all(work.map((one) => one()))
    done.catch(() => {}) // told to whoever lets them go; until then it is nobody's
    await waitingForALock(work.length)
    return async () => {
      commit.resolve()
      await Promise.all([locking, done])
    }
  }

  return { waitingForALock, holdAudit }
}
