import { expect, test } from 'vitest'
import type { SeenAccount, Snapshot } from '../../../src/connectors/connector.ts'
import type { NativeId } from '../../../src/domain/ids.ts'
import { accountReader } from '../../../src/engine/read-accounts.ts'
import type { Asked } from '../../../src/engine/read-apart.ts'

const people = (count: number, leavers = 0): readonly Asked[] =>
  Array.from({ length: count }, (_, n) => ({ native_id: `a${n}`, leaver: n >= count - leavers }))
const never = new AbortController().signal
const seen = (ids: readonly NativeId[]): SeenAccount[] =>
  ids.map((nativeId) => ({ nativeId, enabled: true, attributesHash: '' }) as SeenAccount)

/** A target that cannot read some; whatever was asked, in order. */
const targetOf = (cannot: (id: string) => boolean, shows: 'nobody' | 'the others' = 'nobody') => {
  const asked: (readonly NativeId[])[] = []
  const accounts = async (ids: readonly NativeId[]): Promise<Snapshot<SeenAccount>> => {
    asked.push(ids)
    const others = ids.filter((id) => !cannot(id))
    if (others.length === ids.length) return { kind: 'complete', items: seen(ids) }
    return { kind: 'partial', items: shows === 'nobody' ? [] : seen(others), cause: 'hidden' }
  }
  return { asked, accounts }
}

test.each([
  { shows: 'nobody', mostReads: 40 },
  { shows: 'the others', mostReads: 6 },
] as const)(
  'of 100, two cannot be read, and such a read shows $shows: the 98 are told',
  async ({ shows, mostReads }) => {
    const target = targetOf((id) => id === 'a3' || id === 'a77', shows)
    const read = await accountReader(target, never)(people(100))
    expect([read.shown.size, [...read.unread], read.cause]).toEqual([98, ['a3', 'a77'], 'hidden'])
    expect(target.asked.length).toBeLessThan(mostReads)
  },
)

test('leavers are looked at first, among themselves', async () => {
  const target = targetOf((id) => id === 'a0')
  const read = await accountReader(target, never)(people(6, 2))
  expect(target.asked.slice(0, 2)).toEqual([
    ['a0', 'a1', 'a2', 'a3', 'a4', 'a5'],
    ['a4', 'a5'],
  ])
  expect([read.shown.size, [...read.unread]]).toEqual([5, ['a0']])
})

test('a target that can read nobody is not asked for each, and in the next read not even for some; until it tells something', async () => {
  let isBlind = true
  const target = targetOf((id) => isBlind || id === 'a0')
  const reader = accountReader(target, never)
  const read = await reader(people(200))
  expect([read.shown.size, read.unread.size]).toEqual([0, 200])
  const reads = target.asked.length
  expect(reads).toBeLessThan(25)
  expect((await reader(people(200))).unread.size).toBe(200)
  expect(target.asked.length).toBe(reads + 1)
  isBlind = false
  await reader([{ native_id: 'a1', leaver: false }])
  expect((await reader(people(200))).unread.size).toBe(1)
})

test('more leavers in a row than others may be unreadable, and the last of them is looked at all the same', async () => {
  const target = targetOf((id) => id !== 'a39')
  const { shown } = await accountReader(target, never)(people(40, 40))
  expect([...shown.keys()]).toEqual(['a39'])
})

test('a target that takes all the time is asked no more, in this read and the next; whoever is told to stop stops', async () => {
  const ending = new AbortController()
  let asked = 0
  const accounts = async (): Promise<Snapshot<SeenAccount>> => {
    asked += 1
    if (asked === 2) ending.abort()
    return { kind: 'partial', items: [], cause: 'no-answer' }
  }
  const patience = [ending.signal]
  const reader = accountReader({ accounts }, never, () => patience.shift() ?? never)
  expect((await reader(people(50))).unread.size).toBe(50)
  expect(asked).toBe(2)
  expect((await reader(people(50))).unread.size).toBe(50)
  expect(asked).toBe(3)
  await expect(accountReader({ accounts }, ending.signal)(people(1))).rejects.toThrow()
})

test('whoever a complete read of some does not show is not there; beside one who cannot be read, nothing is said of them', async () => {
  const asked: number[] = []
  const accounts = async (ids: readonly NativeId[]): Promise<Snapshot<SeenAccount>> => {
    asked.push(ids.length)
    const there = seen(ids.filter((id) => id !== 'a1' && id !== 'a0'))
    return ids.includes('a0' as NativeId)
      ? { kind: 'partial', items: there, cause: 'hidden' }
      : { kind: 'complete', items: there }
  }
  const { shown, unread } = await accountReader({ accounts }, never)(people(4))
  expect([[...shown.keys()], [...unread]]).toEqual([['a2', 'a3'], ['a0']])
  expect(asked).toEqual([4, 2, 1, 1])
})

test.each(['nobody', 'the others'] as const)(
  'leavers who cannot be read hide nobody else, of a target that then shows %s; nor does the time that they took',
  async (shows) => {
    const target = targetOf((id) => Number(id.slice(1)) >= 30, shows)
    const { shown, unread } = await accountReader(target, never)(people(40, 10))
    expect([shown.size, unread.size]).toEqual([30, 10])
    const ending = new AbortController()
    const accounts: typeof target.accounts = async (ids) => {
      if (ids[0] === 'a30') ending.abort()
      return target.accounts(ids)
    }
    const patience = [ending.signal]
    const slow = await accountReader({ accounts }, never, () => patience.shift() ?? never)(people(40, 10))
    expect([slow.shown.size, slow.unread.size]).toEqual([30, 10])
  },
)

test('those who are out of sight are told by one read, each of them, and neither looked at apart nor unread', async () => {
  const asked: number[] = []
  const accounts = async (ids: readonly NativeId[]) => {
    asked.push(ids.length)
    const there = seen(ids.filter((id) => Number(id.slice(1)) < 50))
    return { kind: 'partial', items: there, cause: 'no-such-object', outOfSight: true } as const
  }
  const reader = accountReader({ accounts }, never)
  const read = await reader(people(200, 120))
  expect([read.shown.size, read.outOfSight.size, read.unread.size, read.cause]).toEqual([50, 150, 0, null])
  expect([...(await reader([{ native_id: 'a60', leaver: true }])).outOfSight]).toEqual(['a60'])
  expect(asked).toEqual([200, 1])
})
