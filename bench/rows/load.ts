/**
 * Leavers at random moments while joiners flow in at a steady rate: their p99 against the idle p99 of the same engine, in
 * blocks that alternate.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Message } from 'kafkajs'
import { joinerEvent, leaverEvent, openFeed } from '../house/events.ts'
import { type Joined, joinerWave, patience, processorOf, spent, warmMuster } from '../house/joined.ts'
import { commitLag, type LeaverLatency, leaverLatencies, stagesText } from '../house/latency.ts'
import { leaveOneByOne } from '../house/leavers.ts'
import {
  addPeople,
  departments,
  groupsEach,
  morePeople,
  type Person,
  persons,
  removeUnit,
  usualDepartments,
} from '../house/people.ts'
import { trouble, untilQuiet } from '../house/quiet.ts'
import { compareDirectory, VoidRun } from '../house/witness.ts'
import { randomNumbers } from '../measure/random.ts'
import { quantile } from '../measure/spread.ts'
import { setWallClock, wallNow } from '../measure/wall-clock.ts'
import { processorText } from '../report/figures.ts'
import type { Bench, Line } from '../row.ts'

const actionsEach = groupsEach + 1
/** Joiners are appended in requests so far apart, ms. */
const tickMs = 50
/** So many times ten departments, that no group grows beyond what the rate was found with. */
const cohorts = 12

export const loadLines = async (bench: Bench): Promise<readonly Line[]> => {
  const { joiners, warm, load } = bench.scale
  const own = await addPeople(bench.stack.ldap, joiners + warm)
  const joined = await warmMuster(
    bench.stack,
    own,
    joiners,
    warm,
    {},
    { ofDepartments: usualDepartments + cohorts * departments },
  )
  try {
    const first = persons(0, joiners)
    const calibration = await joinerWave(joined, first)
    const sustained = (joiners / calibration.ms) * 1_000
    const rate = sustained * load.share
    const flowing = flowOf(joiners + warm, Math.ceil(rate * load.seconds), joiners)
    bench.say(
      `  a wave of ${joiners} went through at ${sustained.toFixed(0)} joiners a second; ${rate.toFixed(0)} a second flow`,
    )
    await morePeople(bench.stack.ldap, own, joiners + warm + flowing.length)

    const lag = await commitLag(joined.ground.admin)
    const gone = new Set<Person>()
    const leave = (count: number): readonly Person[] => {
      const people = first.slice(gone.size, gone.size + count)
      for (const person of people) gone.add(person)
      return people
    }
    const idle = async (people: readonly Person[]) => {
      setWallClock()
      const count = { count: joined.appended }
      const sentAt = await leaveOneByOne(joined, people, count)
      joined.appended = count.count
      return await leaverLatencies(joined.ground.admin, sentAt, actionsEach, lag)
    }
    await idle(leave(20))
    const used = processorOf(bench.stack, () => ({ muster: joined.serve.processor() }))
    const blocks: Block[] = []
    const each = Math.ceil(load.leavers / load.blocks)
    const flowEach = Math.ceil(flowing.length / load.blocks)
    for (let block = 0; block < load.blocks; block++) {
      const alone = await idle(leave(each))
      const beside = leave(each)
      const joining = flowing.slice(block * flowEach, (block + 1) * flowEach)
      setWallClock()
      const before = used()
      const flow = await flowWithLeavers(joined, joining, beside, load.seconds / load.blocks, block)
      const processor = spent(before, used())
      joined.appended += joining.length + beside.length
      const drained = performance.now()
      await untilQuiet(joined.ground, joined.appended, patience(joining.length))
      const drainMs = performance.now() - drained
      const loaded = await leaverLatencies(joined.ground.admin, flow.sentAt, actionsEach, lag)
      blocks.push({ idle: alone, loaded, drainMs, flowMs: flow.ms, processor })
    }

    const troubles = await trouble(joined.ground.admin)
    if (troubles.length > 0) throw new VoidRun(`Muster did not do all of it: ${troubles.join(', ')}`)
    const members = [...joined.members, ...flowing].filter((person) => !gone.has(person))
    await compareDirectory(bench.stack.ldap, { people: own, groups: joined.ground.groups, members, locked: [...gone] })
    return [line({ blocks, sustained, rate, share: load.share, flowed: flowing.length })]
  } finally {
    await joined.leave()
    await removeUnit(bench.stack.ldap, own.base)
  }
}

