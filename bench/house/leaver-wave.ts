/** Many leavers at once through a Muster that has brought them in. */
import { setWallClock } from '../measure/wall-clock.ts'
import { leaverEvent } from './events.ts'
import { type Joined, type Processor, patience, processorOf, spent } from './joined.ts'
import type { Person } from './people.ts'
import { lastCommit, trouble, untilQuiet } from './quiet.ts'
import { compareDirectory, VoidRun } from './witness.ts'

export type LeaverWave = { readonly ms: number; readonly processor: Processor }

/** From just before the first append was sent to the last commit; the directory is right afterwards, or the run is void. */
export const leaverWave = async (joined: Joined, leavers: readonly Person[]): Promise<LeaverWave> => {
  const { ground, serve } = joined
  const messages = leavers.map(leaverEvent)
  setWallClock()
  const used = processorOf(ground.bench, () => ({ muster: serve.processor() }))
  const before = used()
  const since = await ground.feed.append(messages)
  joined.appended += messages.length
  await untilQuiet(ground, joined.appended, patience(leavers.length))
  const processor = spent(before, used())
  const ms = (await lastCommit(ground.admin)) - since
  const troubles = await trouble(ground.admin)
  if (troubles.length > 0) throw new VoidRun(`Muster did not do all of it: ${troubles.join(', ')}`)
  const gone = new Set(leavers)
  const left = joined.members.filter((person) => !gone.has(person))
  await compareDirectory(ground.bench.ldap, {
    people: ground.people,
    groups: ground.groups,
    members: left,
    locked: leavers,
  })
  Object.assign(joined, { members: left })
  return { ms, processor }
}
