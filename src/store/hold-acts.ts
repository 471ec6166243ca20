import type { ActionKind } from '../domain/action.ts'
import type { Transaction } from './database.ts'

export type HoldRow = {
  readonly id: number
  readonly kind: 'sod' | 'guard'
  readonly identity_id: number | null
  readonly subject_ref: string | null
  readonly entitlement_id: number | null
  readonly target: string | null
  readonly action_kind: ActionKind | null
  readonly policies: readonly string[]
  readonly closed_as: string | null
  readonly now: number
}

/** A hold, with its identity locked first (lock order, DESIGN §5): evaluation opens and closes it under that lock. */
export const lockHold = async (tx: Transaction, id: number): Promise<HoldRow | null> => {
  await tx.query({
    text: 'select 1 from muster.identity where id = (select identity_id from muster.hold where id = $1) for update',
    values: [id],
  })
  const [row] = await tx.query<HoldRow>({
    text: `select h.id, h.kind, h.identity_id, i.subject_ref, h.entitlement_id, h.target, h.action_kind, h.policies, h.closed_as,
        (extract(epoch from muster.now()) * 1000)::bigint as now
      from muster.hold h left join muster.identity i on i.id = h.identity_id where h.id = $1 for update of h`,
    values: [id],
  })
  return row ?? null
}

export const closeHoldAs = async (
  tx: Transaction,
  id: number,
  closedAs: 'rejected' | 'released',
  by: string,
): Promise<void> => {
  await tx.query({
    text: 'update muster.hold set closed_at = muster.now(), closed_as = $2, closed_by = $3 where id = $1',
    values: [id, closedAs, by],
  })
}

/** Refers to what a human said of it: the words are personal data, and stand beside the log. */
export const addHoldReason = async (tx: Transaction, id: number, ref: string): Promise<void> => {
  await tx.query({
    text: `update muster.hold set detail = jsonb_set(detail, '{reasons}', coalesce(detail -> 'reasons', '[]') || to_jsonb($2::text)) where id = $1`,
    values: [id, ref],
  })
}

/**
 * What a human released is neither counted nor held again. `people`: by person key, null = everybody's. The guard's lock is held by
 * the caller. Answers the actions, ascending.
 */
export const releaseHeldActions = async (
  tx: Transaction,
  hold: Pick<HoldRow, 'target' | 'entitlement_id'>,
  kinds: readonly ActionKind[],
  people: readonly string[] | null,
): Promise<readonly number[]> => {
  const rows = await tx.query<{ id: number }>({
    text: `with held as materialized (select id from muster.action
        where target = $1 and kind = any($2::muster.action_kind[]) and ($3::int is null or entitlement_id = $3) and open and state in ('ready', 'waiting')
          and guarded and not guard_released
          and ($4::text[] is null or identity_id in (select id from muster.identity where person_key = any($4)))
        order by id for update),
      released as (update muster.action a set guard_released = true from held where a.id = held.id returning a.id)
      select id from released order by id`,
    values: [hold.target, kinds, hold.entitlement_id, people],
  })
  return rows.map(({ id }) => id)
}
