import { migrateDatabase } from '../app/office.ts'
import type { Command } from './command.ts'
import { variableOf } from './configured.ts'
import { counted } from './counted.ts'

export const migrateCommand: Command = {
  summary: 'brings the database up to date (MUSTER_MIGRATE_DATABASE_URL)',
  usage: 'migrate',
  run: async (call) => {
    const { applied, already } = await migrateDatabase(variableOf(call, 'MUSTER_MIGRATE_DATABASE_URL'))
    return {
      json: { applied, already },
      lines: (paint) =>
        applied.length === 0
          ? [`up to date: ${counted(already, 'migration')} ${already === 1 ? 'stands' : 'stand'}`]
          : [...applied.map((name) => `${paint.green('applied')} ${name}`), `${already} stood already`],
    }
  },
}
