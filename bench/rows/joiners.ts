/** Whole waves in turn: Muster, the floor, the naive engine, each on ground of its own. Three rows are made of them. */
import { type JoinersFloor, joinersFloor } from '../floor/joiners.ts'
import { rowsSince, type TableRows } from '../floor/table-rows.ts'
import { joinerEvent } from '../house/events.ts'
import { freshGround } from '../house/ground.ts'
import { joinerWave, type Processor, patience, processorOf, spent, type Wave, warmMuster } from '../house/joined.ts'
import { groupsEach, type People, type Person, persons, warmDepartment } from '../house/people.ts'
import { compareDirectory } from '../house/witness.ts'
import type { Probed } from '../measure/probe.ts'
import { median, spreadOf } from '../measure/spread.ts'
import { setWallClock } from '../measure/wall-clock.ts'
import { checkNaiveLoop, type LoopCheck } from '../naive/bare-loop.ts'
import { type NaivePools, naivePools, startNaive, twicePools } from '../naive/process.ts'
import { processorText, rangeText } from '../report/figures.ts'
import { profiled, statementsText } from '../report/profile.ts'
import type { Bench, Line } from '../row.ts'

type Timed = { readonly ms: number; readonly processor: Processor }
export type Round = {
  readonly muster: Timed
  readonly floor: JoinersFloor | null
  readonly naive: Timed | null
  /** The naive engine with twice the concurrency. */
  readonly twice: Timed | null
}

export type Rounds = {
  readonly people: number
  readonly rounds: readonly Round[]
  readonly tables: readonly TableRows[]
  readonly loop: LoopCheck | null
}

export const joinerRounds = async (
  bench: Bench,
  sides: { readonly floor: boolean; readonly naive: boolean; readonly pairs: number },
): Promise<Rounds> => {
  const { joiners, warm } = bench.scale
  const standing = await bench.standing(joiners + warm)
  const people = persons(0, joiners)
  const rounds: Round[] = []
  let tables: readonly TableRows[] = []
  for (let round = 1; round <= sides.pairs; round++) {
    const { wave, rows } = await musterWave(bench, standing, people)
    tables = rows
    bench.say(`  ${round}/${sides.pairs} Muster ${wave.ms.toFixed(0)} ms`)
    const floor = sides.floor
      ? await onFreshGround(bench, standing, (ground) => joinersFloor(ground, people, rows))
      : null
    if (floor !== null) bench.say(`  ${round}/${sides.pairs} floor ${floor.total.toFixed(0)} ms`)
    const naive = sides.naive ? await naiveWave(bench, standing, people, naivePools) : null
    const twice = sides.naive ? await naiveWave(bench, standing, people, twicePools) : null
    if (naive !== null)
      bench.say(
        `  ${round}/${sides.pairs} naive ${naive.ms.toFixed(0)} ms, with twice the concurrency ${twice?.ms.toFixed(0)} ms`,
      )
    rounds.push({ muster: { ms: wave.ms, processor: wave.processor }, floor, naive, twice })
  }
  const loop = sides.naive
    ? await onFreshGround(bench, standing, (ground) =>
        checkNaiveLoop(ground, persons(0, Math.min(200, joiners / 20)), ['G0', 'G1', 'G2']),
      )
    : null
  return { people: joiners, rounds, tables, loop }
}

const onFreshGround = async <T>(
  bench: Bench,
  people: People,
  work: (ground: Awaited<ReturnType<typeof freshGround>>) => Promise<T>,
): Promise<T> => {
  const ground = await freshGround(bench.stack, people)
  try {
    return await work(ground)
  } finally {
    await ground.leave()
  }
}

const musterWave = async (
  bench: Bench,
  standing: People,
  people: readonly Person[],
): Promise<{ wave: Wave; rows: readonly TableRows[] }> =>
  profiled(bench, async (options) => {
    const joined = await warmMuster(bench.stack, standing, people.length, bench.scale.warm, options)
    try {
      if (options.probe) await joined.serve.probe()
      const wave = await joinerWave(joined, people)
      if (options.probe) bench.say(statementsText((await joined.serve.probe()) as Probed))
      const client = await joined.ground.admin.connect()
      try {
        return { wave, rows: await rowsSince(client, wave.since) }
      } finally {
        client.release()
      }
    } finally {
      await joined.leave()
    }
  })

