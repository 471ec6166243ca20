/** Grants without end through the Entra connector, against the write limit that the simulator keeps. */
import { setTimeout as pause } from 'node:timers/promises'
import { documentedLimits } from '../../simulators/graph/throttle.ts'
import { leaversShare } from '../../src/connectors/budget.ts'
import type { Operation } from '../../src/connectors/connector.ts'
import { bucketsOf } from '../../src/connectors/entra/pacing.ts'
import type { EntitlementId, NativeId } from '../../src/domain/ids.ts'
import { useUpWrites } from '../floor/graph-writes.ts'
import { type GraphHouse, openGraphHouse } from '../house/graph.ts'
import { scaledTime } from '../house/scaled-time.ts'
import { VoidRun } from '../house/witness.ts'
import { spreadOf } from '../measure/spread.ts'
import { rangeText } from '../report/figures.ts'
import type { Bench, Line } from '../row.ts'

const usersEach = 1_000
/** What bulk work never takes is not used up, or the simulator would be emptier than it ever is before such work. */
const { capacity, perMs } = documentedLimits.writes

type Window = {
  readonly writes: number
  readonly ceiling: number
  readonly members: number
  readonly throttled: number
}

export const graphLines = async (bench: Bench): Promise<readonly Line[]> => {
  const { windows: count, seconds, speed } = bench.scale.graph
  const house = await openGraphHouse(bench.stack, scaledTime(speed))
  try {
    const windows = await measure(house, count, seconds)
    const minutes = ((count * seconds) / 60).toFixed(1)
    const what = `Graph: grants through the Entra connector without end for ${minutes} minutes of Graph's time (${speed} × ours), the burst used up before`
    const rows = {
      against: "the simulator's own bucket of writes, 3,000 per 150 s, and what it counted",
      samples: windows,
    }
    const throttled = windows.reduce((sum, one) => sum + one.throttled, 0)
    return [
      {
        ...rows,
        what: `${what}: share of the write ceiling`,
        value: spreadOf(windows.map(({ writes, ceiling }) => writes / ceiling)),
        unit: 'share',
        goal: { reach: 0.95, aim: 0.99, better: 'more' },
        details: [
          `writes a second of Graph's time ${rangeText(
            windows.map(({ writes }) => writes / seconds),
            'writes/s',
          )}; the limit is ${perMs * 1_000}`,
          'buckets of a local budget instead of those in PostgreSQL; its rate is below the documented one by design',
        ],
      },
      {
        ...rows,
        what: `${what}: answers 429`,
        value: { median: throttled, min: throttled, max: throttled, n: 1 },
        unit: '429s',
        goal: { reach: 0, aim: 0, better: 'less' },
        details: [],
      },
      {
        ...rows,
        what: `${what}: members a write`,
        value: spreadOf(windows.map(({ writes, members }) => members / writes)),
        unit: 'members',
        goal: { reach: 18, aim: 19.5, better: 'more' },
        details: ['members: what stands in the groups afterwards, read past Graph'],
      },
    ]
  } finally {
    await house.close()
  }
}

const measure = async (house: GraphHouse, count: number, seconds: number): Promise<readonly Window[]> => {
  const { graph, connector, time } = house
  const users = house.addUsers(usersEach)
  const groups: NativeId[] = []
  let over = false
  let granted = 0
  const work = async () => {
    const signal = new AbortController().signal
    while (!over) {
      const name = `G${groups.length}`
      const entitlement = {
        id: groups.length as EntitlementId,
        lookup: `displayName:${name}`,
        nativeId: house.addGroup(name),
      }
      groups.push(entitlement.nativeId)
      for (let at = 0; at < users.length && !over; at += connector.manifest.batchSize) {
        const batch = users
          .slice(at, at + connector.manifest.batchSize)
          .map((account): Operation => ({ op: 'grant', account, entitlement }))
        const outcomes = await connector.apply(batch, { signal, mayWrite: () => true })
        const wrong = outcomes.find((outcome) => outcome.kind !== 'done' || !outcome.changed)
        if (wrong !== undefined) throw new VoidRun(`a grant is ${JSON.stringify(wrong)}`)
        granted += batch.length
      }
    }
  }
  const { writes: bucket } = bucketsOf(house.settings)
  await useUpWrites(graph, house.addGroup('bench'), Math.floor(capacity * (1 - leaversShare)))
  const budget = time.budget('bulk')
  const used = await budget.take([{ bucket, units: bucket.capacity * (1 - leaversShare) }])
  if (!used.ok) throw new VoidRun('the budget was not full')

  graph.inspector.forgetCalls()
  const working = work()
  const seen = () => {
    const { writes, throttled } = graph.inspector.counts()
    return { at: time.now(), writes, throttled, members: membersOf(house, groups) }
  }
  const windows: Window[] = []
  for (let before = seen(); windows.length < count; ) {
    await Promise.race([working, pause((seconds * 1_000) / time.speed)])
    const after = seen()
    windows.push({
      writes: after.writes - before.writes,
      ceiling: (after.at - before.at) * perMs,
      members: after.members - before.members,
      throttled: after.throttled - before.throttled,
    })
    before = after
  }
  over = true
  await working
  const there = membersOf(house, groups)
  if (there !== granted) throw new VoidRun(`${granted} were said to be granted, ${there} are there`)
  const asked = new Set<string>(users)
  for (const group of groups)
    if (graph.inspector.members(group).some((id) => !asked.has(id))) throw new VoidRun('a stranger is in a group')
  return windows
}

const membersOf = ({ graph }: GraphHouse, groups: readonly NativeId[]): number =>
  groups.reduce((sum, group) => sum + graph.inspector.members(group).length, 0)
