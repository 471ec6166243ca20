/** A replica that is behind, asked before anything is done: what it does not show yet must not end a leaver's way. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Connector, Operation } from '../../src/connectors/connector.ts'
import type { NativeId } from '../../src/domain/ids.ts'
import type { Outcome } from '../../src/domain/outcome.ts'
import { type EntraWorld, openEntraWorld } from './entra-world.ts'
import { accountOf, always, ensure, freshKey, grant, revoke, said, settling, unknownId } from './world.ts'

let world: EntraWorld
let connector: Connector
beforeAll(async () => {
  world = await openEntraWorld()
  connector = world.connect()
})
afterEach(() => {
  world.graph.replication.release()
  world.graph.replication.set({ lagMs: 0, freshShare: 0 })
})
afterAll(async () => {
  await connector?.close()
  await world?.close()
})
const saying = async (operations: readonly Operation[]) => (await connector.apply(operations, always)).map(said)
/** From here on no replica learns anything; what was there before is known to all. */
const hold = async () => {
  await connector.accounts([unknownId], always.signal)
  world.graph.replication.hold()
}
const addAccount = async () => (await world.addAccounts([world.person(freshKey())]))[0] as NativeId

test('opened a moment ago, shut now: a replica that still shows it shut is no reason not to shut it', async () => {
  const account = await addAccount()
  world.graph.hand.patchUser(account, { accountEnabled: false })
  await hold()
  expect(await saying([{ op: 'enable', account }])).toEqual(['pending'])
  await saying([{ op: 'disable', account }])
  expect(await world.canSignIn(account)).toBe(false)
})

test('shut already: one change is sent all the same, and it was so', async () => {
  const account = await addAccount()
  world.graph.hand.patchUser(account, { accountEnabled: false })
  const asked = await world.writesOf(async () => {
    expect(await saying([{ op: 'disable', account }])).toEqual(['was-so'])
  })
  expect(asked).toEqual([`PATCH /v1.0/users/${account}`])
})

const pollOf = async (operation: Operation, passMs = 0) => {
  const [outcome] = await connector.apply([operation], always)
  expect(said(outcome)).toBe('pending')
  const handle = outcome?.kind === 'pending' ? outcome.handle : ''
  world.pass?.(passMs)
  return async () => (await connector.poll?.([{ operation, handle }], always.signal))?.map(said)
}

test('let in a moment ago, taken out now: a 404 and what a replica does not know yet prove nothing', async () => {
  const account = await addAccount()
  const group = await world.addGroup(freshKey())
  await hold()
  expect(await saying([grant(account, group)])).toEqual(['pending'])
  const poll = await pollOf(revoke(account, group))
  expect(await poll()).toEqual(['pending'])
  world.graph.replication.release()
  // It shows: surely not taken out yet, so it is tried again, and that works.
  expect(await poll()).toEqual(['not-so'])
  expect(await saying([revoke(account, group)])).toEqual(['changed'])
  expect(await world.membersOf(group)).toEqual([])
})

test('not in it, and still not after the settling time: it was so', async () => {
  const account = await addAccount()
  const group = await world.addGroup(freshKey())
  const poll = await pollOf(revoke(account, group), connector.manifest.settleMs / 2)
  expect(await poll()).toEqual(['pending'])
  world.pass?.(connector.manifest.settleMs / 2)
  expect(await poll()).toEqual(['was-so'])
})

test.each(['disable', 'endSessions', 'deleteAccount'] as const)(
  'made a moment ago, %s now: not shown is not «there is no account», which ends a leaver for good',
  async (op) => {
    await hold()
    const account = await addAccount()
    const poll = await pollOf({ op, account })
    expect(await poll()).toEqual(['pending'])
    world.graph.replication.release()
    expect(await poll()).toEqual(['not-so'])
    expect(await saying([{ op: 'disable', account }])).toEqual(['changed'])
  },
)

test('nobody has the id, now and after the settling time: only then is there no account', async () => {
  const operations = [{ op: 'disable', account: unknownId }] as const
  expect(await saying(operations)).toEqual(['pending'])
  expect(await settling(world, connector, operations)).toEqual(['refused:account-missing'])
})

test('a group made a moment ago: not shown is not «there is no group»; the revoke is sent by its id', async () => {
  const account = await addAccount()
  await hold()
  const group = await world.addGroup(freshKey(), [account])
  const asked = await world.writesOf(async () => {
    const poll = await pollOf(revoke(account, group))
    expect(await poll()).toEqual(['pending'])
    world.graph.replication.release()
    expect(await poll()).toEqual(['not-so'])
  })
  expect(asked).toEqual([`DELETE /v1.0/groups/${group.nativeId}/members/${account}/$ref`])
  expect(await saying([revoke(account, group)])).toEqual(['changed'])
})

test('open by a read, shut a moment ago: it is opened all the same', async () => {
  const account = await addAccount()
  await hold()
  world.graph.hand.patchUser(account, { accountEnabled: false })
  await saying([{ op: 'enable', account }])
  expect(await world.canSignIn(account)).toBe(true)
})

