/** Graph's limits: kept by ourselves, obeyed when Graph speaks first, and never at the leavers' cost. */
import { afterEach, describe, expect, test } from 'vitest'
import type { Budget } from '../../src/connectors/budget.ts'
import { createLocalBudget, createLocalStore, type LocalStore } from '../../src/connectors/local-budget.ts'
import type { Lane } from '../../src/domain/action.ts'
import type { NativeId } from '../../src/domain/ids.ts'
import { type EntraWorld, openEntraWorld } from './entra-world.ts'
import { always, freshKey, grant, revoke, said } from './world.ts'

let world: EntraWorld
afterEach(() => world?.close())

/** The budget's clock stands still: what is closed stays so, and nothing comes back, however long the machine takes. */
const toolsOf = (store: LocalStore, lane: Lane) => ({ lane, budget: createLocalBudget(store, lane, () => 0) })
const addAccounts = (count: number) => world.addAccounts(Array.from({ length: count }, () => world.person(freshKey())))

describe('a limit of Graph', () => {
  test.each([
    [{ retryAfter: '2.128' }, 2_128],
    [{}, 10_000],
  ])('429 with %j: throttled for so long, for both lanes, and nobody asks before', async (said429, expected) => {
    world = await openEntraWorld()
    const store = createLocalStore()
    const [bulk, leaver] = [world.connect({}, toolsOf(store, 'bulk')), world.connect({}, toolsOf(store, 'leaver'))]
    const [account] = (await addAccounts(1)) as [NativeId]
    const group = await world.addGroup(freshKey())
    world.graph.faults.plan({ operation: 'addMember', phase: 'before', effect: { kind: 'throttle', ...said429 } })
    expect(await bulk.apply([grant(account, group)], always)).toMatchObject([
      { kind: 'throttled', retryAfterMs: expected },
    ])
    world.graph.inspector.forgetCalls()
    const [outcome] = await leaver.apply([{ op: 'disable', account }], always)
    expect(outcome).toMatchObject({ kind: 'throttled' })
    expect(world.graph.inspector.counts().requests).toBe(0)
    expect(await world.membersOf(group)).toEqual([])
  })

  test('bulk work is told to come back in an hour: a leaver asks again after half a minute', async () => {
    world = await openEntraWorld()
    const store = createLocalStore()
    const [bulk, leaver] = [world.connect({}, toolsOf(store, 'bulk')), world.connect({}, toolsOf(store, 'leaver'))]
    const [account] = (await addAccounts(1)) as [NativeId]
    world.graph.faults.plan({
      operation: 'patchUser',
      phase: 'before',
      effect: { kind: 'throttle', retryAfter: '3600' },
    })
    expect(await bulk.apply([{ op: 'disable', account }], always)).toMatchObject([
      { kind: 'throttled', retryAfterMs: 3_600_000 },
    ])
    const [outcome] = await leaver.apply([{ op: 'disable', account }], always)
    expect(outcome).toMatchObject({ kind: 'throttled', retryAfterMs: 30_000 })
  })

  test('a storm in the middle of a batch: what was done is done, what was not begun is not begun', async () => {
    world = await openEntraWorld()
    const connector = world.connect({}, toolsOf(createLocalStore(), 'bulk'))
    const accounts = await addAccounts(60)
    const group = await world.addGroup(freshKey(), accounts)
    world.graph.faults.plan({
      operation: 'removeMember',
      nth: 31,
      times: 1_000,
      phase: 'before',
      effect: { kind: 'throttle', retryAfter: '7' },
    })
    const outcomes = await connector.apply(
      accounts.map((account) => revoke(account, group)),
      always,
    )
    const changed = outcomes.filter((outcome) => said(outcome) !== 'throttled')
    expect(changed).toHaveLength(30)
    // Their read-back had to wait as well: what is not proved is not said to be done.
    expect(changed.map(said)).toEqual(changed.map(() => 'pending'))
    expect(outcomes.slice(30).map(said)).toEqual(outcomes.slice(30).map(() => 'throttled'))
    expect(world.graph.inspector.counts().byStatus[429]).toBe(10)
    expect(await world.membersOf(group)).toEqual(accounts.slice(30))
  })

  test('one that reads of low priority met stops such reads alone', async () => {
    world = await openEntraWorld()
    const store = createLocalStore()
    const [bulk, leaver] = [world.connect({}, toolsOf(store, 'bulk')), world.connect({}, toolsOf(store, 'leaver'))]
    const [account] = (await addAccounts(1)) as [NativeId]
    world.graph.faults.plan({ operation: 'listUsers', phase: 'before', effect: { kind: 'throttle', retryAfter: '60' } })
    expect((await bulk.accounts([account], always.signal)).kind).toBe('partial')
    expect(await bulk.accounts([account], always.signal)).toMatchObject({
      kind: 'partial',
      cause: expect.stringContaining('throttled'),
    })
    expect((await leaver.apply([{ op: 'disable', account }], always)).map(said)).toEqual(['changed'])
    const priorities = world.graph.inspector.calls().flatMap(({ operation, priority }) => {
      return operation === 'listUsers' ? [priority] : operation === 'patchUser' ? [priority] : []
    })
    expect(priorities).toEqual(['Low', 'High'])
  })
})

