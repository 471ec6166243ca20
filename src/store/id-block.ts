import type { Queryable } from './database.ts'

/**
 * Hands out ids of one sequence from blocks fetched ahead, so that an id is known before its row is written (audit bytes
 * name it) without a round trip each. A crash leaves gaps, never a duplicate.
 */
export type IdBlock = { readonly take: (count: number) => Promise<readonly number[]> }

export const idBlock = (
  db: Queryable,
  sequence: 'muster.action_id' | 'muster.dispatch_id' | 'muster.decision_id',
  size = 1_000,
): IdBlock => {
  let free: number[] = []
  let filling: Promise<void> | undefined
  const fill = async (count: number) => {
    const rows = await db.query<{ id: number }>({
      name: `ids-${sequence}`,
      text: 'select nextval($1::regclass) as id from generate_series(1, $2)',
      values: [sequence, Math.max(count, size)],
    })
    free = free.concat(rows.map((row) => row.id))
  }
  return {
    take: async (count) => {
      while (free.length < count) {
        filling ??= fill(count - free.length).finally(() => {
          filling = undefined
        })
        await filling
      }
      return free.splice(0, count)
    },
  }
}