test('two stale reads that agree are believed neither for a change nor against it, until the settling time is over', async () => {
  const [joiner, leaver, off, on] = [await addAccount(), await addAccount(), await addAccount(), await addAccount()]
  world.graph.hand.patchUser(on, { accountEnabled: false })
  const [entered, left] = [await world.addGroup(freshKey()), await world.addGroup(freshKey(), [leaver])]
  const newcomer = world.person(freshKey())
  await hold()
  // Of each pair, one has happened and is not shown, the other seems to have and has not.
  await saying([
    grant(joiner, entered),
    revoke(leaver, left),
    { op: 'disable', account: off },
    { op: 'enable', account: on },
  ])
  await world.addAccounts([newcomer])
  const operations: readonly Operation[] = [
    grant(joiner, entered),
    revoke(joiner, entered),
    grant(leaver, left),
    revoke(leaver, left),
    { op: 'disable', account: off },
    { op: 'enable', account: off },
    { op: 'disable', account: on },
    { op: 'enable', account: on },
    ensure(newcomer),
  ]
  const observed = async (ms: number | null) =>
    (await connector.observe(operations, { ...always, sentMsAgo: operations.map(() => ms) })).map(said)
  const [so, not] = ['was-so', 'not-so']
  // Told that nobody has sent anything, they are believed: they do agree.
  expect(await observed(null)).toEqual([not, so, so, not, not, so, so, not, not])
  expect(await observed(connector.manifest.settleMs - 1)).toEqual(operations.map(() => 'unknown'))
  world.graph.replication.release()
  expect(await observed(connector.manifest.settleMs)).toEqual([so, not, not, so, so, not, not, so, so])
})

describe('whether it was open, for who gives it back one day', () => {
  const wasOpen = (outcomes: readonly (Outcome | undefined)[] | undefined) =>
    outcomes?.map((outcome) => [said(outcome), accountOf(outcome)?.wasEnabled])
  const open = async (enabled: boolean) => {
    const account = await addAccount()
    world.graph.hand.patchUser(account, { accountEnabled: enabled })
    return account
  }
  const changes = async (): Promise<readonly Operation[]> => [
    { op: 'disable', account: await open(true) },
    { op: 'disable', account: await open(false) },
    { op: 'enable', account: await open(true) },
    { op: 'enable', account: await open(false) },
  ]

  test('is told by the look before the change', async () => {
    expect(wasOpen(await connector.apply(await changes(), always))).toEqual([
      ['changed', true],
      ['was-so', false],
      ['was-so', true],
      ['changed', false],
    ])
  })

  test('is not told by a poll, which was not there', async () => {
    const [disable, , , enable] = await changes()
    const operations = [disable, enable] as readonly Operation[]
    await hold()
    const outcomes = await connector.apply(operations, always)
    world.graph.replication.release()
    const pending = outcomes.map((outcome, at) => ({
      operation: operations[at] as Operation,
      handle: outcome.kind === 'pending' ? outcome.handle : '',
    }))
    expect(wasOpen(await connector.poll?.(pending, always.signal))).toEqual([
      ['changed', undefined],
      ['changed', undefined],
    ])
  })

  test.each([
    ['disable', true],
    ['enable', false],
  ] as const)('%s: is not told by looks that disagree', async (op, isOpen) => {
    const account = await open(!isOpen)
    await hold()
    world.graph.hand.patchUser(account, { accountEnabled: isOpen })
    const fetchReally = globalThis.fetch
    // The first look shows how it was, the second how it is.
    globalThis.fetch = async (input, init) => {
      const response = await fetchReally(input, init)
      if (`${input} ${init?.body ?? ''}`.includes('accountEnabled')) world.graph.replication.release()
      return response
    }
    try {
      expect(wasOpen(await connector.apply([{ op, account }], always))).toEqual([['changed', undefined]])
    } finally {
      globalThis.fetch = fetchReally
    }
    expect(await world.canSignIn(account)).toBe(!isOpen)
  })
})

test('a group that is not read for now hides the names of no other', async () => {
  const names = Array.from({ length: 3 }, () => freshKey())
  const groups = await Promise.all(names.map((name) => world.addGroup(name)))
  const ids = groups.map(({ nativeId }) => nativeId)
  for (const [at, broken] of ids.entries()) {
    // Once in their common request, once by itself.
    const effect = { kind: 'status', status: 503 } as const
    world.graph.faults.plan({ operation: '*', key: broken, times: 2, phase: 'before', effect })
    const read = await world.connect().entitlementNames?.(ids, always.signal)
    expect(read?.kind).toBe('partial')
    expect(read?.items.map(({ name }) => name)).toEqual(names.filter((_, one) => one !== at))
    world.faults.none()
  }
  const all = await connector.entitlementNames?.(ids, always.signal)
  expect([all?.kind, all?.items.map(({ name }) => name)]).toEqual(['complete', names])
})
