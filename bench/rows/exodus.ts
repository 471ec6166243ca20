/** Many leavers at once, out of large groups: against the naive engine, and inside calls of the directory alone. */
import { revokeOneByOne } from '../floor/one-by-one.ts'
import { leaverEvent } from '../house/events.ts'
import { freshGround } from '../house/ground.ts'
import { joinerWave, type Processor, patience, processorOf, spent, warmMuster } from '../house/joined.ts'
import { leaverWave } from '../house/leaver-wave.ts'
import {
  addPeople,
  groupsEach,
  membersByGroup,
  type People,
  type Person,
  persons,
  removeUnit,
  unlock,
} from '../house/people.ts'
import { compareDirectory } from '../house/witness.ts'
import type { Probed } from '../measure/probe.ts'
import { median, spreadOf } from '../measure/spread.ts'
import { setWallClock } from '../measure/wall-clock.ts'
import { startNaive } from '../naive/process.ts'
import { processorText, rangeText } from '../report/figures.ts'
import type { Bench, Line } from '../row.ts'

/** Who leaves: everybody of one department, or as many of all ten. Both out of groups of the same size. */
type Shape = { readonly name: string; readonly joiners: readonly Person[]; readonly leavers: readonly Person[] }
type Timed = { readonly ms: number; readonly processor: Processor }
type Calls = { readonly muster: Probed['directory']; readonly oneByOne: number }
type Pair = { readonly muster: Timed; readonly naive: Timed; readonly calls: Calls }

/** Leavers of both sides, not counted, that warm the leaver lane up. */
const warmLeavers = 20

export const exodusLines = async (bench: Bench): Promise<readonly Line[]> => {
  const { leavers, members, pairs } = bench.scale.exodus
  const everybody = persons(0, members * 10)
  const department = persons(0, members, 0)
  const shapes: readonly Shape[] = [
    { name: 'spread over the 30 groups', joiners: everybody, leavers: everybody.slice(0, leavers) },
    { name: 'the whole of 3 groups', joiners: department, leavers: department },
  ].slice(0, bench.scale.exodus.shapes)
  const own = await addPeople(bench.stack.ldap, everybody.length + bench.scale.warm)
  try {
    const lines: Line[] = []
    for (const shape of shapes) {
      bench.say(`  ${shape.leavers.length} leavers, ${shape.name}`)
      const measured: Pair[] = []
      for (let pair = 1; pair <= pairs; pair++) {
        measured.push(await measurePair(bench, own, shape))
        const { muster, naive, calls } = measured.at(-1) as Pair
        bench.say(
          `  ${pair}/${pairs} Muster ${muster.ms.toFixed(0)} ms, naive ${naive.ms.toFixed(0)} ms; revokes ${calls.muster.revoke?.ms.toFixed(1)} ms, one by one ${calls.oneByOne.toFixed(0)} ms`,
        )
      }
      lines.push(...linesOf(shape, members, measured, bench.scale.exodus.countedApart))
    }
    return lines
  } finally {
    await removeUnit(bench.stack.ldap, own.base)
  }
}

const measurePair = async (bench: Bench, own: People, shape: Shape): Promise<Pair> => {
  const { countedApart } = bench.scale.exodus
  const first = await musterExodus(bench, own, shape, !countedApart)
  const naive = await naiveExodus(bench, own, shape)
  const { probed } = countedApart ? await musterExodus(bench, own, shape, true) : first
  const oneByOne = await onGroups(bench, own, shape, (ground) => revokeOneByOne(ground, shape.leavers))
  if (probed === undefined) throw new Error('the probe did not answer')
  return { muster: first.result, naive, calls: { muster: probed.directory, oneByOne } }
}

const musterExodus = async (
  bench: Bench,
  own: People,
  { joiners, leavers }: Shape,
  probe: boolean,
): Promise<{ result: Timed; probed: Probed | undefined }> => {
  const joined = await warmMuster(bench.stack, own, own.count - bench.scale.warm, bench.scale.warm, { probe })
  const warmers = joined.members.slice(0, warmLeavers)
  try {
    await joinerWave(joined, joiners)
    await leaverWave(joined, warmers)
    await unlock(bench.stack.ldap, own.base, warmers)
    if (probe) await joined.serve.probe()
    const result = await leaverWave(joined, leavers)
    return { result, probed: probe ? ((await joined.serve.probe()) as Probed) : undefined }
  } finally {
    await joined.leave()
    await unlock(bench.stack.ldap, own.base, [...warmers, ...leavers])
  }
}

