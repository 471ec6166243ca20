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
