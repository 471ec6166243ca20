/** The laws of DESIGN §6 as questions to an installation that has come to rest. Each answers what breaks it. */
import { l1, l7, l8 } from '../integration/protocol/laws.ts'
import type { Installation } from '../support/muster-process.ts'

/** L5: every offset below the cursor is exactly one inbox row, and everything that was published is below it. */
export const l5 = async (bank: Installation): Promise<readonly string[]> => {
  const streams = await bank.rows<{
    id: number
    next: number
    kept: number
    first: number | null
    last: number | null
  }>(
    `select s.id, s.next_offset as next, count(b."offset") as kept, min(b."offset") as first, max(b."offset") as last
     from muster.stream s left join muster.inbox b on b.stream_id = s.id where s.current group by s.id`,
  )
  const breaches = streams.flatMap(({ id, next, kept, first, last }) =>
    kept === next && (kept === 0 || (first === 0 && last === next - 1))
      ? []
      : [`stream ${id}: ${kept} rows for ${next} offsets`],
  )
  const read = streams.reduce((sum, { next }) => sum + next, 0)
  return read === bank.sent() ? breaches : [...breaches, `${bank.sent()} messages were published, ${read} were read`]
}

const look = async (bank: Installation): Promise<readonly string[]> =>
  (await Promise.all([l1(bank), l5(bank), l7(bank), l8(bank)])).flat()

const restsWithinMs = 5_000

/**
 * All laws that hold when everything is quiet; empty = they do. Somebody whom the database cannot see (a zombie that reads
 * again what it wrote) may still have made work: what breaks a law does so for good, and not only until that is done.
 */
export const brokenLaws = async (bank: Installation): Promise<readonly string[]> => {
  for (const end = performance.now() + restsWithinMs; ; ) {
    const breaches = await look(bank)
    if (breaches.length === 0 || performance.now() > end) return breaches
    await bank.quiet()
  }
}
