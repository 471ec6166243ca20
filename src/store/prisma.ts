import { PrismaPg } from '@prisma/adapter-pg'
import { PrismaClient } from './generated/client.ts'

export type Prisma = PrismaClient

/**
 * Prisma on the same database, for ordinary reads and admin writes of people at a terminal; hot paths are SQL.
 * Few connections: a command is one person. Values of errors stay out of their messages.
 */
export const openPrisma = (url: string, applicationName: string): Prisma =>
  new PrismaClient({
    adapter: new PrismaPg({
      connectionString: url,
      max: 2,
      application_name: applicationName,
      options: '-c timezone=UTC',
      connectionTimeoutMillis: 10_000,
    }),
    errorFormat: 'minimal',
  })