const naiveWave = (bench: Bench, standing: People, people: readonly Person[], pools: NaivePools): Promise<Timed> =>
  onFreshGround(bench, standing, async (ground) => {
    const naive = await startNaive(ground, pools)
    try {
      const warmers = persons(people.length, Math.min(bench.scale.warm, 300), warmDepartment)
      await ground.feed.append(warmers.map(joinerEvent))
      await naive.done(warmers.length * groupsEach, patience(warmers.length))
      const messages = people.map(joinerEvent)
      setWallClock()
      const used = processorOf(bench.stack, () => ({ naive: naive.processor() }))
      const before = used()
      const since = await ground.feed.append(messages)
      const doneAt = await naive.done((warmers.length + people.length) * groupsEach, patience(people.length))
      const processor = spent(before, used())
      await compareDirectory(ground.bench.ldap, {
        people: standing,
        groups: ground.groups,
        members: [...warmers, ...people],
        locked: [],
      })
      return { ms: doneAt - since, processor }
    } finally {
      await naive.stop()
    }
  })

const grants = (people: number) => people * groupsEach

export const floorLine = ({ people, rounds, tables }: Rounds, where = ''): Line => {
  const floors = rounds.flatMap(({ floor }) => floor ?? [])
  const step = (name: 'resolve' | 'modify' | 'read' | 'copy') =>
    `${name} ${median(floors.map((floor) => floor[name])).toFixed(0)}`
  return {
    what: `${people.toLocaleString('en')} joiners × ${groupsEach} of 30 groups, first append to last commit, engine warm${where}`,
    against: 'resolve + 500-value modifies + one read of each group + COPY of the final rows of all tables',
    value: spreadOf(rounds.flatMap(({ muster, floor }) => (floor === null ? [] : [muster.ms / floor.total]))),
    unit: '×',
    goal: where === '' ? { reach: 4, aim: 2, better: 'less' } : null,
    details: [
      `Muster ${rangeText(
        rounds.map(({ muster }) => muster.ms),
        'ms',
      )}; ${((grants(people) / median(rounds.map(({ muster }) => muster.ms))) * 1_000).toFixed(0)} grants a second`,
      `floor ${rangeText(
        floors.map(({ total }) => total),
        'ms',
      )}: ${(['resolve', 'modify', 'read', 'copy'] as const).map(step).join(' + ')} (medians; resolved by ${floors.at(-1)?.resolvedBy ?? '-'})`,
      `rows copied: ${tables.map(({ table, rows }) => `${table} ${rows}`).join(', ')}; ${(tables.reduce((sum, { bytes }) => sum + bytes.length, 0) / 2 ** 20).toFixed(1)} MiB`,
      processorText(rounds.map(({ muster }) => muster)),
    ],
    samples: { rounds, tables: tables.map(({ table, rows, bytes }) => ({ table, rows, bytes: bytes.length })) },
  }
}

/** Against the naive engine with the same concurrency, and, as information, with twice of it. */
export const naiveLines = ({ people, rounds, loop }: Rounds): readonly Line[] => {
  const fairness = `fairness: its LDAP loop makes ${loop?.naive.toFixed(0)} changes a second, a bare one-value loop ${loop?.bare.toFixed(0)}: ${loop?.ratio.toFixed(2)} (${(loop?.ratio ?? 0) >= 0.9 ? 'fair: ≥ 0.9' : 'NOT FAIR: must be ≥ 0.9'})`
  const line = (side: 'naive' | 'twice', pools: NaivePools): Line => {
    const theirs = rounds.flatMap((round) => round[side] ?? [])
    const times = theirs.map(({ ms }) => ms)
    return {
      what: `the same ${people.toLocaleString('en')} joiners`,
      against: `naive engine${side === 'twice' ? ' with twice the concurrency' : ''}: one job, one modify, one Prisma create a grant; ${pools.jobsAtOnce} jobs at once, ${pools.ldapConnections} LDAP and ${pools.databaseConnections} database connections`,
      value: spreadOf(rounds.flatMap((round) => (round[side] === null ? [] : [round[side].ms / round.muster.ms]))),
      unit: '×',
      goal: side === 'naive' ? { reach: 5, aim: 10, better: 'more' } : null,
      details: [
        `Muster ${rangeText(
          rounds.map(({ muster }) => muster.ms),
          'ms',
        )}`,
        `naive ${rangeText(times, 'ms')}; ${((grants(people) / median(times)) * 1_000).toFixed(0)} grants a second`,
        ...(side === 'naive' ? [fairness] : []),
        processorText(theirs),
      ],
      samples: { rounds, loop },
    }
  }
  return [line('naive', naivePools), line('twice', twicePools)]
}
