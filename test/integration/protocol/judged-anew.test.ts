/** Somebody is judged again and nothing is new: the plan changes nothing, bumps nothing and sends nothing. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type House, openHouse } from '../../support/house.ts'
import { approverJob, leaves, works } from './people.ts'

let house: House
beforeEach(async () => {
  house = await openHouse()
})
afterEach(() => house.close())

const rescinds = (start: number) => [
  { ...works('P-1', start - 1000), id: 'hired' },
  { ...works('P-1', start - 1000), action: 'rescind' as const, supersedes: 'hired' },
]

test.each([
  ['works', (start: number) => [works('P-1', start - 1000)]],
  [
    'is on leave',
    (start: number) => [works('P-1', start - 1000), { ...works('P-1', start), status: 'leave' as const }],
  ],
  [
    'is held',
    (start: number) => [works('P-1', start - 1000), { ...works('P-1', start, approverJob), employment: 'second' }],
  ],
  ['left', (start: number) => [works('P-1', start - 1000), leaves('P-1', start)]],
  [
    'was dismissed at once',
    (start: number) => [works('P-1', start - 1000), leaves('P-1', start + 86_400_000, { urgency: 'immediate' })],
  ],
  ['was never hired after all', rescinds],
] as const)('who %s', async (_, events) => {
  const start = await house.now()
  for (const event of events(start)) {
    await house.tell(event)
    await house.quiesce()
  }
  const state = () =>
    house.rows(`select (select count(*) from muster.action) as actions, (select count(*) from audit.entry) as entries, plan_version, ended_at
      from muster.identity`)
  const before = await state()
  await house.shift(3_600_000)
  await house.rows('update muster.identity set work_due_at = muster.now()')
  await house.quiesce()
  expect(await state()).toEqual(before)
})

test.each([
  ['left', (start: number) => [works('P-1', start - 1000), leaves('P-1', start)]],
  ['was never hired after all', rescinds],
] as const)(
  'whatever HR says later of somebody who %s is no news of it: nobody is shut or counted again',
  async (_, events) => {
    const start = await house.now()
    for (const event of events(start)) {
      await house.tell(event)
      await house.quiesce()
    }
    const state = () =>
      house.rows(
        'select (select count(*) from muster.action) as actions, (select count(*) from muster.dispatch) as dispatches, leaver from muster.identity',
      )
    const before = await state()
    for (const employment of ['P-1-1', 'second']) {
      await house.shift(3_600_000)
      await house.tell(leaves('P-1', start, { employment, attributes: { department: 'ELSEWHERE' } }))
      await house.quiesce()
    }
    expect(await state()).toEqual(before)
  },
)

test('whoever was back in between has left anew: what they were let into meanwhile is read and taken away', async () => {
  const start = await house.now()
  const away = { ...works('P-1', start + 1), status: 'leave' as const }
  for (const event of [works('P-1', start - 1000), leaves('P-1', start), { ...away, id: 'back' }]) {
    await house.tell(event)
    await house.quiesce()
  }
  await house.addMember('P-1', 'Staff_Vpn')
  await house.tell({ ...away, action: 'rescind', supersedes: 'back' })
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
})
