import type { ActionKind, ActionState } from '../domain/action.ts'
import type { Queryable, Transaction } from './database.ts'

export type ParkedAction = {
  readonly id: number
  readonly identity_id: number
  readonly subject_ref: string
  readonly target: string
  readonly kind: ActionKind
  readonly entitlement_id: number | null
  readonly decision_id: number
}

/** Whose it is, and where it stands now. null: there is none. */
export const actionState = async (
  db: Queryable,
  id: number,
): Promise<{ readonly identity_id: number; readonly state: ActionState } | null> => {
  const [row] = await db.query<{ identity_id: number; state: ActionState }>({
    text: 'select identity_id, state::text from muster.action where id = $1',
    values: [id],
  })
  return row ?? null
}

/** Of whom something is parked on a target, by person key after `after`. */
export const peopleParkedOn = (
  db: Queryable,
  target: string,
  after: string,
  limit: number,
): Promise<readonly { readonly id: number; readonly person_key: string }[]> =>
  db.query({
    text: `select i.id, i.person_key from muster.identity i where i.person_key > $2
      and exists (select from muster.action a where a.identity_id = i.id and a.open and a.state = 'parked' and a.target = $1)
      order by i.person_key limit $3`,
    values: [target, after, limit],
  })

/** What of these is parked; the caller holds the locks of their identities and of their open work. */
export const parkedOf = (
  tx: Transaction,
  identities: readonly number[],
  of: { readonly target: string } | { readonly action: number },
): Promise<readonly ParkedAction[]> =>
  tx.query({
    text: `select a.id, a.identity_id, i.subject_ref, a.target, a.kind::text, a.entitlement_id, a.decision_id
      from muster.action a join muster.identity i on i.id = a.identity_id
      where a.identity_id = any($1) and a.open and a.state = 'parked' and ${'target' in of ? 'a.target = $2' : 'a.id = $2'} order by a.id`,
    values: [identities, 'target' in of ? of.target : of.action],
  })
