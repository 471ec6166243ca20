import type { Engine } from './engine.ts'
import { reportFinding } from './report-finding.ts'

const monthsAhead = 3

/** Makes the audit's partitions ahead of time. Rows in the default partition mean that nobody did so in time: a finding. */
export const keepPartitions = async (engine: Engine): Promise<void> => {
  const [row] = await engine.db.query<{ strays: number }>({
    text: 'select audit.ensure_partitions($1) as strays',
    values: [monthsAhead],
  })
  const strays = row?.strays ?? 0
  if (strays === 0) return
  engine.log.error(
    { strays },
    'audit entries stand in the default partition: the owner must move them before that month can have its own',
  )
  await reportFinding(engine, {
    kind: 'audit-partition-missing',
    key: 'audit.entry_default',
    urgent: false,
    identityId: null,
    detail: { strays },
  })
}
