/** One leaver at a time from four targets at once, in blocks that alternate with direct loops on each target. */
import { availableParallelism } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { openEverywhereFloor, type TargetName, targetNames } from '../floor/leaver-everywhere.ts'
import { compareEverywhere, latenciesByTarget, linksOf } from '../house/everywhere-witness.ts'
import { openFourTargets } from '../house/four-targets.ts'
import { joinerWave, warmMuster } from '../house/joined.ts'
import { commitLag, type LeaverLatency, leaverLatencies, stagesText } from '../house/latency.ts'
import { leaveOneByOne } from '../house/leavers.ts'
import { addPeople, groupsEach, type Person, persons, removeUnit } from '../house/people.ts'
import type { ServeOptions } from '../house/serve.ts'
import { compareDirectory } from '../house/witness.ts'
import type { Probed } from '../measure/probe.ts'
import { quantile } from '../measure/spread.ts'
import { setWallClock } from '../measure/wall-clock.ts'
import { rangeText } from '../report/figures.ts'
import { profiled, statementsText } from '../report/profile.ts'
import type { Bench, Line } from '../row.ts'

/** LDAP: shut and out of three groups; AD: shut and out of one; Entra: shut, sessions, one group; AWS: sessions, one group. */
const actionsEach = 1 + groupsEach + 2 + 3 + 2

type Direct = Readonly<Record<TargetName, readonly number[]>>
type Block = {
  readonly muster: readonly LeaverLatency[]
  readonly byTarget: ReadonlyMap<string, readonly number[]>
  readonly direct: Direct
  /** The same four direct loops of one leaver side by side: what the processors here allow without any engine. */
  readonly together: readonly number[]
}

export const everywhereLines = (bench: Bench): Promise<readonly Line[]> =>
  profiled(bench, (options) => measure(bench, options))

const measure = async (bench: Bench, options: ServeOptions): Promise<readonly Line[]> => {
  const { leavers, blocks: count, warm, staying } = bench.scale.everywhere
  const size = Math.ceil(leavers / count)
  const people = persons(0, 3 * (warm + size * count) + staying)
  const own = await addPeople(bench.stack.ldap, people.length + 1)
  const four = await openFourTargets(bench.stack)
  try {
    const joined = await warmMuster(bench.stack, own, people.length, 1, options, { beside: four.beside })
    try {
      await joinerWave(joined, people)
      const links = await linksOf(joined.ground)
      const floor = await openEverywhereFloor(joined.ground, four)
      const gone: Person[] = []
      const blocks: Block[] = []
      const lag = await commitLag(joined.ground.admin)
      const appended = { count: joined.appended }
      try {
        for (let block = 0; block <= count; block++) {
          const each = block === 0 ? warm : size
          const ours = people.slice(gone.length, gone.length + each)
          const theirs = people.slice(gone.length + each, gone.length + 2 * each)
          const others = people.slice(gone.length + 2 * each, gone.length + 3 * each)
          gone.push(...ours, ...theirs, ...others)
          if (options.probe) await joined.serve.probe()
          setWallClock()
          const sentAt = await leaveOneByOne(joined, ours, appended)
          if (options.probe) bench.say(statementsText((await joined.serve.probe()) as Probed))
          const muster = await leaverLatencies(joined.ground.admin, sentAt, actionsEach, lag)
          const byTarget = await latenciesByTarget(joined.ground, ours)
          const direct: Record<TargetName, number[]> = {
            'bank-ldap': [],
            'bank-ad': [],
            'bank-entra': [],
            'bank-aws': [],
          }
          for (const target of targetNames)
            for (const [index, person] of theirs.entries()) {
              await pause(10 + ((index * 7) % 23))
              direct[target].push(await floor.leave(target, person, links.get(target)?.get(person.key) ?? ''))
            }
          const together: number[] = []
          for (const [index, person] of others.entries()) {
            await pause(10 + ((index * 7) % 23))
            const begun = performance.now()
            await Promise.all(
              targetNames.map((target) => floor.leave(target, person, links.get(target)?.get(person.key) ?? '')),
            )
            together.push(performance.now() - begun)
          }
          if (block > 0) blocks.push({ muster, byTarget, direct, together })
        }
      } finally {
        await floor.close()
      }
      const left = joined.members.filter((person) => !gone.includes(person))
      const { groups } = joined.ground
      await compareDirectory(bench.stack.ldap, { people: own, groups, members: left, locked: gone })
      await compareEverywhere(four, links, left, gone)
      return [alone(blocks, lag, staying), sideBySide(blocks)]
    } finally {
      await joined.leave()
    }
  } finally {
    await four.close()
    await removeUnit(bench.stack.ldap, own.base)
  }
}

