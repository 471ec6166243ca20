/** Reads that do not show a change yet: pending, never a proof; and what becomes of it. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Connector, Operation } from '../../src/connectors/connector.ts'
import type { NativeId } from '../../src/domain/ids.ts'
import type { Outcome } from '../../src/domain/outcome.ts'
import { type EntraWorld, openEntraWorld } from './entra-world.ts'
import { accountOf, always, ensure, freshKey, grant, grantsOf, revoke, said, unknownId } from './world.ts'

let world: EntraWorld
let connector: Connector
/** How far the connector's clock is ahead. */
let ahead = 0
beforeAll(async () => {
  world = await openEntraWorld()
  connector = world.connect({}, { now: () => Date.now() + ahead })
})
afterEach(() => {
  ahead = 0
  world.graph.replication.release()
  world.graph.replication.set({ lagMs: 0, freshShare: 0 })
  world.faults.none()
})
afterAll(async () => {
  await connector?.close()
  await world?.close()
})

const apply = (operations: readonly Operation[], by = connector) => by.apply(operations, always)
/** From here on no replica learns anything; what was there before is known to all. */
const hold = async () => {
  await connector.accounts([unknownId], always.signal)
  world.graph.replication.hold()
}
const poll = async (operations: readonly Operation[], outcomes: readonly Outcome[]) => {
  const pending = operations.map((operation, at) => {
    const outcome = outcomes[at]
    return { operation, handle: outcome?.kind === 'pending' ? outcome.handle : '' }
  })
  return (await connector.poll?.(pending, always.signal)) ?? []
}
const addAccounts = (count: number) => world.addAccounts(Array.from({ length: count }, () => world.person(freshKey())))

/** Every kind of change, on people of its own. */
const everything = async () => {
  const [joiner, leaver, off, on, out, gone] = (await addAccounts(6)) as NativeId[] as [
    NativeId,
    NativeId,
    NativeId,
    NativeId,
    NativeId,
    NativeId,
  ]
  for (const id of [on, gone]) world.graph.hand.patchUser(id, { accountEnabled: false })
  world.graph.hand.patchUser(out, { signInSessionsValidFromDateTime: '2020-01-01T00:00:00Z' })
  const group = await world.addGroup(freshKey(), [leaver, off])
  const [renamed] = (await world.addAccounts([world.person(freshKey())])) as [NativeId]
  return {
    group,
    operations: [
      grant(joiner, group),
      revoke(leaver, group),
      { op: 'disable', account: off },
      { op: 'enable', account: on },
      { op: 'endSessions', account: out },
      { op: 'deleteAccount', account: gone },
      ensure(world.person(freshKey())),
      ensure(world.person(freshKey()), true, renamed),
    ] satisfies Operation[],
  }
}

