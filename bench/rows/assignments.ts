/** Assignments taken away without end, as leavers want it, against the 15 requests that AWS works on at a time. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Operation } from '../../src/connectors/connector.ts'
import type { EntitlementId, NativeId } from '../../src/domain/ids.ts'
import type { Outcome } from '../../src/domain/outcome.ts'
import { type AwsHouse, callsPerSecond, openAwsHouse, slots } from '../house/aws.ts'
import { VoidRun } from '../house/witness.ts'
import { spreadOf } from '../measure/spread.ts'
import { rangeText } from '../report/figures.ts'
import type { Bench, Line } from '../row.ts'

/** Twice as many as there are slots: of one account only one assignment is changed at a time. */
const accountCount = slots * 2
/** A request is in progress for so long, ms: 1,200 of them one by one took AWS's own sample 61 minutes. */
const settleMs = 3_000
/** And so much more or less, evenly spread. */
const spreadMs = 500
/** All slots have been taken once and given back. */
const warmMs = settleMs * 2

type Window = { readonly ms: number; readonly busyMs: number; readonly calls: number; readonly done: number }

export const assignmentsLine = async (bench: Bench): Promise<Line> => {
  const { windows: count, seconds } = bench.scale.assignments
  const house = await openAwsHouse(bench.stack, 'leaver')
  try {
    const { windows, throttled } = await measure(house, count, seconds * 1_000)
    const perSecond = (of: (one: Window) => number, unit: string) =>
      rangeText(
        windows.map((one) => (of(one) * 1_000) / one.ms),
        unit,
      )
    return {
      what: `AWS: account assignments taken away through the Identity Center connector without end for ${count * seconds} s, leaver lane, ${accountCount} AWS accounts: share of the ${slots} slots that is busy`,
      against: `the simulator's own count of requests in progress; each takes ${settleMs / 1_000} ± ${spreadMs / 1_000} s, real time`,
      value: spreadOf(windows.map(({ busyMs, ms }) => busyMs / ms / slots)),
      unit: 'share',
      goal: { reach: 0.9, aim: 0.97, better: 'more' },
      details: [
        `verified revokes ${perSecond(({ done }) => done, 'a second')}, ${slots} slots allow ${slots / (settleMs / 1_000)}; calls of sso-admin ${perSecond(({ calls }) => calls, 'a second')} of ${callsPerSecond}, ${throttled} throttled`,
        'each account has one operation at a time under way, asked for again exactly when the connector says so; bulk work may hold 12 of the slots, leavers all',
      ],
      samples: windows,
    }
  } finally {
    await house.close()
  }
}

const measure = async (
  house: AwsHouse,
  count: number,
  windowMs: number,
): Promise<{ readonly windows: readonly Window[]; readonly throttled: number }> => {
  const { simulator } = house
  const accounts = Array.from({ length: accountCount }, (_, i) => String(100_000_000_000 + i))
  const arn = await house.addPermissionSet('Trader')
  // Places go to whoever asks first, so some accounts get on faster than others.
  const each = Math.ceil(((warmMs + count * windowMs) / settleMs) * (slots / accountCount) * 1.7) + 4
  const users = await house.addUsers(each)
  for (const account of accounts) for (const user of users) await house.assign(user, arn, account)
  simulator.assignments.settling = { ms: settleMs, polls: 0, spreadMs }
  const state = { over: false, done: 0 }
  const gone = new Map(accounts.map((account) => [account, new Set<NativeId>()]))
  const working = Promise.all(
    accounts.map(async (account, at) => {
      for (const user of users) {
        if (state.over) return
        await takeAway(house, {
          op: 'revoke',
          account: user,
          entitlement: {
            id: at as EntitlementId,
            lookup: `assignment/${account}/Trader`,
            nativeId: `${account}/${arn}` as NativeId,
          },
        })
        gone.get(account)?.add(user)
        state.done += 1
      }
      if (!state.over) throw new VoidRun('there was not enough to take away')
    }),
  )
  const seen = () => ({
    at: performance.now(),
    busyMs: simulator.assignments.load().busyMs,
    calls: simulator.calls().length,
    done: state.done,
  })
  await Promise.race([working, pause(warmMs)])
  const windows: Window[] = []
  for (let before = seen(); windows.length < count; ) {
    await Promise.race([working, pause(windowMs)])
    const after = seen()
    windows.push({
      ms: after.at - before.at,
      busyMs: after.busyMs - before.busyMs,
      calls: after.calls - before.calls,
      done: after.done - before.done,
    })
    before = after
  }
  state.over = true
  await working
  for (const account of accounts) {
    const there = new Set(await house.assignedTo(arn, account))
    if (users.some((user) => there.has(user) === (gone.get(account)?.has(user) ?? false)))
      throw new VoidRun('an assignment is not as it was said to be')
  }
  const throttled = simulator.calls().filter(({ answer }) => answer === 'ThrottlingException').length
  return { windows, throttled }
}

/** A poll that was not let through told nothing: asked again after so long, ms. */
const untoldMs = 1_000

/** As the engine would: what waits is asked for again when its time has come, what is pending is polled. */
const takeAway = async ({ connector }: AwsHouse, operation: Operation): Promise<void> => {
  const signal = new AbortController().signal
  const ask = async (handle: string | null): Promise<Outcome | undefined> =>
    handle === null
      ? (await connector.apply([operation], { signal, mayWrite: () => true }))[0]
      : (await connector.poll?.([{ operation, handle }], signal))?.[0]
  for (let handle: string | null = null; ; ) {
    const outcome = await ask(handle)
    switch (outcome?.kind) {
      case 'done':
        if (!outcome.changed) throw new VoidRun('an assignment was gone before')
        return
      case 'pending':
        handle = outcome.handle
        await pause(outcome.pollAfterMs)
        break
      case 'throttled':
        await pause(outcome.retryAfterMs)
        break
      default:
        if (handle === null || outcome?.kind !== 'unknown' || outcome.cause.word !== 'throttled')
          throw new VoidRun(`an operation is ${JSON.stringify(outcome)}`)
        await pause(untoldMs)
    }
  }
}
