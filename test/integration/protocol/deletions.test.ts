/** Deletions through the whole engine (planned, claimed, settled); and targets where nobody can be shut. */
import { afterEach, expect, test } from 'vitest'
import type { Connector } from '../../../src/connectors/connector.ts'
import type { NativeId } from '../../../src/domain/ids.ts'
import { checkLeavers } from '../../../src/engine/check-leavers.ts'
import { reconcile } from '../../../src/engine/reconcile.ts'
import { type House, openHouse, target } from '../../support/house.ts'
import { auditOf } from './laws.ts'
import { leaves, works } from './people.ts'

let house: House
const { signal } = new AbortController()
let deleted: number
afterEach(() => house.close())
const day = 86_400_000
/** The directory; counts what is deleted there. */
const deleting = (real: Connector): Connector => ({
  ...real,
  apply: async (operations, context) => {
    const outcomes = await real.apply(operations, context)
    deleted += outcomes.filter(({ kind }, index) => kind === 'done' && operations[index]?.op === 'deleteAccount').length
    return outcomes
  },
})
const gone = async () => {
  deleted = 0
  house = await openHouse({ connector: deleting, target: { deleteAfterMs: 30 * day } })
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  await house.tell(leaves('P-1', await house.now()))
  await house.quiesce()
}

test('control: after its time the empty, shut account is deleted, once', async () => {
  await gone()
  await house.shift(31 * day)
  await house.quiesce()
  expect(deleted).toBe(1)
  expect(await house.rows('select from muster.account where unlinked_at is null')).toEqual([])
  expect(await house.account('P-1')).toBeNull()
})

test('opened by somebody meanwhile: not deleted, shut again, told; deleted when a reconciliation has seen it shut', async () => {
  await gone()
  const findings = () =>
    house.rows(`select kind, urgent, detail from muster.finding where closed_at is null and identity_id is not null`)
  const connector = house.engine.connectors.get(target)
  const account = (await house.idOf('P-1')) as NativeId
  await connector?.apply([{ op: 'enable', account }], { signal, mayWrite: () => true })
  await house.shift(31 * day)
  await house.quiesce()
  await house.sweep()
  expect(deleted).toBe(0)
  expect((await house.account('P-1'))?.locked).toBe(true)
  expect(await findings()).toEqual([
    { kind: 'account-reopened', urgent: true, detail: { target, seen: 'before-deletion' } },
  ])
  await reconcile(house.engine, target, { actor: { type: 'engine', name: 'test' }, signal })
  await house.quiesce()
  expect(deleted).toBe(1)
  expect(await findings()).toEqual([])
})

test('a deletion that was planned and is not wanted any more by muster.yaml is not made', async () => {
  await gone()
  await house.shift(31 * day)
  await house.evaluateAll()
  expect(await house.rows(`select from muster.action where kind = 'deleteAccount' and state = 'ready'`)).toHaveLength(1)
  // Muster was stopped for it, muster.yaml says `deleteAfter: null` by now, and it starts again.
  for (const one of house.engine.targets as unknown as { deleteAfterMs: number | null }[]) one.deleteAfterMs = null
  await house.sweep()
  await house.quiesce()
  expect(deleted).toBe(0)
})

test('nothing is deleted of somebody whose next employment is known', async () => {
  await gone()
  await house.shift(25 * day)
  const at = await house.now()
  await house.tell({ ...works('P-1', at), employment: 'P-1-2', status: 'prehire' })
  await house.tell({ ...works('P-1', at + 8 * day), employment: 'P-1-2' })
  await house.quiesce()
  await house.shift(6 * day)
  await house.quiesce()
  expect(deleted).toBe(0)
})

test('two processes that read leavers again write it down once', async () => {
  await gone()
  await house.shift(6 * 60_000)
  await Promise.all([checkLeavers(house.engine, signal), checkLeavers(house.engine, signal)])
  expect((await auditOf(house)).filter(({ kind }) => kind === 'leave-checked')).toHaveLength(1)
})

test('where accounts cannot be shut, whoever is suspended does not keep all access without a word', async () => {
  house = await openHouse({ target: { disable: 'none', endSessions: 'none' } })
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  await house.tell({ ...works('P-1', await house.now()), status: 'suspended' })
  await house.quiesce()
  const told = await house.rows('select kind from muster.finding')
  expect(told.length + 6 - (await house.groupsOf('P-1')).length).toBeGreaterThan(0)
})