describe('a change that no read shows yet', () => {
  test('is pending; so is every look at it until replicas have it; then it is done', async () => {
    const { operations, group } = await everything()
    await hold()
    const outcomes = await apply(operations)
    expect(outcomes.map(said)).toEqual(operations.map(() => 'pending'))
    for (const outcome of outcomes) {
      if (outcome.kind === 'pending') expect(outcome.handle).toMatch(/^(written|created):\d{13}(:[0-9a-f-]+)?$/)
    }
    const again = await poll(operations, outcomes)
    expect(again.map(said)).toEqual(operations.map(() => 'pending'))
    expect(again).toEqual(outcomes)

    world.graph.replication.release()
    const done = await poll(operations, outcomes)
    expect(done.map(said)).toEqual(operations.map(() => 'changed'))
    expect(grantsOf(done[2])).toEqual([group.nativeId])
    expect(accountOf(done[2])).toMatchObject({ enabled: false, origin: 'known' })
    expect(accountOf(done[6])).toMatchObject({ origin: 'created', enabled: true })
    expect(accountOf(done[7])).toMatchObject({ origin: 'known' })
  })

  test('after the settling time it is surely not there', async () => {
    const { operations } = await everything()
    await hold()
    const outcomes = await apply(operations)
    ahead = 60_000
    expect((await poll(operations, outcomes)).map(said)).toEqual(operations.map(() => 'pending'))
    ahead = 121_000
    expect((await poll(operations, outcomes)).map(said)).toEqual(operations.map(() => 'not-so'))
  })

  test('a look that fails tells nothing', async () => {
    const { operations } = await everything()
    await hold()
    const outcomes = await apply(operations)
    await world.faults.down()
    try {
      expect((await poll(operations, outcomes)).map(said)).toEqual(operations.map(() => 'unknown'))
      ahead = 121_000
      expect((await poll(operations, outcomes)).map(said)).toEqual(operations.map(() => 'unknown'))
    } finally {
      await world.faults.up()
    }
  })

  test('one read that shows it is not enough where the next does not', async () => {
    const [account] = (await addAccounts(1)) as [NativeId]
    const group = await world.addGroup(freshKey())
    await hold()
    const operation = grant(account, group)
    const outcomes = await apply([operation])
    world.graph.replication.release()
    // The first look sees it, then somebody else takes the person out again.
    let looks = 0
    const fetchReally = globalThis.fetch
    globalThis.fetch = async (input, init) => {
      const response = await fetchReally(input, init)
      if (String(input).includes('/memberOf') && ++looks === 1)
        world.graph.hand.removeMembers(group.nativeId, [account])
      return response
    }
    try {
      expect((await poll([operation], outcomes)).map(said)).toEqual(['pending'])
      expect(looks).toBe(2)
    } finally {
      globalThis.fetch = fetchReally
    }
  })

  test('so many reads in a row as the settings say', async () => {
    const [account] = (await addAccounts(1)) as [NativeId]
    const group = await world.addGroup(freshKey())
    const careful = world.connect({ settle: { confirmations: 5, pollMs: 10 } })
    world.graph.inspector.forgetCalls()
    expect((await apply([grant(account, group)], careful)).map(said)).toEqual(['changed'])
    expect(world.graph.inspector.counts().byOperation.memberOf).toBe(5)
  })

  test('reads that flip until all have it: done only in the end', async () => {
    const accounts = await addAccounts(40)
    const group = await world.addGroup(freshKey())
    world.graph.replication.set({ lagMs: 150, freshShare: 0.5 })
    const operations = accounts.map((account) => grant(account, group))
    let outcomes = await apply(operations)
    await expect
      .poll(async () => {
        const open = operations.flatMap((operation, at) =>
          outcomes[at]?.kind === 'pending' ? [{ operation, at }] : [],
        )
        const polled = await poll(
          open.map(({ operation }) => operation),
          open.flatMap(({ at }) => outcomes[at] ?? []),
        )
        outcomes = outcomes.map((outcome, at) => polled[open.findIndex((one) => one.at === at)] ?? outcome)
        return outcomes.map(said)
      })
      .toEqual(operations.map(() => 'changed'))
  })
})

test('a signal that has fired ends looking, and what was looked for is unknown', async () => {
  const [account] = (await addAccounts(1)) as [NativeId]
  const group = await world.addGroup(freshKey())
  const operations = [{ op: 'disable', account }, grant(account, group), ensure(world.person(freshKey()))] as const
  world.graph.inspector.forgetCalls()
  expect((await connector.observe(operations, { signal: AbortSignal.abort(), sentMsAgo: null })).map(said)).toEqual(
    operations.map(() => 'unknown'),
  )
  const polled = await connector.poll?.(
    operations.map((operation) => ({ operation, handle: 'written:1' })),
    AbortSignal.abort(),
  )
  expect(polled?.map(said)).toEqual(operations.map(() => 'unknown'))
  expect(world.graph.inspector.calls()).toEqual([])
})

describe('no twin', () => {
  test('a creation that no read shows is not made again, whatever the name says', async () => {
    const somebody = world.person(freshKey())
    await hold()
    expect((await apply([ensure(somebody)])).map(said)).toEqual(['pending'])
    expect(await apply([ensure(somebody)])).toMatchObject([{ kind: 'retry' }])
    world.graph.replication.release()
    expect((await apply([ensure(somebody)])).map(said)).toEqual(['was-so'])
    expect(await world.accountsOf(somebody)).toHaveLength(1)
  })
})

describe('what only just came', () => {
  test('somebody whom the writing replica does not know yet: try again, and then it works', async () => {
    const group = await world.addGroup(freshKey())
    await hold()
    const [account] = (await addAccounts(1)) as [NativeId]
    const [outcome] = await apply([grant(account, group)])
    expect(said(outcome)).toBe('pending')
    world.graph.replication.release()
    expect((await apply([grant(account, group)])).map(said)).toEqual(['changed'])
  })

  test('handles that are not ours are looked at all the same', async () => {
    const [account] = (await addAccounts(1)) as [NativeId]
    const group = await world.addGroup(freshKey(), [account])
    const strange = [
      { operation: grant(account, group), handle: 'of somebody else' },
      { operation: revoke(account, group), handle: '' },
      { operation: grant(unknownId, group), handle: 'written:1' },
    ]
    expect((await connector.poll?.(strange, always.signal))?.map(said)).toEqual([
      'was-so',
      'not-so',
      'refused:account-missing',
    ])
  })
})
