/** Bulk work begins no piece while a leaver is in hand; leavers never wait for it. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { dispatch } from '../../../src/engine/dispatch.ts'
import { evaluate } from '../../../src/engine/evaluate.ts'
import { carryOut, provision } from '../../../src/engine/provision.ts'
import { seeOff } from '../../../src/engine/see-off.ts'
import { type House, openHouse } from '../../support/house.ts'
import { until } from '../../support/until.ts'
import { brokenLaws } from './laws.ts'
import { leaves, works } from './people.ts'

let house: House
/** What resolves for the piece of bulk work that asked last, and how many have asked. */
let go: () => void
let asked: number
let closed: boolean
beforeEach(async () => {
  asked = 0
  closed = false
  go = () => {}
  const giveWay = () => {
    asked++
    return closed ? new Promise<void>((resolve) => void (go = resolve)) : Promise.resolve()
  }
  house = await openHouse({ settings: { giveWay } })
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
})
afterEach(() => house.close())

const statesOf = async (person: string) =>
  (
    await house.rows<{ state: string }>(
      `select distinct a.state::text from muster.action a join muster.identity i on i.id = a.identity_id where i.person_key = $1`,
      person,
    )
  ).map(({ state }) => state)

test('each piece of bulk work asks first, and does nothing until it may; a leaver goes meanwhile', async () => {
  const { engine } = house
  closed = true
  await house.tell(works('P-2', (await house.now()) - 1000))
  await house.tell(leaves('P-1', await house.now()))
  await house.shift(5)

  const evaluating = evaluate(engine, 'bulk')
  const before = asked
  const seen = await seeOff(engine)
  for (const claim of seen.claims) await carryOut(engine, claim, seen.begun)
  expect(await house.groupsOf('P-1')).toEqual([])
  expect(await house.account('P-1')).toMatchObject({ locked: true })
  expect(asked).toBe(before)
  expect(await statesOf('P-2')).toEqual([])
  go()
  await evaluating
  expect(await statesOf('P-2')).toEqual(['ready'])

  await house.shift(2_000)
  const asking = asked
  let made0 = false
  const dispatching = dispatch(engine, 'bulk').finally(() => {
    made0 = true
  })
  await until(() => asked > asking || made0)
  expect(await statesOf('P-2')).toEqual(['ready'])
  go()
  const [made] = await dispatching
  expect(await statesOf('P-2')).toContain('dispatched')

  const askingAgain = asked
  const provisioning = provision(engine, made?.id ?? 0)
  await until(() => asked > askingAgain)
  expect(await house.account('P-2')).not.toBeNull()
  expect(await statesOf('P-2')).not.toContain('done')
  closed = false
  go()
  await provisioning
  await house.quiesce()
  expect(await house.groupsOf('P-2')).not.toEqual([])
  expect(await brokenLaws(house)).toEqual([])
})
