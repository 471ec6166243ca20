/** Lists of accounts from a target whose reads may be behind: what was verified within the settling time before stands. */
import { afterEach, expect, test } from 'vitest'
import type { Connector } from '../../../src/connectors/connector.ts'
import { setTargetMode } from '../../../src/engine/set-target-mode.ts'
import { noteSettling } from '../../../src/store/indirect-behind.ts'
import { type House, openHouse, target } from '../../support/house.ts'
import { findingsOf, reconciled, setLocked, settledIn } from './behind-our-back.ts'
import { leaves, works } from './people.ts'

const settleMs = 60_000
let house: House
afterEach(() => house.close())

/** `behind.now`: its lists show every account as open, as it was, and `renamed` under another name. */
const open = async (people: readonly string[] = ['P-1', 'P-2']) => {
  const behind = { now: false, renamed: '' }
  const replicas = (real: Connector): Connector => ({
    ...real,
    manifest: { ...real.manifest, settleMs },
    // Told before anybody is read: nothing of what a full run saw is told again.
    changes: async () => ({ kind: 'changes', entitlements: [], accounts: [], cursor: '1' }),
    accounts: async (ids, signal) => {
      const list = await real.accounts(ids, signal)
      return behind.now
        ? {
            ...list,
            items: list.items.map((item) => ({
              ...item,
              enabled: true,
              ...(item.nativeId === behind.renamed ? { name: 'uid=before' } : {}),
            })),
          }
        : list
    },
  })
  house = await openHouse({ connector: replicas })
  await settledIn(house, people)
  return behind
}
const audited = async () =>
  (
    await house.rows<{ drift: string }>(
      `select convert_from(bytes, 'UTF8')::jsonb->>'drift' as drift from audit.entry where kind = 'drift'`,
    )
  ).map(({ drift }) => drift)

test('a list that may not show yet whom we have shut opens nothing again; a leaver is shut once more all the same', async () => {
  const behind = await open()
  await house.shift(settleMs + 1_000)
  behind.now = true
  await house.tell({ ...works('P-1', await house.now()), status: 'leave' })
  await house.quiesce()
  await house.shift(1_000)
  expect(await reconciled(house, { full: true })).toMatchObject({ reopened: 0 })
  expect(await findingsOf(house)).toEqual([])
  expect(await audited()).toEqual([])
  await house.tell(leaves('P-2', await house.now()))
  await house.quiesce()
  await house.shift(1_000)
  expect(await reconciled(house, { full: true })).toMatchObject({ reopened: 1 })
  // What it shows after that time is so.
  await house.shift(settleMs)
  expect(await reconciled(house, { full: true })).toMatchObject({ reopened: 2 })
})

test('a name that it may have lost when we shut it is not kept, and what it is called then is nobody’s doing', async () => {
  const behind = await open()
  await house.shift(settleMs + 1_000)
  await house.tell({ ...works('P-1', await house.now()), status: 'leave' })
  await house.quiesce()
  behind.now = true
  behind.renamed = String(await house.idOf('P-1'))
  await house.shift(1_000)
  await reconciled(house, { full: true })
  behind.now = false
  await house.shift(settleMs)
  expect(await reconciled(house, { full: true })).toMatchObject({ renamed: 0 })
  expect(await house.rows('select from muster.account where kept_name is null')).toEqual([])
  expect(await audited()).toEqual([])
})

test('whoever is let in again under another name, and is not shut there, is told so once', async () => {
  const behind = await open()
  await house.tell({ ...works('P-1', await house.now()), status: 'leave' })
  await house.quiesce()
  await house.shift(settleMs + 1_000)
  await reconciled(house, { full: true })
  await setTargetMode(house.engine, target, 'plan', { type: 'engine', name: 'test' })
  behind.now = true
  behind.renamed = String(await house.idOf('P-1'))
  expect(await reconciled(house, { full: true })).toMatchObject({ reopened: 1, renamed: 1 })
  for (const ms of [1_000, settleMs]) {
    await house.shift(ms)
    expect(await reconciled(house, { full: true })).toMatchObject({ renamed: 0 })
  }
  expect((await audited()).filter((drift) => drift !== 'account-reopened')).toEqual(['account-moved'])
})

test('whom a full run sees let in again, and does not know for sure, the next one asks for, whatever the change log says', async () => {
  await open()
  await house.shift(settleMs + 1_000)
  await house.tell({ ...works('P-1', await house.now()), status: 'leave' })
  await house.quiesce()
  await setLocked(house, 'P-1', false)
  await house.shift(1_000)
  expect(await reconciled(house, { full: true })).toMatchObject({ extent: 'full', reopened: 0 })
  // Not known for sure, still.
  expect(await reconciled(house)).toMatchObject({ extent: 'delta', accounts: 1, reopened: 0 })
  await house.shift(settleMs)
  expect(await reconciled(house)).toMatchObject({ extent: 'delta', accounts: 1, reopened: 1 })
  expect(await reconciled(house)).toMatchObject({ extent: 'delta', accounts: 0 })
  await house.quiesce()
  expect((await house.account('P-1'))?.locked).toBe(true)
})

test('accounts whose grants may be behind are locked by their ids, whatever their order in the table', async () => {
  await open(Array.from({ length: 6 }, (_, n) => `P-${n + 1}`))
  const ids = (await house.rows<{ id: number }>('select id from muster.account order by id')).map(({ id }) => id)
  const [first, ...others] = ids
  // Written anew: behind the others.
  await house.rows('update muster.account set read_at = read_at where id = $1', first)
  const held = Promise.withResolvers<void>()
  const commit = Promise.withResolvers<void>()
  const holding = house.admin.transaction(async (tx) => {
    await tx.query({ text: 'select from muster.account where id = $1 for update', values: [first] })
    held.resolve()
    await commit.promise
  })
  await held.promise
  const noting = noteSettling(house.engine.db, ids, 0)
  await house.waitingForALock()
  const free = await house.rows(
    'select id from muster.account where id = any($1) order by id for update skip locked',
    others,
  )
  commit.resolve()
  await Promise.all([holding, noting])
  expect(free).toEqual(others.map((id) => ({ id })))
})
