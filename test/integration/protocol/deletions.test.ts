/** Deletions through the whole engine (planned, claimed, settled); and targets where nobody can be shut. */
import { afterEach, expect, test } from 'vitest'
import type { Connector } from '../../../src/connectors/connector.ts'
import { checkLeavers } from '../../../src/engine/check-leavers.ts'
import { type House, openHouse } from '../../support/house.ts'
import { auditOf } from './laws.ts'
import { leaves, works } from './people.ts'

let house: House
let deleted: number
afterEach(() => house.close())
const day = 86_400_000
/** The directory, as if it could delete. */
const deleting = (real: Connector): Connector => ({
  ...real,
  apply: async (operations, context) => {
    if (operations[0]?.op !== 'deleteAccount') return real.apply(operations, context)
    deleted += operations.length
    return operations.map(({ account }) => ({
      kind: 'done' as const,
      changed: true,
      evidence: { read: 'test', code: '0', account, entitlement: null } as never,
    }))
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
  const signal = new AbortController().signal
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