const onGroups = async <T>(
  bench: Bench,
  own: People,
  { joiners }: Shape,
  work: (ground: Awaited<ReturnType<typeof freshGround>>) => Promise<T>,
): Promise<T> => {
  const members = membersByGroup(own, [...joiners, ...warmersOf(bench, own)])
  const ground = await freshGround(bench.stack, own, { members: (group) => members.get(group) ?? [] })
  try {
    return await work(ground)
  } finally {
    await ground.leave()
  }
}

const warmersOf = (bench: Bench, own: People): readonly Person[] =>
  persons(own.count - bench.scale.warm, bench.scale.warm, 10)

const naiveExodus = (bench: Bench, own: People, shape: Shape): Promise<Timed> =>
  onGroups(bench, own, shape, async (ground) => {
    const warmers = warmersOf(bench, own).slice(0, warmLeavers)
    const naive = await startNaive(ground)
    try {
      const jobsEach = groupsEach + 1
      await ground.feed.append(warmers.map(leaverEvent))
      await naive.done(warmers.length * jobsEach, patience(warmers.length))
      const messages = shape.leavers.map(leaverEvent)
      setWallClock()
      const used = processorOf(bench.stack, () => ({ naive: naive.processor() }))
      const before = used()
      const since = await ground.feed.append(messages)
      const doneAt = await naive.done((warmers.length + messages.length) * jobsEach, patience(messages.length))
      const processor = spent(before, used())
      const gone = new Set(shape.leavers)
      const left = [...shape.joiners.filter((person) => !gone.has(person)), ...warmersOf(bench, own).slice(warmLeavers)]
      await compareDirectory(bench.stack.ldap, {
        people: own,
        groups: ground.groups,
        members: left,
        locked: [...shape.leavers, ...warmers],
      })
      return { ms: doneAt - since, processor }
    } finally {
      await naive.stop()
      await unlock(bench.stack.ldap, own.base, [...warmers, ...shape.leavers])
    }
  })

const linesOf = (
  { name, leavers }: Shape,
  members: number,
  pairs: readonly Pair[],
  countedApart: boolean,
): readonly Line[] => {
  const count = leavers.length.toLocaleString('en')
  const of = (kind: string) => pairs.map(({ calls }) => calls.muster[kind]?.ms ?? 0)
  return [
    {
      what: `${count} leavers at once from groups of ${members.toLocaleString('en')} members (${name}), accounts disabled on both sides`,
      against:
        'the naive engine: one job and one modify a membership, one for the account, one Prisma create a membership',
      value: spreadOf(pairs.map(({ muster, naive }) => naive.ms / muster.ms)),
      unit: '×',
      goal: { reach: 4, aim: 8, better: 'more' },
      details: [
        `Muster ${rangeText(
          pairs.map(({ muster }) => muster.ms),
          'ms',
        )}, naive ${rangeText(
          pairs.map(({ naive }) => naive.ms),
          'ms',
        )}`,
        `Muster's ${processorText(pairs.map(({ muster }) => muster))}`,
        `naive's ${processorText(pairs.map(({ naive }) => naive))}`,
      ],
      samples: pairs,
    },
    {
      what: `those ${count} leavers (${name}): time inside target calls for the membership revokes`,
      against: 'one modify a membership, one connection',
      value: spreadOf(pairs.map(({ calls }) => calls.oneByOne / (calls.muster.revoke?.ms ?? Number.NaN))),
      unit: '×',
      goal: { reach: 20, aim: 60, better: 'more' },
      details: [
        `Muster ${rangeText(of('revoke'), 'ms')} in ${median(pairs.map(({ calls }) => calls.muster.revoke?.n ?? 0))} modifies, one by one ${rangeText(
          pairs.map(({ calls }) => calls.oneByOne),
          'ms',
        )}`,
        `beside them: locks ${rangeText(of('modify'), 'ms')}, all reads (read-back too) ${rangeText(of('search'), 'ms')}; counted ${countedApart ? 'in runs of their own' : 'in the timed run'}, with a probe in the engine`,
      ],
      samples: pairs.map(({ calls }) => calls),
    },
  ]
}
