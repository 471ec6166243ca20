/** Grants without end through the AWS connector, against the 20 calls a second that the simulator lets through. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Operation } from '../../src/connectors/connector.ts'
import type { EntitlementId, NativeId } from '../../src/domain/ids.ts'
import { type AwsHouse, callsPerSecond, openAwsHouse } from '../house/aws.ts'
import { VoidRun } from '../house/witness.ts'
import { spreadOf } from '../measure/spread.ts'
import { rangeText } from '../report/figures.ts'
import type { Bench, Line } from '../row.ts'

const usersEach = 200
/** Full buckets are empty after it. */
const warmMs = 1_500

type Window = { readonly ms: number; readonly calls: number; readonly granted: number; readonly throttled: number }
/** All calls from the first on, and what they granted. */
type Measured = { readonly windows: readonly Window[]; readonly calls: number; readonly granted: number }

export const awsLines = async (bench: Bench): Promise<readonly Line[]> => {
  const { windows: count, seconds } = bench.scale.aws
  const house = await openAwsHouse(bench.stack, 'bulk')
  try {
    const { windows, calls, granted } = await measure(house, count, seconds * 1_000)
    const what = `AWS: memberships through the Identity Center connector without end for ${count * seconds} s, groups of ${usersEach}`
    const throttled = windows.reduce((sum, one) => sum + one.throttled, 0)
    return [
      {
        what: `${what}: share of ${callsPerSecond} calls a second`,
        against: "the simulator's own bucket",
        value: spreadOf(windows.map(({ calls, ms }) => (calls * 1_000) / ms / callsPerSecond)),
        unit: 'share',
        goal: { reach: 0.9, aim: 0.97, better: 'more' },
        details: [
          `verified grants ${rangeText(
            windows.map(({ granted, ms }) => (granted * 1_000) / ms),
            'a second',
          )}; ${throttled} calls were throttled`,
          'a local budget instead of the one in PostgreSQL; real time',
        ],
        samples: windows,
      },
      {
        what: `${what}: calls a verified grant`,
        against: 'one call that writes and one that reads it back; all calls of the family are counted',
        value: { median: calls / granted, min: calls / granted, max: calls / granted, n: 1 },
        unit: 'calls',
        goal: { reach: 2.1, aim: 2, better: 'less' },
        details: [
          'pages of the group prove many grants at once',
          `${calls} calls, ${granted} outcomes \`done\`, all of them whole batches; in the end moto itself was asked who is in each group`,
        ],
        samples: windows,
      },
    ]
  } finally {
    await house.close()
  }
}

const measure = async (house: AwsHouse, count: number, windowMs: number): Promise<Measured> => {
  const { simulator, connector } = house
  const users = await house.addUsers(usersEach)
  const granted = new Map<NativeId, Set<NativeId>>()
  let done = 0
  let over = false
  const work = async () => {
    const signal = new AbortController().signal
    while (!over) {
      const name = `G${granted.size}`
      const nativeId = await house.addGroup(name)
      const entitlement = { id: granted.size as EntitlementId, lookup: `group/${name}`, nativeId }
      const members = new Set<NativeId>()
      granted.set(nativeId, members)
      for (let at = 0; at < users.length && !over; at += connector.manifest.batchSize) {
        const accounts = users.slice(at, at + connector.manifest.batchSize)
        const outcomes = await connector.apply(
          accounts.map((account): Operation => ({ op: 'grant', account, entitlement })),
          { signal, mayWrite: () => true },
        )
        const wrong = outcomes.find((outcome) => outcome.kind !== 'done' || !outcome.changed)
        if (wrong !== undefined) throw new VoidRun(`a grant is ${JSON.stringify(wrong)}`)
        for (const account of accounts) members.add(account)
        done += outcomes.length
      }
    }
  }
  const working = work()
  await Promise.race([working, pause(warmMs)])
  const seen = () => {
    const calls = simulator.calls()
    const throttled = calls.filter(({ answer }) => answer === 'ThrottlingException').length
    return { at: performance.now(), calls: calls.length, granted: done, throttled }
  }
  const windows: Window[] = []
  for (let before = seen(); windows.length < count; ) {
    await Promise.race([working, pause(windowMs)])
    const after = seen()
    windows.push({
      ms: after.at - before.at,
      calls: after.calls - before.calls,
      granted: after.granted - before.granted,
      throttled: after.throttled - before.throttled,
    })
    before = after
  }
  over = true
  await working
  for (const [group, members] of granted) {
    const there = await house.membersOf(group)
    if (there.length !== members.size || there.some((id) => !members.has(id)))
      throw new VoidRun(`${members.size} were said to be in a group, ${there.length} are`)
  }
  return { windows, calls: simulator.calls().length, granted: done }
}
