/** One leaver at a time on an idle engine, in blocks that alternate with the direct loop. */
import { openLeaverFloor } from '../floor/leaver.ts'
import { freshGround } from '../house/ground.ts'
import { joinerWave, warmMuster } from '../house/joined.ts'
import { commitLag, type LeaverLatency, leaverLatencies, stagesText } from '../house/latency.ts'
import { leaveOneByOne } from '../house/leavers.ts'
import { addPeople, groupsEach, membersByGroup, type Person, persons, removeUnit } from '../house/people.ts'
import type { ServeOptions } from '../house/serve.ts'
import { compareDirectory } from '../house/witness.ts'
import type { Probed } from '../measure/probe.ts'
import { quantile } from '../measure/spread.ts'
import { setWallClock } from '../measure/wall-clock.ts'
import { rangeText } from '../report/figures.ts'
import { profiled, statementsText } from '../report/profile.ts'
import type { Bench, Line } from '../row.ts'

/** Not counted, of each side: connections open, plans prepared, code compiled. */
const warmLeavers = 20
const actionsEach = groupsEach + 1

type Block = { readonly muster: readonly LeaverLatency[]; readonly floor: readonly number[] }

export const leaverLines = (bench: Bench): Promise<readonly Line[]> =>
  profiled(bench, (options) => measure(bench, options))

const measure = async (bench: Bench, options: ServeOptions): Promise<readonly Line[]> => {
  const { joiners, warm, leavers, leaverBlocks } = bench.scale
  const people = persons(0, joiners)
  const own = await addPeople(bench.stack.ldap, joiners + warm)
  const joined = await warmMuster(bench.stack, own, joiners, warm, options)
  // The floor's people hold the groups of another unit: the same sizes, none of them Muster's.
  const memberOf = membersByGroup(own, people)
  const floorGround = await freshGround(bench.stack, own, { members: (group) => memberOf.get(group) ?? [] })
  const floor = await openLeaverFloor(floorGround)
  try {
    await joinerWave(joined, people)
    const gone: { muster: Person[]; floor: Person[] } = { muster: [], floor: [] }
    const fromTop = people.values()
    const take = (count: number): readonly Person[] =>
      Array.from({ length: count }, () => fromTop.next().value as Person)
    const blocks: Block[] = []
    const lag = await commitLag(joined.ground.admin)
    const appended = { count: joined.appended }
    for (let block = 0; block <= leaverBlocks; block++) {
      const size = block === 0 ? Math.min(warmLeavers, leavers) : Math.ceil(leavers / leaverBlocks)
      const ours = take(size)
      if (options.probe) await joined.serve.probe()
      setWallClock()
      const sentAt = await leaveOneByOne(joined, ours, appended)
      if (options.probe) bench.say(statementsText((await joined.serve.probe()) as Probed))
      const latencies = await leaverLatencies(joined.ground.admin, sentAt, actionsEach, lag)
      const theirs = take(size)
      const direct = await floor.leave(theirs)
      gone.muster.push(...ours)
      gone.floor.push(...theirs)
      if (block > 0) blocks.push({ muster: latencies, floor: direct })
    }
    const locked = [...gone.muster, ...gone.floor]
    const without = (left: readonly Person[]) => people.filter((person) => !left.includes(person))
    await compareDirectory(bench.stack.ldap, {
      people: own,
      groups: joined.ground.groups,
      members: [...joined.members.filter(({ number }) => number >= joiners), ...without(gone.muster)],
      locked,
    })
    await compareDirectory(bench.stack.ldap, {
      people: own,
      groups: floorGround.groups,
      members: without(gone.floor),
      locked,
    })
    return [line(blocks, 0.5, lag, joiners), line(blocks, 0.99, lag, joiners)]
  } finally {
    await floor.close()
    await joined.leave()
    await floorGround.leave()
    await removeUnit(bench.stack.ldap, own.base)
  }
}

const line = (blocks: readonly Block[], q: number, lag: number, joiners: number): Line => {
  const muster = blocks.flatMap((block) => block.muster)
  const floor = blocks.flatMap((block) => block.floor)
  const fromAppend = (of: readonly LeaverLatency[]) =>
    quantile(
      of.map((one) => one.fromAppend),
      q,
    )
  const ratios = blocks.map((block) => fromAppend(block.muster) / quantile(block.floor, q))
  const name = q === 0.5 ? 'p50' : 'p99'
  return {
    what: `one leaver of ${groupsEach} groups (${joiners / 10} members each), idle, ${muster.length} one by one, ${name} from Kafka append to verified and audited`,
    against: `direct loop: ${groupsEach} modifies, disable, one read-back, one commit; ${name} of ${floor.length}`,
    value: {
      median: fromAppend(muster) / quantile(floor, q),
      min: Math.min(...ratios),
      max: Math.max(...ratios),
      n: blocks.length,
    },
    unit: '×',
    goal: { reach: 4, aim: 2.5, better: 'less' },
    details: [
      `Muster ${name} ${fromAppend(muster).toFixed(2)} ms from the broker's append time; ${quantile(
        muster.map(({ fromSend }) => fromSend),
        q,
      ).toFixed(2)} ms from the moment before the producer sends; blocks ${rangeText(
        blocks.map((block) => fromAppend(block.muster)),
        'ms',
      )}`,
      stagesText(muster),
      `direct loop ${name} ${quantile(floor, q).toFixed(2)} ms; blocks ${rangeText(
        blocks.map((block) => quantile(block.floor, q)),
        'ms',
      )}`,
      `ends are commit timestamps of the last outcome's audit entry plus ${lag.toFixed(2)} ms, the median time from such a stamp to its acknowledgement; the append time is cut to the millisecond (up to 1 ms against us)`,
    ],
    samples: blocks,
  }
}
