/** Late outcomes are read one by one: one that cannot be read or recorded keeps no other from being told. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createFaults } from '../../support/faults.ts'
import { type House, openHouse, target } from '../../support/house.ts'
import { leaves } from './people.ts'
import { stalledGrant } from './stalled-grant.ts'

const faults = createFaults()
let house: House
beforeEach(async () => {
  house = await openHouse({ connector: faults.wrap })
})
afterEach(() => house.close())

test('one whose members make no sense stands before a zombie that wrote: that is read and repaired all the same', async () => {
  const { start, worker, outstanding } = await stalledGrant(house, faults)
  await house.shift(house.engine.settings.leaseMs + 1)
  await house.sweep()
  await house.quiesce()
  await house.tell(leaves('P-1', start + 1))
  await house.quiesce()
  faults.nextReadFails({ kind: 'unknown', cause: { code: 'ETIMEDOUT', word: 'operation-timeout' } }, 'grant')
  worker.open()
  await outstanding
  await house.quiesce()
  const nonsense = 1_000_000
  await house.rows(
    `insert into muster.reobservation (dispatch_id, target, lane, actions, recorded_at, next_at)
      values ($1, $2, 'bulk', '{}', muster.now(), muster.now() - interval '1 day')`,
    nonsense,
    target,
  )
  await house.shift(3_600_000)
  await house.sweep()

  expect(
    await house.rows(
      'select dispatch_id as dispatch, tries, next_at > muster.now() as later from muster.reobservation',
    ),
  ).toEqual([{ dispatch: nonsense, tries: 1, later: true }])
  expect(
    await house.rows(
      `select kind, key, urgent from muster.finding where kind in ('late-outcome-unread', 'sweep-failed') and closed_at is null`,
    ),
  ).toEqual([{ kind: 'late-outcome-unread', key: `dispatch:${nonsense}`, urgent: true }])
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
})
