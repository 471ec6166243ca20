import type { Transaction } from './database.ts'
import { type RecheckKind, wantRecheck } from './rechecks.ts'

/**
 * Wants an evaluation of everybody now, also of who is parked; how many that are. Locks in key order, as everybody does
 * (DESIGN §5). Whoever comes while this transaction runs is not among them: the sweeper looks for those afterwards.
 */
export const makeAllDue = async (tx: Transaction, because: RecheckKind): Promise<number> => {
  await wantRecheck(tx, because)
  const [row] = await tx.query<{ count: number }>({
    text: `with locked as materialized (select id from muster.identity order by person_key for update),
      due as (update muster.identity i set work_due_at = least(i.work_due_at, muster.now()),
          lane = case when i.leaver then 'leaver'::muster.lane else i.lane end, parked_at = null
        from locked where i.id = locked.id returning 1)
      select count(*) from due`,
  })
  return row?.count ?? 0
}
