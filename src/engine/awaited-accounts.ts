import type { TargetId } from '../domain/ids.ts'
import { type Awaited, countAwaited, findAwaited } from '../store/awaited.ts'
import type { Queryable } from '../store/database.ts'

export type { Awaited } from '../store/awaited.ts'

export type AwaitedAccounts = { readonly count: number; readonly people: readonly Awaited[] }

/** People who should hold something on a target and have no account there, as far as Muster knows: the first `limit` by their keys. */
export const awaitedAccounts = async (db: Queryable, target: TargetId, limit: number): Promise<AwaitedAccounts> => {
  const people = await findAwaited(db, target, limit)
  return { count: people.length < limit ? people.length : await countAwaited(db, target), people }
}

export const awaitedCount = (db: Queryable, target: TargetId): Promise<number> => countAwaited(db, target)
