import { afterEach, expect, test } from 'vitest'
import { type House, openHouse } from '../../support/house.ts'
import { leaves, works } from './people.ts'

let house: House
afterEach(() => house.close())

test('an immediate termination dated at the start of today, after an assertion of this morning, ends access', async () => {
  house = await openHouse()
  const start = await house.now()
  await house.tell(works('P-1', start - 3_600_000))
  await house.quiesce()
  await house.tell(leaves('P-1', start - 8 * 3_600_000, { urgency: 'immediate', involuntary: true, recordedAt: start }))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
  expect(await house.account('P-1')).toMatchObject({ locked: true })
  // The guard lets a few urgent leavers pass: the termination tells the haste, not the newest snapshot.
  expect(await house.rows('select leaver, urgent from muster.identity')).toEqual([{ leaver: true, urgent: true }])
})
