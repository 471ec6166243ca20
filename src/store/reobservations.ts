import type { Lane } from '../domain/action.ts'
import type { Queryable, Transaction } from './database.ts'

/** A dispatch whose outcome was rejected: what its worker did must be read from the target. `A`: engine/claim's actions. */
export type Reobservation<A> = {
  readonly dispatch: number
  readonly target: string
  readonly lane: Lane
  readonly actions: readonly A[]
  readonly tries: number
  /** Since its outcome was rejected. */
  readonly rejectedMsAgo: number
}

export const saveReobservation = async <A>(
  tx: Transaction,
  of: { readonly dispatch: number; readonly target: string; readonly lane: Lane; readonly actions: readonly A[] },
): Promise<void> => {
  await tx.query({
    name: 'reobservation-save',
    text: `insert into muster.reobservation (dispatch_id, target, lane, actions, recorded_at, next_at)
      values ($1, $2, $3::muster.lane, $4::jsonb, muster.now(), muster.now()) on conflict do nothing`,
    values: [of.dispatch, of.target, of.lane, JSON.stringify(of.actions)],
  })
}

export const dueReobservations = <A>(db: Queryable, limit: number): Promise<readonly Reobservation<A>[]> =>
  db.query({
    name: 'reobservations-due',
    text: `select dispatch_id as dispatch, target, lane::text, actions, tries,
        (date_part('epoch', (select muster.now()) - recorded_at) * 1000)::float8 as "rejectedMsAgo" from muster.reobservation
      where next_at <= (select muster.now()) order by next_at limit $1`,
    values: [limit],
  })

/** A read has told of every member. */
export const finishReobservation = async (tx: Transaction, dispatch: number): Promise<void> => {
  await tx.query({
    name: 'reobservation-finish',
    text: 'delete from muster.reobservation where dispatch_id = $1',
    values: [dispatch],
  })
}

/** Some member is still not known: read again after a growing pause, half a minute at the longest. */
export const postponeReobservation = async (tx: Transaction, dispatch: number): Promise<void> => {
  await tx.query({
    name: 'reobservation-postpone',
    text: `update muster.reobservation set tries = tries + 1,
      next_at = muster.now() + make_interval(secs => least(30, power(2, least(tries, 5)))) where dispatch_id = $1`,
    values: [dispatch],
  })
}
