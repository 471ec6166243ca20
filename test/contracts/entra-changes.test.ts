/** The change log: hints for where to read. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Connector } from '../../src/connectors/connector.ts'
import type { EntitlementId, NativeId } from '../../src/domain/ids.ts'
import { type EntraWorld, makeEntra, openEntraWorld } from './entra-world.ts'
import { always, freshKey } from './world.ts'

let world: EntraWorld
let connector: Connector
beforeAll(async () => {
  world = await openEntraWorld({ delta: { pageObjects: 3, pageMembers: 5 } })
  connector = makeEntra(world)
})
afterAll(() => world?.close())

const changesSince = async (cursor: string | null) => {
  const changes = await connector.changes?.(cursor, always.signal)
  if (changes === undefined) throw new Error('no change log')
  return changes
}
const cursorOf = async () => {
  const changes = await changesSince(null)
  if (changes.kind !== 'from-now') throw new Error(changes.kind)
  return changes.cursor
}
const addAccounts = (count: number) => world.addAccounts(Array.from({ length: count }, () => world.person(freshKey())))

test('from now on; then each that changed once, over all pages; then nothing', async () => {
  const accounts = await addAccounts(20)
  const [busy, quiet] = [await world.addGroup(freshKey()), await world.addGroup(freshKey(), accounts)]
  const cursor = await cursorOf()
  expect(cursor).not.toContain(accounts[0])
  expect(await changesSince(cursor)).toMatchObject({ kind: 'changes', entitlements: [], accounts: [] })

  world.graph.hand.addMembers(busy.nativeId, accounts)
  world.graph.hand.removeMembers(busy.nativeId, accounts.slice(0, 3))
  world.graph.hand.patchUser(accounts[4] as NativeId, { accountEnabled: false })
  world.graph.hand.remove(accounts[5] as NativeId)
  const changes = await changesSince(cursor)
  if (changes.kind !== 'changes') throw new Error(changes.kind)
  expect(changes.entitlements).toContain(busy.nativeId)
  expect(new Set(changes.entitlements).size).toBe(changes.entitlements.length)
  expect(changes.accounts).toEqual(expect.arrayContaining([accounts[4], accounts[5]]))
  expect(changes.accounts).not.toContain(accounts[7])
  // The one that was deleted left this group as well.
  expect(changes.entitlements).toContain(quiet.nativeId)
  expect(await changesSince(changes.cursor)).toMatchObject({ kind: 'changes', entitlements: [], accounts: [] })
})

test.each(['', 'no json', '{}', JSON.stringify({ groups: 'https://evil.example/x', users: 'https://evil.example/y' })])(
  'the cursor %j is none of ours: from now on',
  async (cursor) => {
    expect((await changesSince(cursor)).kind).toBe('from-now')
  },
)

test('a cursor that Graph does not keep any more: from now on', async () => {
  let ahead = 0
  const clock = { epochMs: () => Date.now() + ahead, monotonicMs: () => performance.now() + ahead }
  const old = await openEntraWorld({ clock, tokenLifeMs: 30 * 24 * 3_600_000 })
  try {
    const late = old.connect()
    const first = await late.changes?.(null, always.signal)
    if (first?.kind !== 'from-now') throw new Error(first?.kind)
    ahead = 8 * 24 * 3_600_000
    old.graph.inspector.forgetCalls()
    const lost = await late.changes?.(first.cursor, always.signal)
    expect(old.graph.inspector.counts().byStatus[410]).toBeGreaterThan(0)
    if (lost?.kind !== 'from-now') throw new Error(lost?.kind)
    expect((await late.changes?.(lost.cursor, always.signal))?.kind).toBe('changes')
  } finally {
    await old.close()
  }
})

test('a cursor that Graph calls expired by a code, with another status than documented, holds no more: from now on', async () => {
  const cursor = await cursorOf()
  const effect = { kind: 'status', status: 410, body: 'json', code: 'Directory_ExpiredPageToken' } as const
  world.graph.faults.plan({ operation: 'groupsDelta', nth: 1, phase: 'before', effect })
  expect((await changesSince(cursor)).kind).toBe('from-now')
})

test('what Graph tells twice is told once', async () => {
  const twice = await openEntraWorld({ delta: { pageObjects: 2, pageMembers: 2, replay: 40 } })
  try {
    const reader = twice.connect()
    const first = await reader.changes?.(null, always.signal)
    const group = await twice.addGroup(freshKey())
    const accounts = await twice.addAccounts(Array.from({ length: 9 }, () => twice.person(freshKey())))
    twice.graph.hand.addMembers(group.nativeId, accounts)
    let cursor = first?.kind === 'from-now' ? first.cursor : ''
    for (let round = 0; round < 2; round += 1) {
      const changes = await reader.changes?.(cursor, always.signal)
      if (changes?.kind !== 'changes') throw new Error(changes?.kind)
      expect(changes.entitlements).toEqual([group.nativeId])
      expect([...changes.accounts].sort()).toEqual([...accounts].sort())
      cursor = changes.cursor
    }
  } finally {
    await twice.close()
  }
})

test('a page that fails: nothing is told, and the cursor still holds', async () => {
  const cursor = await cursorOf()
  const accounts = await addAccounts(10)
  world.graph.faults.plan({
    operation: 'usersDelta',
    nth: 2,
    phase: 'before',
    effect: { kind: 'status', status: 503, body: 'html' },
  })
  expect((await changesSince(cursor)).kind).toBe('failed')
  const changes = await changesSince(cursor)
  if (changes.kind !== 'changes') throw new Error(changes.kind)
  expect([...changes.accounts].sort()).toEqual([...accounts].sort())
})

test.each([
  [400, 'Directory_ExpiredPageToken'],
  [404, 'Request_ResourceNotFound'],
])(
  'a later page of members that Graph does not find any more (%i %s): the list was not read, and its group is there',
  async (status, code) => {
    const people = Array.from({ length: 1_000 }, () => world.person(freshKey()))
    const group = await world.addGroup(freshKey(), await world.addAccounts(people))
    const effect = { kind: 'status', status, body: 'json', code } as const
    world.graph.faults.plan({ operation: 'listMembers', key: 'skiptoken', times: 9, phase: 'before', effect })
    try {
      for await (const list of connector.membersOf([{ ...group, id: 1 as EntitlementId }], always.signal))
        expect(list.kind).toBe('failed')
    } finally {
      world.graph.faults.clear()
    }
  },
)
