import { afterAll, beforeAll, expect, test } from 'vitest'
import { type House, openHouse } from '../support/house.ts'

let house: House
beforeAll(async () => {
  house = await openHouse()
})
afterAll(() => house.close())

test('joins, moves in the right order, leaves: verified in the directory', async () => {
  const start = await house.now()
  await house.tell({
    person: 'P-1',
    effectiveAt: start - 1000,
    attributes: { jobCode: 'RM', department: 'LENDING', country: 'IN' },
  })
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(expect.arrayContaining(['CBS_ViewOnly', 'CBS_LoanEntry']))

  await house.tell({
    person: 'P-1',
    effectiveAt: start,
    attributes: { jobCode: 'CA', department: 'LENDING', country: 'IN' },
  })
  await house.quiesce()
  const groups = await house.groupsOf('P-1')
  expect(groups).toContain('CBS_LoanApprove')
  expect(groups).not.toContain('CBS_LoanEntry')

  await house.tell({ person: 'P-1', effectiveAt: start + 1, status: 'terminated' })
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
  expect((await house.account('P-1'))?.locked).toBe(true)
})
