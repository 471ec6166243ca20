import { openDatabase, type Queryable } from './database.ts'

/**
 * Hands out ids of one sequence from blocks fetched ahead, so that an id is known before its row is written (audit bytes
 * name it) without a round trip each. A crash leaves gaps, never a duplicate.
 */
export type IdBlock = { readonly take: (count: number) => Promise<readonly number[]> }

type Sequence = 'muster.action_id' | 'muster.decision_id'

export const idBlock = (db: Queryable, sequence: Sequence, size = 1_000): IdBlock => {
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

export type IdBlocks = { readonly action: IdBlock; readonly decision: IdBlock }

/**
 * The engine's blocks, over a connection of their own: who asks holds locks, and everybody who waits for those may have
 * taken all connections of the engine's pool.
 */
export const openIdBlocks = (
  url: string,
  applicationName: string,
): IdBlocks & { readonly close: () => Promise<void> } => {
  const db = openDatabase({ url, max: 1, applicationName })
  return {
    action: idBlock(db, 'muster.action_id'),
    decision: idBlock(db, 'muster.decision_id'),
    close: () => db.close(),
  }
}
