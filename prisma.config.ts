import { defineConfig } from 'prisma/config'

/** `prisma generate` needs no database; `prisma migrate deploy` takes the migrator's, as `muster migrate` does. */
export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  ...(process.env.MUSTER_MIGRATE_DATABASE_URL ? { datasource: { url: process.env.MUSTER_MIGRATE_DATABASE_URL } } : {}),
})
