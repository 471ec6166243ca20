import { closeFinding } from '../store/findings.ts'
import type { Engine } from './engine.ts'
import { reportFinding } from './report-finding.ts'

const monthsAhead = 3

const finding = { kind: 'audit-partition-missing', key: 'audit.entry_default' } as const

/** Nothing is lost meanwhile, but a month whose rows stand there never gets a partition of its own by itself. */
const todo =
  'in one transaction, as whoever migrates: set local role muster_owner; alter table audit.entry detach partition audit.entry_default; ' +
  'alter table audit.entry_default rename to entry_stray; ' +
  'create table audit.entry_default partition of audit.entry default; ' +
  'create trigger entry_default_no_truncate before truncate on audit.entry_default for each statement execute function audit.refuse_change(); ' +
  'select audit.ensure_partitions(3); ' +
  'insert into audit.entry overriding system value select * from audit.entry_stray; ' +
  'drop table audit.entry_stray'

/** Makes the audit's partitions ahead of time. Rows in the default partition mean that nobody did so in time: a finding. */
export const keepPartitions = async (engine: Pick<Engine, 'db' | 'log'>): Promise<void> => {
  const [row] = await engine.db.query<{ strays: number }>({
    text: 'select audit.ensure_partitions($1) as strays',
    values: [monthsAhead],
  })
  const strays = row?.strays ?? 0
  if (strays === 0) return await closeFinding(engine.db, finding.kind, finding.key)
  engine.log.error({ strays, todo }, 'audit entries stand in the default partition: their month has none of its own')
  await reportFinding(engine, { ...finding, urgent: true, identityId: null, detail: { strays, todo } })
}
