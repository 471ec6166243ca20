/** What a reconciliation by the change log misses although the log told it. */
import { afterEach, expect, test } from 'vitest'
import type { Changes, Connector } from '../../../src/connectors/connector.ts'
import { changes } from '../../../src/connectors/ldap/changes.ts'
import type { NativeId } from '../../../src/domain/ids.ts'
import { reconcile } from '../../../src/engine/reconcile.ts'
import { type House, ldapSettings, openHouse, target } from '../../support/house.ts'
import { resolved, setLocked } from './behind-our-back.ts'
import { leaves, works } from './people.ts'

let house: House
let log: Changes
let isBlind = false
afterEach(() => house.close())
/** A change log that tells everything exactly once. */
const exact = (real: Connector): Connector => ({
  ...real,
  changes: async () => log,
  accounts: (ids, signal) =>
    isBlind ? Promise.resolve({ kind: 'partial', items: [], cause: 'away' }) : real.accounts(ids, signal),
})
const none = (cursor: string): Changes => ({ kind: 'changes', entitlements: [], accounts: [], cursor })
const run = (full = false) =>
  reconcile(house.engine, target, {
    actor: { type: 'engine', name: 'test' },
    full,
    signal: new AbortController().signal,
  })
const open = async () => {
  isBlind = false
  log = none('1')
  house = await openHouse({ connector: exact })
  for (const person of ['P-1', 'P-2']) await house.tell(works(person, (await house.now()) - 1000))
  await house.quiesce()
}

test.each<[string, (account: NativeId) => Changes, boolean]>([
  [
    'a full run was told of',
    (account) => ({ kind: 'changes', entitlements: [], accounts: [account], cursor: '2' }),
    true,
  ],
  ['a run without its cursor wanted', () => ({ kind: 'from-now', cursor: '2' }), false],
])('accounts that %s and could not read are read by the next one, not a day later', async (_, told, full) => {
  await open()
  await house.tell(leaves('P-1', await house.now()))
  await house.quiesce()
  await resolved(house)
  expect(await run()).toMatchObject({ extent: 'full' })
  await setLocked(house, 'P-1', false)
  log = told(String(await house.idOf('P-1')) as NativeId)
  isBlind = true
  expect(await run(full)).toMatchObject({ extent: 'full', accountsUnread: 'away' })
  isBlind = false
  log = none('3')
  await house.shift(3_600_000)
  await run()
  await house.quiesce()
  expect((await house.account('P-1'))?.locked).toBe(true)
})

test('what a full run saw and did not write down, because an action was in work, is looked at again by the next', async () => {
  await open()
  await house.tell({ ...works('P-1', await house.now()), status: 'leave' })
  await house.quiesce()
  await resolved(house)
  expect(await run()).toMatchObject({ extent: 'full' })
  await house.tell({
    ...works('P-1', await house.now(), { jobCode: 'RM', department: 'LENDING', jobTitle: 'New' }),
    status: 'leave',
  })
  await house.evaluateAll()
  await setLocked(house, 'P-1', false)
  expect(await house.rows(`select from muster.action where kind = 'ensureAccount' and state = 'ready'`)).toHaveLength(1)
  expect(await run(true)).toMatchObject({ extent: 'full', reopened: 0 })
  await house.quiesce()
  log = none('2')
  await house.shift(3_600_000)
  await run()
  await house.quiesce()
  expect((await house.account('P-1'))?.locked).toBe(true)
})

test('an entry of a future day does not make the directory silent until then', async () => {
  await open()
  const entries = [{ id: '00000000-0000-4000-8000-000000000001', csn: '20990101000000.000000Z#000000#000#000000' }]
  const client = {
    searchPages: async (
      { base, filter }: { base: string; filter: { value?: string } },
      _size: number,
      each: (some: unknown[]) => void,
    ) => {
      const isPeople = base.startsWith(house.tree.people)
      const from = typeof filter === 'object' && 'value' in filter ? String(filter.value) : ''
      each(
        isPeople
          ? entries
              .filter(({ csn }) => csn >= from)
              .map(({ id, csn }) => ({
                dn: 'x',
                entryUUID: [id],
                entryCSN: [csn],
                attributes: new Map([
                  ['entryuuid', [id]],
                  ['entrycsn', [csn]],
                ]),
              }))
          : [],
      )
      return { ok: true, value: undefined }
    },
  }
  const settings = { ...ldapSettings(house.tree), searchBase: house.tree.people }
  const first = await changes(client as never, settings, null, Date.parse('2026-11-21T12:00:00Z'))
  expect(first.kind).toBe('from-now')
  const cursor = first.kind === 'from-now' ? first.cursor : ''
  entries.push({ id: '00000000-0000-4000-8000-000000000002', csn: '20261121120000.000000Z#000000#000#000000' })
  expect(await changes(client as never, settings, cursor, Date.parse('2026-11-21T12:30:00Z'))).toMatchObject({
    accounts: expect.arrayContaining(['00000000-0000-4000-8000-000000000002']),
  })
})
