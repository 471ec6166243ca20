/** Reconciliation by the target's change log: nothing that changed is missed, whatever comes between. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Connector } from '../../../src/connectors/connector.ts'
import type { TargetId } from '../../../src/domain/ids.ts'
import { reconcile } from '../../../src/engine/reconcile.ts'
import type { Reconciliation } from '../../../src/engine/reconciler.ts'
import { type House, openHouse } from '../../support/house.ts'
import { asDirectoryRoot } from '../../support/stack.ts'
import { reporting, resolved, setLocked } from './behind-our-back.ts'
import { works } from './people.ts'

let house: House
/** Entitlements whose lists were asked for, by run. */
let asked: number[]
/** The target, when something of it cannot be read. */
let broken: { lists?: boolean; changes?: boolean }
const target = 'bank-ldap' as TargetId

const watched = (real: Connector): Connector => ({
  ...real,
  membersOf: async function* (refs, signal) {
    asked.push(refs.length)
    for await (const list of real.membersOf(refs, signal))
      yield broken.lists ? { kind: 'failed', entitlement: list.entitlement, cause: 'away' } : list
  },
  changes: (cursor, signal) =>
    broken.changes
      ? Promise.resolve({ kind: 'failed', cause: 'away' })
      : (real.changes?.(cursor, signal) ?? Promise.resolve({ kind: 'failed', cause: 'none' })),
})

beforeEach(async () => {
  asked = []
  broken = {}
  house = await openHouse({ connector: watched, revised: reporting })
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.tell(works('P-2', (await house.now()) - 1000))
  await house.quiesce()
  await resolved(house)
  await run()
  // Whatever this test changed so far is older than what the log reads once more.
  await later()
})
afterEach(() => house.close())

const run = (full = false): Promise<Reconciliation> =>
  reconcile(house.engine, target, {
    actor: { type: 'engine', name: 'test' },
    signal: new AbortController().signal,
    full,
  })
/** As if a quarter of an hour had passed: the cursor stands right behind the newest change that there is. */
const later = async () => {
  const newest = await asDirectoryRoot(house.ldap, async (client) => {
    const { searchEntries } = await client.search(house.tree.groups.slice(house.tree.groups.indexOf(',') + 1), {
      scope: 'sub',
      attributes: ['entryCSN'],
    })
    return (
      searchEntries
        .map(({ entryCSN }) => String(entryCSN))
        .sort()
        .at(-1) ?? ''
    )
  })
  await house.rows('update muster.target set changes_cursor = $1', newest.replace('Z#000000#', 'Z#000001#'))
}
const behind = async () =>
  (
    await house.rows<{ n: number }>('select count(*) as n from muster.entitlement where members_behind_at is not null')
  )[0]?.n

test('on a quiet day nothing is listed; what changed is, and nothing else', async () => {
  expect(await run()).toMatchObject({ extent: 'delta', listed: 0, accounts: 0 })
  await later()
  await house.addMember('P-1', 'CBS_LoanApprove')
  await setLocked(house, 'P-2', true)
  const told = await run()
  expect(told).toMatchObject({ extent: 'delta', listed: 1, accounts: 1, appeared: 1, shutElsewhere: 1 })
  expect(asked.at(-1)).toBe(1)
  expect(await behind()).toBe(0)
})

test('what the log named and could not be read stays behind until it was', async () => {
  await house.addMember('P-1', 'CBS_LoanApprove')
  broken.lists = true
  expect(await run()).toMatchObject({ extent: 'delta', listed: 0, appeared: 0, unread: [{ cause: 'away' }] })
  await later()
  broken.lists = false
  expect(await run()).toMatchObject({ extent: 'delta', listed: 1, appeared: 1 })
})

test('a log that cannot be read means that everything is read', async () => {
  await house.addMember('P-1', 'CBS_LoanApprove')
  broken.changes = true
  expect(await run()).toMatchObject({ extent: 'full', appeared: 1 })
})

test('a group that is gone is told by a run that reads changes', async () => {
  await asDirectoryRoot(house.ldap, (client) => client.del(house.groupDn('Dept_Lending')))
  expect((await run()).unread).toMatchObject([{ key: 'Dept_Lending', cause: 'entitlement-missing' }])
})

test('a day after the last full run everything is read again, and when somebody asks for it', async () => {
  expect(await run()).toMatchObject({ extent: 'delta' })
  await house.shift(86_400_000)
  expect(await run()).toMatchObject({ extent: 'full', accounts: 2 })
  expect(await run()).toMatchObject({ extent: 'delta' })
  expect(await run(true)).toMatchObject({ extent: 'full', accounts: 2 })
})
