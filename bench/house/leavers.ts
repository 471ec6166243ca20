import { setTimeout as pause } from 'node:timers/promises'
import { wallNow } from '../measure/wall-clock.ts'
import { leaverEvent } from './events.ts'
import type { Joined } from './joined.ts'
import type { Person } from './people.ts'

/** Asked so often whether the leaver of the moment is gone; the time itself is read from the commits. */
const lookEveryMs = 8
const givenUpAfterMs = 30_000

/** One after the other on an idle engine, each with a short rest of changing length before it. Moments of sending by person key. */
export const leaveOneByOne = async (
  { ground }: Joined,
  people: readonly Person[],
  appended: { count: number },
): Promise<ReadonlyMap<string, number>> => {
  const sentAt = new Map<string, number>()
  for (const [index, person] of people.entries()) {
    await pause(10 + ((index * 7) % 23))
    const message = leaverEvent(person)
    sentAt.set(person.key, wallNow())
    await ground.feed.append([message])
    appended.count++
    await untilGone(ground, person)
  }
  return sentAt
}

const untilGone = async ({ admin }: Joined['ground'], { key }: Person): Promise<void> => {
  const query = {
    name: 'bench-gone',
    text: `select exists (select from muster.action a where a.identity_id = i.id and a.lane = 'leaver')
        and not exists (select from muster.action a where a.identity_id = i.id and a.open and a.state in ('waiting', 'ready', 'dispatched')) as gone
      from muster.identity i where i.person_key = $1`,
    values: [key],
  }
  for (const end = performance.now() + givenUpAfterMs; performance.now() < end; ) {
    await pause(lookEveryMs)
    const { rows } = await admin.query<{ gone: boolean }>(query)
    if (rows[0]?.gone) return
  }
  throw new Error(`a leaver was not gone within ${givenUpAfterMs} ms`)
}
