import type { TargetId } from '../domain/ids.ts'
import type { TargetMode } from '../domain/target.ts'
import type { Queryable } from './database.ts'

/**
 * First start of a target: its mode from muster.yaml becomes a row. Later the row alone counts. `readsIndirect`: whether its
 * connector reads what is held indirectly, anew with every start; null = this process has no connector to ask. `plannedBy`:
 * kept where none is yet; `savePlannedBy` changes it.
 */
export const registerTarget = async (
  db: Queryable,
  id: TargetId,
  mode: TargetMode,
  readsIndirect: boolean | null,
  plannedBy: string | null = null,
): Promise<void> => {
  await db.query({
    text: `insert into muster.target as t (id, mode, mode_set_by, reads_indirect, planned_by)
      values ($1, $2, 'muster.yaml', coalesce($3, false), $4)
      on conflict (id) do update
        set reads_indirect = coalesce($3, t.reads_indirect), planned_by = coalesce(t.planned_by, excluded.planned_by)
        where t.reads_indirect <> coalesce($3, t.reads_indirect) or (t.planned_by is null and excluded.planned_by is not null)`,
    values: [id, mode, readsIndirect, plannedBy],
  })
}

/** Of `planned_by`: processes with more than one configuration have evaluated; everybody is evaluated again by the one that stays. */
export const several = 'several'

/** `plannedBy`: by which configuration everybody was last made due, or `several`; null: none was ever stored. */
export type TargetRow = {
  readonly mode: TargetMode
  readonly plannedBy: string | null
  /** When its mode was set, or everybody made due by other settings of it, ms: the later of both. */
  readonly changedAt: number
}

export const targetRows = async (db: Queryable): Promise<ReadonlyMap<TargetId, TargetRow>> => {
  const rows = await db.query<TargetRow & { id: TargetId }>({
    name: 'target-rows',
    text: 'select id, mode, planned_by as "plannedBy", greatest(mode_set_at, planned_at) as "changedAt" from muster.target',
  })
  return new Map(rows.map(({ id, ...row }) => [id, row]))
}

/** Mode of every target that was ever started with; a target without a row is in `observe`. */
export const targetModes = async (db: Queryable): Promise<ReadonlyMap<TargetId, TargetMode>> =>
  new Map([...(await targetRows(db))].map(([id, { mode }]) => [id, mode]))

export const savePlannedBy = async (db: Queryable, id: TargetId, hash: string): Promise<void> => {
  await db.query({
    text: 'update muster.target set planned_by = $2, planned_at = muster.now() where id = $1',
    values: [id, hash],
  })
}
