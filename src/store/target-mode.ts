import type { ActionKind } from '../domain/action.ts'
import type { TargetMode } from '../domain/target.ts'
import type { Queryable, Transaction } from './database.ts'

/** Locks the target's row. null: Muster was never started with it. */
export const lockTarget = async (
  tx: Transaction,
  id: string,
): Promise<{ readonly mode: TargetMode; readonly now: number } | null> => {
  const [row] = await tx.query<{ mode: TargetMode; now: number }>({
    text: `select mode, (extract(epoch from muster.now()) * 1000)::bigint as now from muster.target where id = $1 for update`,
    values: [id],
  })
  return row ?? null
}

/** While nothing was sent, no deadline ran: what is still open gets that time back. Before the new mode is saved. */
export const resumeDeadlines = async (tx: Transaction, id: string): Promise<void> => {
  await tx.query({
    text: `update muster.action a set deadline = a.deadline + (muster.now() - greatest(t.mode_set_at, a.created_at))
      from muster.target t where t.id = $1 and t.mode <> 'enforce' and a.target = t.id
        and a.open`,
    values: [id],
  })
}

export const saveMode = async (tx: Transaction, id: string, mode: TargetMode, by: string): Promise<void> => {
  await tx.query({
    text: 'update muster.target set mode = $2, mode_set_at = muster.now(), mode_set_by = $3 where id = $1',
    values: [id, mode, by],
  })
}

export type OpenOfActionKind = {
  readonly kind: ActionKind
  readonly count: number
  /** Of these, on accounts whose attributes are not what the mapping says. */
  readonly attributesDiffer: number
}

/** What is planned on a target and not done, by kind. */
export const openActionsOf = (db: Queryable, target: string): Promise<readonly OpenOfActionKind[]> =>
  db.query({
    text: `select kind, count(*)::int as count, count(*) filter (where reason ->> 'kind' = 'attributes-differ')::int as "attributesDiffer"
      from muster.action where target = $1 and open group by kind order by kind`,
    values: [target],
  })
