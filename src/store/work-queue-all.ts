import type { Transaction } from './database.ts'

/** Wants an evaluation of everybody now; how many that are. Locks in key order, as everybody does (DESIGN §5). */
export const makeAllDue = async (tx: Transaction): Promise<number> => {
  const [row] = await tx.query<{ count: number }>({
    text: `with locked as materialized (select id from muster.identity order by person_key for update),
      due as (update muster.identity i set work_due_at = least(i.work_due_at, muster.now()),
          lane = case when i.leaver then 'leaver'::muster.lane else i.lane end
        from locked where i.id = locked.id returning 1)
      select count(*) from due`,
  })
  return row?.count ?? 0
}
