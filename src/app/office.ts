import type { Engine } from '../engine/engine.ts'
import { databaseNow } from '../store/clock.ts'
import { openDatabase } from '../store/database.ts'
import { type MigrateResult, migrate, migrationsDirectory } from '../store/migrate.ts'
import { openPrisma, type Prisma } from '../store/prisma.ts'

/** The database for people at a terminal: acts of the engine, and Prisma for ordinary reads. */
export type Office = {
  readonly db: Engine['db']
  readonly prisma: Prisma
  /** The one clock, ms since 1970. */
  readonly now: () => Promise<number>
  readonly close: () => Promise<void>
}

export const openOffice = (databaseUrl: string, name: string): Office => {
  const db = openDatabase({ url: databaseUrl, max: 2, applicationName: name, plans: 'usual' })
  const prisma = openPrisma(databaseUrl, name)
  return {
    db,
    prisma,
    now: () => databaseNow(db),
    close: async () => {
      await Promise.all([db.close(), prisma.$disconnect()])
    },
  }
}

export const migrateDatabase = (url: string): Promise<MigrateResult> => migrate(url, migrationsDirectory)
