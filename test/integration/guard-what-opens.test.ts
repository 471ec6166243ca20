/** The guard over what gives access or cannot be taken back: risky grants, accounts opened again; release in part. */
import { afterEach, expect, test } from 'vitest'
import { releaseHold } from '../../src/engine/decide-hold.ts'
import { defaultGuardLimits, type GuardLimits } from '../../src/planning/guard.ts'
import { type House, openHouse } from '../support/house.ts'
import { auditOf } from './protocol/laws.ts'

let house: House
afterEach(() => house.close())

const at = (absolute: number) => ({ absolute, percent: null })
const open = async (guard: Partial<GuardLimits>) => {
  house = await openHouse({ target: { guard: { ...defaultGuardLimits, ...guard } } })
}
/** So many more tellers; TELLER gives CBS_TellerCash (high), CBS_ViewOnly and what everybody has. */
const tellers = async (from: number, to: number) => {
  const start = await house.now()
  for (let i = from; i < to; i++)
    await house.tell({ person: `P-${i}`, effectiveAt: start - 1000, attributes: { jobCode: 'TELLER' } })
}
const held = () =>
  house.rows<{ id: number; limit: string }>(
    `select id, policies[1] as "limit" from muster.hold where kind = 'guard' and closed_at is null order by 2`,
  )
const withCash = async (to: number) => {
  const has = await Promise.all(Array.from({ length: to }, (_, i) => house.groupsOf(`P-${i}`)))
  return has.filter((groups) => groups.includes('CBS_TellerCash')).length
}
const somebody = { type: 'os-user', name: 'somebody', authenticated: false } as const
const release = async (people: readonly string[] | null = null) =>
  releaseHold({ db: house.engine.db, nudge: () => {} }, (await held())[0]?.id ?? 0, 'asked for', somebody, people)

test('risky grants beyond the limit are held, all of the batch; what is not risky goes', async () => {
  await open({ riskyGrants: at(3) })
  await tellers(0, 3)
  await house.quiesce()
  expect(await withCash(3)).toBe(3)
  expect(await held()).toEqual([])
  await tellers(3, 6)
  await house.evaluateAll()
  await house.shift(600)
  for (let round = 0; round < 4; round++) {
    for (const { id } of await house.dispatchAll()) await house.provision(id)
    await house.evaluateAll()
    await house.shift(600)
  }
  expect(await withCash(6)).toBe(3)
  expect(await house.groupsOf('P-4')).toContain('CBS_ViewOnly')
  expect(await held()).toMatchObject([{ limit: 'riskyGrants' }])
})

test('accounts opened again are counted and held', async () => {
  await open({ enables: at(1) })
  await tellers(0, 3)
  await house.quiesce()
  const away = await house.now()
  for (let i = 0; i < 3; i++)
    await house.tell({ person: `P-${i}`, effectiveAt: away, status: 'leave', attributes: { jobCode: 'TELLER' } })
  await house.quiesce()
  const back = await house.now()
  for (let i = 0; i < 3; i++)
    await house.tell({ person: `P-${i}`, effectiveAt: back, attributes: { jobCode: 'TELLER' } })
  await house.evaluateAll()
  await house.shift(600)
  expect(await house.dispatchAll()).toEqual([])
  expect(await held()).toMatchObject([{ limit: 'enables' }])
  expect((await house.account('P-1'))?.locked).toBe(true)
  expect(await release()).toEqual({ kind: 'released', actions: 3 })
  await house.quiesce()
  expect((await house.account('P-1'))?.locked).toBe(false)
})

test('released for some people, the hold stays for the others', async () => {
  await open({ disables: at(1), revokes: at(1_000), entitlementRevokes: at(1_000) })
  await tellers(0, 4)
  await house.quiesce()
  const left = await house.now()
  for (let i = 0; i < 4; i++) await house.tell({ person: `P-${i}`, effectiveAt: left, status: 'terminated' })
  await house.evaluateAll()
  await house.shift(2_005)
  for (const { id } of await house.dispatchAll()) await house.provision(id)
  const before = await held()
  expect(before).toMatchObject([{ limit: 'disables' }])
  expect(await release(['P-1', 'P-2', 'P-nobody'])).toEqual({ kind: 'released-in-part', actions: 2 })
  await house.evaluateAll()
  await house.shift(2_005)
  for (const { id } of await house.dispatchAll()) await house.provision(id)
  const locked = await Promise.all([0, 1, 2, 3].map(async (i) => (await house.account(`P-${i}`))?.locked))
  expect(locked).toEqual([false, true, true, false])
  expect(await held()).toEqual(before)
  expect(await release(['P-1'])).toEqual({ kind: 'released-in-part', actions: 0 })
  expect((await auditOf(house)).filter(({ kind }) => kind === 'guard-released-in-part')).toHaveLength(1)
})

test('the audit tells whose changes a human let past the guard', async () => {
  await open({ disables: at(1), revokes: at(1_000), entitlementRevokes: at(1_000) })
  await tellers(0, 4)
  await house.quiesce()
  const left = await house.now()
  for (let i = 0; i < 4; i++) await house.tell({ person: `P-${i}`, effectiveAt: left, status: 'terminated' })
  await house.evaluateAll()
  await house.shift(2_005)
  for (const { id } of await house.dispatchAll()) await house.provision(id)
  expect(await release(['P-1', 'P-2'])).toEqual({ kind: 'released-in-part', actions: 2 })
  const released = await house.rows<{ id: number; subject_ref: string }>(
    'select a.id, i.subject_ref from muster.action a join muster.identity i on i.id = a.identity_id where a.guard_released',
  )
  expect(released).toHaveLength(2)
  const [entry] = (await auditOf(house)).filter(({ kind }) => kind === 'guard-released-in-part')
  const told = JSON.stringify(entry)
  // By action or by subject reference: once they are done, no row of the log leads from the release to them.
  for (const { id, subject_ref } of released)
    expect(told.includes(subject_ref) || new RegExp(`[\\[,:]${id}[\\],}]`).test(told)).toBe(true)
})
