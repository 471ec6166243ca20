import { expect, test } from 'vitest'
import { keepFromOthers, occupyPolicy } from '../../../../src/connectors/aws/policy-place.ts'
import { createLocalBudget, createLocalStore } from '../../../../src/connectors/local-budget.ts'

const arn = 'arn:aws:sso:::permissionSet/ssoins-0123456789abcdef/ps-0123456789abcdef'
const one = { arn, userIds: ['one'] }
const other = { arn, userIds: ['other'] }
const both = { arn, userIds: ['one', 'other'] }

const house = () => {
  const clock = { now: 0 }
  const budget = createLocalBudget(createLocalStore(), 'leaver', () => clock.now)
  const enter = async (policy: typeof one) => {
    const place = await occupyPolicy(budget, policy, 60_000)
    return place.ok ? place.id : null
  }
  const lose = async (policy: typeof one) => {
    const place = await enter(policy)
    await keepFromOthers(budget, policy)
    await budget.vacate(place ?? '')
    return place
  }
  return { clock, budget, enter, lose }
}

test('one writes at a time, also of those who come again', async () => {
  const { enter, lose, budget } = house()
  const first = await enter(one)
  expect([await enter(one), await enter(other)]).toEqual([null, null])
  await budget.vacate(first ?? '')
  await lose(one)
  const again = await enter(one)
  expect(again).not.toBeNull()
  expect([await enter(one), await enter(other)]).toEqual([null, null])
  await budget.vacate(again ?? '')
  expect(await enter(one)).not.toBeNull()
})

test('what was given up keeps the others away for half a minute from the last of it, and from no other policy', async () => {
  const { clock, enter, lose } = house()
  expect(await lose(one)).not.toBeNull()
  clock.now = 20_000
  expect(await enter(other)).toBeNull()
  expect(await lose(one)).not.toBeNull()
  clock.now = 49_999
  expect(await enter(other)).toBeNull()
  expect(await enter({ ...other, arn: `${arn}0` })).not.toBeNull()
  clock.now = 50_000
  expect(await enter(other)).not.toBeNull()
})

test('a part of those whose writing may arrive waits as the others do: its own, lost too, would take the rest away', async () => {
  const { clock, enter, lose } = house()
  await lose(both)
  expect([await enter(one), await enter(other)]).toEqual([null, null])
  expect(await lose({ arn, userIds: ['other', 'one'] })).not.toBeNull()
  clock.now = 30_000
  expect(await enter(one)).not.toBeNull()
})

test('whoever asked in vain leaves nothing behind, and no name of a place tells who somebody is', async () => {
  const { budget, enter, lose } = house()
  const names: string[] = []
  const watched = {
    ...budget,
    occupy: async (...asked: Parameters<typeof budget.occupy>) => {
      names.push(...asked[0].map(({ name }) => name))
      return budget.occupy(...asked)
    },
  }
  await lose(one)
  await occupyPolicy(watched, other, 60_000)
  await keepFromOthers(watched, { arn, userIds: ['somebody'] })
  expect(names.join()).not.toMatch(/other|somebody/)
  expect(await enter(other)).toBeNull()
  // Nor do two who ask at once take each other for what was given up.
  expect(await Promise.all([enter(other), enter(other)])).toEqual([null, null])
})
