/** Leavers are read again after 5 minutes, an hour and a day: what another hand gives back is taken away again. */
import { afterEach, expect, test } from 'vitest'
import type { Connector } from '../../../src/connectors/connector.ts'
import { checkLeavers } from '../../../src/engine/check-leavers.ts'
import { dueLeaveChecks } from '../../../src/store/leave-checks.ts'
import { type House, openHouse, target } from '../../support/house.ts'
import { setLocked } from './behind-our-back.ts'
import { auditOf, brokenLaws } from './laws.ts'
import { leaves, works } from './people.ts'

let house: House
/** The target, which may be out of sight for a while. */
let isBlind = false
afterEach(() => house.close())

const blind = (real: Connector): Connector => ({
  ...real,
  accounts: (ids, signal) =>
    isBlind ? Promise.resolve({ kind: 'partial', items: [], cause: 'away' }) : real.accounts(ids, signal),
})
const minute = 60_000
const open = async () => {
  isBlind = false
  house = await openHouse({ connector: blind })
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  await house.tell(works('P-2', start - 1000))
  await house.quiesce()
  await house.tell(leaves('P-1', start))
  await house.quiesce()
}
const check = async () => {
  await checkLeavers(house.engine, new AbortController().signal)
  await house.quiesce()
}
const checked = async () =>
  (await auditOf(house)).filter(({ kind }) => kind === 'leave-checked').map(({ body }) => body)
const findings = () =>
  house.rows<{ kind: string; urgent: boolean }>(
    `select kind, urgent from muster.finding where closed_at is null and kind in ('account-reopened', 'leave-unread') order by 1`,
  )

test('opened and let in again by another hand: shut and out again, and somebody is called', async () => {
  await open()
  await setLocked(house, 'P-1', false)
  await house.addMember('P-1', 'CBS_LoanApprove')
  await check()
  expect(await checked()).toEqual([])
  await house.shift(5 * minute)
  expect(await dueLeaveChecks(house.engine.db, target, 9)).toMatchObject([{ known_gone: false, out_of_sight: false }])
  await check()
  expect((await house.account('P-1'))?.locked).toBe(true)
  expect(await house.groupsOf('P-1')).toEqual([])
  const [told] = await checked()
  expect(told).toMatchObject({ afterMs: 5 * minute, enabled: true, reopened: true })
  expect(told?.appeared).toHaveLength(1)
  expect(await findings()).toEqual([{ kind: 'account-reopened', urgent: true }])
  expect(await brokenLaws(house)).toEqual([])
})

test('three times, each in its time, and then no more', async () => {
  await open()
  for (const ms of [
    5 * minute - 5_000,
    10_000,
    54 * minute,
    2 * minute,
    22 * 60 * minute,
    2 * 60 * minute,
    1440 * minute,
  ]) {
    await house.shift(ms)
    await check()
    await check()
  }
  expect((await checked()).map(({ afterMs, enabled, grants }) => [afterMs, enabled, grants])).toEqual([
    [5 * minute, false, []],
    [60 * minute, false, []],
    [1440 * minute, false, []],
  ])
  expect(await house.rows('select from muster.leave_check')).toEqual([])
})

test('a read that tells nothing is no proof: it is made again, and after some somebody is called', async () => {
  await open()
  isBlind = true
  await house.shift(5 * minute + 5_000)
  for (let i = 0; i < 4; i++) {
    await check()
    await house.shift(minute + 1_000)
  }
  expect(await checked()).toEqual([])
  expect(await findings()).toEqual([])
  await check()
  expect(await findings()).toEqual([{ kind: 'leave-unread', urgent: true }])
  isBlind = false
  await house.shift(minute + 1_000)
  await check()
  expect(await checked()).toHaveLength(1)
  expect(await findings()).toEqual([])
})

test('whoever is back is not checked', async () => {
  await open()
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  await house.shift(6 * minute)
  await check()
  expect(await checked()).toEqual([])
  expect((await house.account('P-1'))?.locked).toBe(false)
  expect(await house.rows('select from muster.leave_check')).toEqual([])
})

test('a target that says nothing is not asked again, half by half, once its time is over: the others’ leavers are next', async () => {
  isBlind = false
  const ending = new AbortController()
  let asked = 0
  house = await openHouse({
    connector: (real) => ({
      ...real,
      // Answers nothing but that its signal fired, as the door of src/connectors/answering does for one that hangs.
      accounts: async () => {
        asked += 1
        ending.abort()
        return { kind: 'partial', items: [], cause: 'no-answer' }
      },
    }),
  })
  const start = await house.now()
  const people = ['P-1', 'P-2', 'P-3', 'P-4']
  for (const person of people) await house.tell(works(person, start - 1000))
  await house.quiesce()
  for (const person of people) await house.tell(leaves(person, start))
  await house.quiesce()
  await house.shift(5 * minute)
  asked = 0
  await checkLeavers(house.engine, ending.signal)
  expect(asked).toBe(1)
})
