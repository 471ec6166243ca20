/** Time on the one clock: what is to come, what passes by itself, what was said late, and what was believed when. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type House, openHouse } from '../../support/house.ts'
import { brokenLaws } from './laws.ts'
import { approverJob, approving, leaves, lending, works } from './people.ts'

let house: House
beforeEach(async () => {
  house = await openHouse()
})
afterEach(() => house.close())

const hour = 3_600_000
const day = 24 * hour

/** Keys that were wanted at a moment of valid time, as believed at a moment of recorded time. */
const desired = async (person: string, at: number, known: number) =>
  (
    await house.rows<{ key: string }>(
      `select e.key from muster.desired d join muster.identity i on i.id = d.identity_id, jsonb_array_elements(d.assignments) x
       join muster.entitlement e on e.id = (x->>'e')::int
       where i.person_key = $1 and d.recorded_from <= to_timestamp($3::float8 / 1000) and d.recorded_to > to_timestamp($3::float8 / 1000)
         and (x->>'from')::bigint <= $2 and (x->'to' = 'null' or (x->>'to')::bigint > $2) order by 1`,
      person,
      at,
      known,
    )
  ).map(({ key }) => key)

test('a future-dated join does nothing before its moment, not even an account; then everything', async () => {
  const start = await house.now()
  await house.tell(works('P-1', start + day))
  await house.quiesce()
  expect(await house.account('P-1')).toBeNull()
  await house.shift(day - hour)
  await house.quiesce()
  expect(await house.account('P-1')).toBeNull()
  await house.shift(hour)
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(lending)
  expect(await brokenLaws(house)).toEqual([])
})

test('the last day of work passes without any further event: access ends then', async () => {
  const start = await house.now()
  await house.tell({ ...works('P-1', start - 1000), lastDayEndsAt: start + day })
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(lending)
  await house.shift(day - hour)
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(lending)
  await house.shift(hour)
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
  expect(await house.account('P-1')).toMatchObject({ locked: true })
  // In the leavers' lane, and urgent to nobody but the clock.
  const lanes = await house.rows<{ lane: string }>(
    `select distinct lane::text from muster.action where kind in ('revoke', 'disable')`,
  )
  expect(lanes).toEqual([{ lane: 'leaver' }])
  expect(await brokenLaws(house)).toEqual([])
})

test('midnight passes while nothing runs: joins, moves and leaves of that moment are done at the start', async () => {
  const start = await house.now()
  const midnight = start + 12 * hour
  await house.tell(works('P-1', start - 1000))
  await house.tell(works('P-2', start - 1000))
  await house.quiesce()
  await house.tell(leaves('P-1', midnight))
  await house.tell(works('P-2', midnight, approverJob))
  await house.tell(works('P-3', midnight))
  await house.quiesce()
  // A grant that was sent before the outage and belongs to the day that ends.
  await house.shift(day)
  await house.recover()
  expect(await house.groupsOf('P-1')).toEqual([])
  expect(await house.groupsOf('P-2')).toEqual(approving)
  expect(await house.groupsOf('P-3')).toEqual(lending)
  expect(await brokenLaws(house)).toEqual([])
})

test('an assignment that ended during the outage is not granted after it, though its action was ready', async () => {
  const start = await house.now()
  await house.tell({ ...works('P-1', start - 1000), lastDayEndsAt: start + 12 * hour })
  await house.evaluateAll()
  await house.shift(600)
  const refs = await house.dispatchAll()
  await house.shift(day)
  for (const { id } of refs) await house.provision(id)
  expect(await house.account('P-1')).toBeNull()
  await house.quiesce()
  expect(await house.account('P-1')).toBeNull()
})

test('several changes to come, each at its own moment, told in any order', async () => {
  const start = await house.now()
  await house.tell(leaves('P-1', start + 3 * day))
  await house.tell({ ...works('P-1', start + 2 * day), status: 'leave', attributes: approverJob })
  await house.tell(works('P-1', start - 1000))
  await house.tell(works('P-1', start + day, approverJob))
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(lending)
  await house.shift(day)
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(approving)
  expect(await house.account('P-1')).toMatchObject({ locked: false })
  await house.shift(day)
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(approving)
  expect(await house.account('P-1')).toMatchObject({ locked: true })
  await house.shift(day)
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
  expect(await brokenLaws(house)).toEqual([])
})

test('a backdated correction changes what is believed about the past, and both beliefs stay', async () => {
  const start = await house.now()
  await house.tell({ ...works('P-1', start - day), id: 'first' })
  await house.quiesce()
  const before = await house.now()
  await house.shift(hour)
  // HR: since twelve hours ago it was the other job.
  await house.tell(works('P-1', start - 12 * hour, approverJob))
  await house.quiesce()
  const after = await house.now()
  expect(await desired('P-1', start - 6 * hour, before)).toEqual(lending)
  expect(await desired('P-1', start - 6 * hour, after)).toEqual(approving)
  expect(await desired('P-1', start - 18 * hour, before)).toEqual(lending)
  expect(await desired('P-1', start - 18 * hour, after)).toEqual(lending)
  // And HR takes the first assertion back: it never was so.
  await house.tell({ ...works('P-1', start - day), action: 'rescind', supersedes: 'first' })
  await house.quiesce()
  expect(await desired('P-1', start - 18 * hour, await house.now())).toEqual([])
  expect(await desired('P-1', start - 18 * hour, after)).toEqual(lending)
  expect(await house.groupsOf('P-1')).toEqual(approving)
  expect(await brokenLaws(house)).toEqual([])
})

test('a leave that HR takes back restores the access, in the directory and in what is believed', async () => {
  const start = await house.now()
  await house.tell(works('P-1', start - day))
  await house.quiesce()
  await house.tell({ ...leaves('P-1', start - hour), id: 'wrong' })
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
  const wrong = await house.now()
  await house.shift(1000)
  await house.tell({ ...works('P-1', start), action: 'rescind', supersedes: 'wrong' })
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(lending)
  expect(await house.account('P-1')).toMatchObject({ locked: false })
  expect(await desired('P-1', start, wrong)).toEqual([])
  expect(await desired('P-1', start, await house.now())).toEqual(lending)
  expect(await brokenLaws(house)).toEqual([])
})
