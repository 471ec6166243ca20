/** A warm Muster and a wave of joiners through it, measured and checked. */
import { setWallClock } from '../measure/wall-clock.ts'
import type { BenchStack } from './bench-stack.ts'
import { joinerEvent } from './events.ts'
import { freshGround, type Ground, type GroundOptions } from './ground.ts'
import { type People, type Person, persons, warmDepartment } from './people.ts'
import { lastCommit, trouble, untilQuiet } from './quiet.ts'
import { type Serve, type ServeOptions, startServe } from './serve.ts'
import { compareDirectory, VoidRun } from './witness.ts'

export type Processor = Readonly<Record<string, number>>

export type Joined = {
  readonly ground: Ground
  readonly serve: Serve
  /** Messages appended so far. */
  appended: number
  /** Everybody in the directory who should hold groups; the warm-up's people are among them. */
  readonly members: readonly Person[]
  readonly leave: () => Promise<void>
}

export type Wave = {
  readonly people: readonly Person[]
  /** From just before the first append was sent to the last commit, ms. */
  readonly ms: number
  /** That first moment, ms since 1970. */
  readonly since: number
  /** Processor seconds of each part within. */
  readonly processor: Processor
}

/** The longest that any wave may take, ms a person and at least. */
export const patience = (people: number): number => 120_000 + people * 120

/** Muster on fresh ground, warmed up by `warm` people behind `reserved` others. */
export const warmMuster = async (
  bench: BenchStack,
  people: People,
  reserved: number,
  warm: number,
  options: ServeOptions = {},
  on: GroundOptions = {},
): Promise<Joined> => {
  if (people.count < reserved + warm) throw new Error('too few accounts for this wave')
  const ground = await freshGround(bench, people, on)
  try {
    const serve = await startServe(ground, options)
    const warmers = persons(reserved, warm, warmDepartment)
    const joined: Joined = {
      ground,
      serve,
      appended: 0,
      members: warmers,
      leave: async () => {
        await (options.profileTo === undefined ? serve.kill() : serve.stop())
        for (const line of serve.complaints.slice(0, 5)) process.stderr.write(`  Muster said: ${line}\n`)
        await ground.leave()
      },
    }
    await ground.feed.append(warmers.map(joinerEvent))
    joined.appended += warmers.length
    await untilQuiet(ground, joined.appended, patience(warm))
    return joined
  } catch (error) {
    await ground.leave()
    throw error
  }
}

export const joinerWave = async (joined: Joined, people: readonly Person[]): Promise<Wave> => {
  const { ground, serve } = joined
  const messages = people.map(joinerEvent)
  setWallClock()
  const used = processorOf(ground.bench, () => ({ muster: serve.processor() }))
  const before = used()
  const since = await ground.feed.append(messages)
  joined.appended += messages.length
  await untilQuiet(ground, joined.appended, patience(people.length))
  const processor = spent(before, used())
  const ms = (await lastCommit(ground.admin)) - since
  const troubles = await trouble(ground.admin)
  if (troubles.length > 0) throw new VoidRun(`Muster did not do all of it: ${troubles.join(', ')}`)
  const all = [...joined.members, ...people]
  await compareDirectory(ground.bench.ldap, { people: ground.people, groups: ground.groups, members: all, locked: [] })
  Object.assign(joined, { members: all })
  return { people, ms, since, processor }
}

/** Seconds so far of each part, of the contender and of this process. */
export const processorOf = (bench: BenchStack, contender: () => Processor) => (): Processor => {
  const { user, system } = process.cpuUsage()
  return { ...contender(), ...bench.processor(), bench: (user + system) / 1e6 }
}

export const spent = (before: Processor, after: Processor): Processor =>
  Object.fromEntries(Object.entries(after).map(([part, seconds]) => [part, Math.max(0, seconds - (before[part] ?? 0))]))