/** People behind those who are there, cohort after cohort in departments of its own. */
const flowOf = (from: number, count: number, cohort: number): readonly Person[] => {
  return persons(from, count).map((person, i) => ({
    ...person,
    department: usualDepartments + (Math.floor(i / cohort) % cohorts) * departments + (i % departments),
  }))
}

type Flow = { readonly sentAt: ReadonlyMap<string, number>; readonly ms: number }

/** Seeded moments, uniform over the time: what HR does has nothing to do with what the engine does. */
const flowWithLeavers = async (
  { ground }: Joined,
  flowing: readonly Person[],
  leavers: readonly Person[],
  seconds: number,
  seed: number,
): Promise<Flow> => {
  const messages = flowing.map(joinerEvent)
  const random = randomNumbers(20_261_121 + seed)
  const due = leavers
    .map((person) => ({ person, message: leaverEvent(person), at: random() * seconds * 1_000 }))
    .sort((a, b) => a.at - b.at)
  const sentAt = new Map<string, number>()
  const leaving = await openFeed(ground.kafka, ground.topic)
  const begun = performance.now()
  const joiners = async () => {
    for (let sent = 0; sent < messages.length; ) {
      const now = performance.now() - begun
      const upTo = Math.min(messages.length, Math.ceil((now / (seconds * 1_000)) * messages.length))
      if (upTo > sent) await ground.feed.append(messages.slice(sent, upTo))
      sent = Math.max(sent, upTo)
      await pause(Math.max(1, tickMs - (performance.now() - begun - now)))
    }
  }
  const out: Promise<unknown>[] = []
  const send = async ({ person, message }: { readonly person: Person; readonly message: Message }) => {
    sentAt.set(person.key, wallNow())
    await leaving.append([message])
  }
  try {
    const flow = joiners()
    for (const one of due) {
      await pause(Math.max(0, one.at - (performance.now() - begun)))
      out.push(send(one))
    }
    await Promise.all([flow, ...out])
    return { sentAt, ms: performance.now() - begun }
  } finally {
    await leaving.close()
  }
}

type Block = {
  readonly idle: readonly LeaverLatency[]
  readonly loaded: readonly LeaverLatency[]
  readonly drainMs: number
  readonly flowMs: number
  readonly processor: Readonly<Record<string, number>>
}

type Measured = {
  readonly blocks: readonly Block[]
  readonly sustained: number
  readonly rate: number
  readonly share: number
  readonly flowed: number
}

const line = (measured: Measured): Line => {
  const { blocks } = measured
  const idle = blocks.flatMap((block) => block.idle)
  const loaded = blocks.flatMap((block) => block.loaded)
  const flowMs = blocks.reduce((sum, block) => sum + block.flowMs, 0)
  const at = (of: readonly LeaverLatency[], q: number) =>
    quantile(
      of.map(({ fromAppend }) => fromAppend),
      q,
    )
  const ratios = blocks.map((block) => at(block.loaded, 0.99) / at(block.idle, 0.99))
  const all = (of: readonly LeaverLatency[]) =>
    [0.5, 0.9, 0.99, 1].map((q) => `${q === 1 ? 'worst' : `p${q * 100}`} ${at(of, q).toFixed(1)}`).join(', ')
  return {
    what: `${loaded.length} leavers at random moments while joiners flow for ${(flowMs / 1_000).toFixed(0)} s, p99 from Kafka append`,
    against: `p99 of ${idle.length} one by one on the same engine, idle, in ${blocks.length} blocks that alternate`,
    value: {
      median: at(loaded, 0.99) / at(idle, 0.99),
      min: Math.min(...ratios),
      max: Math.max(...ratios),
      n: blocks.length,
    },
    unit: '×',
    goal: { reach: 4, aim: 2.5, better: 'less' },
    details: [
      `idle: ${all(idle)} ms; ${stagesText(idle)}`,
      `under load: ${all(loaded)} ms; ${stagesText(loaded)}`,
      `${measured.flowed.toLocaleString('en')} joiners at ${measured.rate.toFixed(0)} a second: ${(measured.share * 100).toFixed(0)} % of the ${measured.sustained.toFixed(0)} a second of a whole wave on this engine just before; quiet ${Math.max(...blocks.map(({ drainMs }) => drainMs)).toFixed(0)} ms after the last append of a block`,
      processorText(blocks.map(({ flowMs: ms, processor }) => ({ ms, processor }))),
    ],
    samples: measured,
  }
}