describe('our own budget', () => {
  test('far more changes than the burst, without a single 429, twenty members a request', async () => {
    const perSecond = 100
    const burst = 30
    world = await openEntraWorld({
      limits: {
        units: { capacity: 8_000, perMs: 0.8 },
        writes: { capacity: burst, perMs: perSecond / 1_000 },
        retryAfter: 'whole',
      },
    })
    // The documented bucket holds 150 s of work; a smaller one is empty sooner.
    const small = (budget: Budget): Budget => ({
      ...budget,
      take: (draws) =>
        budget.take(
          draws.map((draw) =>
            draw.bucket.name === 'writes'
              ? { ...draw, bucket: { ...draw.bucket, capacity: burst, perSecond: perSecond * 0.99 } }
              : draw,
          ),
        ),
    })
    const budget = small(createLocalBudget(createLocalStore(), 'leaver', () => performance.now()))
    const connector = world.connect({ tenantSize: 'large', limits: {} }, { lane: 'leaver', budget })
    const accounts = await addAccounts(100)
    const groups = await Promise.all(Array.from({ length: 24 }, () => world.addGroup(freshKey())))
    world.graph.inspector.forgetCalls()
    const operations = groups.flatMap((group) => accounts.map((account) => grant(account, group)))
    const outcomes = await connector.apply(operations, always)
    expect(outcomes.map(said)).toEqual(operations.map(() => 'changed'))
    const { writes, throttled } = world.graph.inspector.counts()
    expect(throttled).toBe(0)
    expect(operations.length / writes).toBeGreaterThanOrEqual(18)
    expect(writes).toBeGreaterThan(burst * 3)
  })

  test('used up for long: told at once, with the limit that it is', async () => {
    world = await openEntraWorld()
    const store = createLocalStore()
    const tight = { limits: { writesPer150s: 10 } }
    const connector = world.connect(tight, toolsOf(store, 'bulk'))
    const accounts = await addAccounts(12)
    const outcomes = []
    for (const account of accounts) {
      const [outcome] = await connector.apply([{ op: 'disable', account }], always)
      if (outcome !== undefined) outcomes.push(outcome)
    }
    expect(outcomes.slice(0, 8).map(said)).toEqual(outcomes.slice(0, 8).map(() => 'changed'))
    expect(outcomes[11]).toMatchObject({ kind: 'throttled', scope: 'writes' })
    // Bulk work left a tenth; a leaver takes it.
    const leaver = world.connect(tight, toolsOf(store, 'leaver'))
    expect((await leaver.apply([{ op: 'disable', account: accounts[11] as NativeId }], always)).map(said)).toEqual([
      'changed',
    ])
  })

  test('leavers in hand: bulk requests wait for the way to be free', async () => {
    world = await openEntraWorld()
    const [account] = (await addAccounts(1)) as [NativeId]
    const way = Promise.withResolvers<void>()
    const asked = Promise.withResolvers<void>()
    const connector = world.connect(
      {},
      {
        giveWay: () => {
          asked.resolve()
          return way.promise
        },
      },
    )
    world.graph.inspector.forgetCalls()
    const outcomes = connector.apply([{ op: 'disable', account }], always)
    await asked.promise
    expect(world.graph.inspector.counts().requests).toBe(0)
    way.resolve()
    expect((await outcomes).map(said)).toEqual(['changed'])
  })
})