const p99 = (values: readonly number[]) => quantile(values, 0.99)
const fromAppend = (of: readonly LeaverLatency[]) => of.map((one) => one.fromAppend)

const alone = (blocks: readonly Block[], lag: number, staying: number): Line => {
  const muster = blocks.flatMap((block) => block.muster)
  const direct = (target: TargetName) => blocks.flatMap((block) => block.direct[target])
  const slowest = targetNames.reduce((one, other) => (p99(direct(other)) > p99(direct(one)) ? other : one))
  const ratios = blocks.map((block) => p99(fromAppend(block.muster)) / p99(block.direct[slowest]))
  return {
    what: `one leaver of four targets (LDAP, AD, Entra, AWS), idle, ${muster.length} one by one, p99 from Kafka append to the last verified outcome of all four`,
    against: `a bare script on the slowest of them alone (${slowest}): disable, end sessions, revoke, read back; p99 of ${direct(slowest).length}`,
    value: {
      median: p99(fromAppend(muster)) / p99(direct(slowest)),
      min: Math.min(...ratios),
      max: Math.max(...ratios),
      n: blocks.length,
    },
    unit: '×',
    goal: { reach: 2, aim: 1.3, better: 'less' },
    details: [
      `Muster p50 ${quantile(fromAppend(muster), 0.5).toFixed(1)} ms, p99 ${p99(fromAppend(muster)).toFixed(1)} ms; blocks ${rangeText(
        blocks.map((block) => p99(fromAppend(block.muster))),
        'ms',
      )}`,
      stagesText(muster),
      `last outcome on each target, p50 and p99 after the append: ${targetNames
        .map((target) => [target, blocks.flatMap(({ byTarget }) => byTarget.get(target) ?? [])] as const)
        .map(([target, ms]) => `${target} ${quantile(ms, 0.5).toFixed(1)} and ${p99(ms).toFixed(1)} ms`)
        .join(', ')}`,
      `direct loops, p50 and p99: ${targetNames.map((target) => `${target} ${quantile(direct(target), 0.5).toFixed(1)} and ${p99(direct(target)).toFixed(1)} ms`).join(', ')}`,
      `the four direct loops have ${targetNames.reduce((sum, target) => sum + quantile(direct(target), 0.5), 0).toFixed(1)} ms of work together (sum of their p50), for which clients and targets share ${availableParallelism()} processors`,
      `${staying} people stay beside them; Samba and OpenLDAP are real; the simulators of Graph and AWS do not lag, and the call quotas of AWS are raised out of the way on both sides; ends are commit timestamps plus ${lag.toFixed(2)} ms`,
    ],
    samples: blocks,
  }
}

const sideBySide = (blocks: readonly Block[]): Line => {
  const muster = blocks.flatMap((block) => fromAppend(block.muster))
  const together = blocks.flatMap((block) => block.together)
  const ratios = blocks.map((block) => p99(fromAppend(block.muster)) / p99(block.together))
  return {
    what: 'the same leavers of four targets',
    against: `the same bare scripts on all four side by side, no engine: what the processors here allow; p99 of ${together.length}`,
    value: {
      median: p99(muster) / p99(together),
      min: Math.min(...ratios),
      max: Math.max(...ratios),
      n: blocks.length,
    },
    unit: '×',
    goal: null,
    details: [
      `side by side: p50 ${quantile(together, 0.5).toFixed(1)} ms, p99 ${p99(together).toFixed(1)} ms; Muster's p50 is ${(quantile(muster, 0.5) / quantile(together, 0.5)).toFixed(2)}× of it`,
    ],
    samples: null,
  }
}
