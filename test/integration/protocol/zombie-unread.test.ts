import { afterEach, expect, test } from 'vitest'
import { createFaults } from '../../support/faults.ts'
import { type House, openHouse } from '../../support/house.ts'
import { leaves } from './people.ts'
import { stalledGrant } from './stalled-grant.ts'

let house: House
afterEach(() => house.close())

test('the zombie wrote, and the directory does not answer when it is read again: read once more until it tells', async () => {
  const faults = createFaults()
  house = await openHouse({ connector: faults.wrap })
  const { start, worker, outstanding } = await stalledGrant(house, faults)
  await house.shift(house.engine.settings.leaseMs + 1)
  await house.sweep()
  await house.quiesce()
  await house.tell(leaves('P-1', start + 1))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
  faults.nextReadFails({ kind: 'unknown', cause: { code: 'ETIMEDOUT', word: 'operation-timeout' } }, 'grant')
  worker.open()
  await outstanding
  await house.quiesce()
  await house.shift(3_600_000)
  await house.sweep()
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
  const open = await house.rows<{ kind: string }>(
    `select kind from muster.finding where kind = 'late-outcome-unread' and closed_at is null`,
  )
  expect(open).toEqual([])
  expect(await house.rows('select 1 from muster.reobservation')).toEqual([])
})
