import type { TargetId } from '../domain/ids.ts'
import type { TargetMode } from '../domain/target.ts'
import type { Queryable } from './database.ts'

/** Mode of every target that was ever started with; a target without a row is in `observe`. */
export const targetModes = async (db: Queryable): Promise<ReadonlyMap<TargetId, TargetMode>> => {
  const rows = await db.query<{ id: TargetId; mode: TargetMode }>({
    name: 'target-modes',
    text: 'select id, mode from muster.target',
  })
  return new Map(rows.map(({ id, mode }) => [id, mode]))
}

/**
 * First start of a target: its mode from muster.yaml becomes a row. Later the row alone counts. `readsIndirect`: whether its
 * connector reads what is held indirectly, anew with every start; null = this process has no connector to ask.
 */
export const registerTarget = async (
  db: Queryable,
  id: TargetId,
  mode: TargetMode,
  readsIndirect: boolean | null,
): Promise<void> => {
  await db.query({
    text: `insert into muster.target as t (id, mode, mode_set_by, reads_indirect) values ($1, $2, 'muster.yaml', coalesce($3, false))
      on conflict (id) do update set reads_indirect = excluded.reads_indirect
        where $3::boolean is not null and t.reads_indirect <> excluded.reads_indirect`,
    values: [id, mode, readsIndirect],
  })
}
