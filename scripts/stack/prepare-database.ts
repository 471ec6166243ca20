/** In docker-compose.yml, once before Muster starts: the database `muster` with passwords from the environment. */
import { musterDatabase } from './muster-database.ts'

const needed = (name: string): string => {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set: see docker-compose.yml`)
  return value
}
const passwords = {
  engine: needed('MUSTER_STACK_ENGINE_PASSWORD'),
  auditor: needed('MUSTER_STACK_AUDITOR_PASSWORD'),
}
await musterDatabase(needed('MUSTER_STACK_POSTGRES_URL'), passwords)
