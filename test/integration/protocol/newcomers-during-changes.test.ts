/** A change under everybody cannot see who comes while it runs: the sweeper finds those afterwards. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { applyPolicy } from '../../../src/engine/apply-policy.ts'
import type { Engine } from '../../../src/engine/engine.ts'
import { setTargetMode } from '../../../src/engine/set-target-mode.ts'
import { bankPolicies, type House, openHouse, target } from '../../support/house.ts'
import { brokenLaws } from './laws.ts'
import { lending, works } from './people.ts'

let house: House
beforeEach(async () => {
  house = await openHouse()
})
afterEach(() => house.close())

const actor = { type: 'os-user', name: 'test', authenticated: false } as const

/** The engine of a change that is about to commit when `happens`, once: what follows the change is left alone. */
const beforeCommit = (happens: () => Promise<void>): Engine => {
  const { db } = house.engine
  let happened = false
  return {
    ...house.engine,
    db: {
      ...db,
      transaction: (work) =>
        db.transaction(async (tx) => {
          const result = await work(tx)
          if (!happened) await happens()
          happened = true
          return result
        }),
    },
  }
}

const provisionAll = async () => {
  await house.shift(600)
  for (const { id } of await house.dispatchAll()) await house.provision(id)
}

const rechecks = async () => (await house.rows('select 1 from muster.recheck')).length

/** Nobody works by manager's rule any more. */
const withoutManagers = () =>
  bankPolicies(house.tree.groups).map((file) => ({
    ...file,
    text: file.text.replace('jobCode: RM }', 'jobCode: NOBODY }'),
  }))

test('somebody whose first event comes while a policy is applied ends under the new one', async () => {
  const start = await house.now()
  await house.tell(works('P-0', start - 1000))
  await house.quiesce()
  const applied = await applyPolicy(
    beforeCommit(async () => {
      await house.tell(works('P-1', start - 1000))
      await house.evaluateAll()
      for (let i = 0; i < 3; i++) await provisionAll()
    }),
    withoutManagers(),
    actor,
  )
  expect(applied.kind).toBe('applied')
  await house.quiesce()
  expect(await house.groupsOf('P-0')).not.toContain('CBS_LoanEntry')
  // Given by the old version before the new one had committed.
  expect(await house.groupsOf('P-1')).toContain('CBS_LoanEntry')
  await house.sweep()
  await house.quiesce()
  expect(await house.groupsOf('P-1')).not.toContain('CBS_LoanEntry')
  expect(await brokenLaws(house)).toEqual([])
})

test('an evaluation that reads the old policy and commits long after the new one', async () => {
  const start = await house.now()
  for (let i = 0; i < 2; i++) await house.sweep()
  expect(await rechecks()).toBe(0)
  const evaluating = await house.holdAudit([
    () => house.tell(works('P-1', start - 1000)).then(() => house.evaluateAll()),
  ])
  // Applied by somebody whose audit entry does not wait, and swept while the old evaluation is still out.
  await house.rows(`with v as (insert into muster.policy_version (hash, files, applied_by)
      select hash || 'x', files, 'another' from muster.policy_version order by id desc limit 1 returning id),
    a as (update muster.active_policy set version = v.id from v)
    insert into muster.recheck (kind, since) values ('policy', muster.now())`)
  await house.sweep()
  await house.sweep()
  expect(await rechecks()).toBe(1)
  await evaluating()
  expect(
    await house.rows(`select 1 from muster.identity where evaluated_policy = 1 and work_due_at is null`),
  ).toHaveLength(1)
  await house.sweep()
  expect(await rechecks()).toBe(0)
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(lending)
})

test('somebody whose first event comes while a target begins to be enforced is provisioned', async () => {
  await setTargetMode(house.engine, target, 'observe', actor)
  const start = await house.now()
  await setTargetMode(
    beforeCommit(async () => {
      await house.tell(works('P-1', start - 1000))
      await house.evaluateAll()
    }),
    target,
    'enforce',
    actor,
  )
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
  await house.sweep()
  await house.sweep()
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(lending)
  expect(await rechecks()).toBe(0)
})

test('when all is well nobody is evaluated again', async () => {
  const start = await house.now()
  for (const person of ['P-1', 'P-2']) await house.tell(works(person, start - 1000))
  await house.quiesce()
  for (let i = 0; i < 3; i++) await house.sweep()
  expect(await rechecks()).toBe(0)
  expect(await house.rows('select 1 from muster.identity where work_due_at is not null')).toEqual([])
})
