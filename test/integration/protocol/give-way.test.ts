/** Bulk work begins no piece while a leaver is in hand; leavers never wait for it. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { dispatch } from '../../../src/engine/dispatch.ts'
import { evaluate } from '../../../src/engine/evaluate.ts'
import { carryOut, provision } from '../../../src/engine/provision.ts'
import { seeOff } from '../../../src/engine/see-off.ts'
import type { Transaction } from '../../../src/store/database.ts'
import { type House, openHouse } from '../../support/house.ts'
import { until } from '../../support/until.ts'
import { brokenLaws } from './laws.ts'
import { leaves, works } from './people.ts'

let house: House
/** What resolves for the piece of bulk work that asked last, and how many have asked. */
let go: () => void
let asked: number
let closed: boolean
let leaversCome: boolean
beforeEach(async () => {
  asked = 0
  closed = false
  leaversCome = false
  go = () => {}
  const giveWay = async () => {
    asked++
    if (closed) await new Promise<void>((resolve) => void (go = resolve))
    return leaversCome
  }
  house = await openHouse({ settings: { giveWay, evaluateBatch: 10 } })
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

test('while leavers come and go, what bulk work begins is small', async () => {
  const { engine } = house
  for (let n = 0; n < 12; n++) await house.tell(works(`P-1${n}`, (await house.now()) - 1000))
  leaversCome = true
  expect(await evaluate(engine, 'bulk')).toEqual({ evaluated: 5, more: true })
  leaversCome = false
  expect(await evaluate(engine, 'bulk')).toEqual({ evaluated: 7, more: false })
  const looked: unknown[] = []
  const watched = {
    ...engine,
    db: {
      ...engine.db,
      transaction: <T>(work: (tx: Transaction) => Promise<T>) =>
        engine.db.transaction((tx) =>
          work({
            ...tx,
            query: (statement) => {
              looked.push(/limit (\d+) for update of a skip locked/.exec(statement.text)?.[1])
              return tx.query(statement)
            },
          }),
        ),
    },
  }
  await dispatch(watched, 'bulk')
  leaversCome = true
  await dispatch(watched, 'bulk')
  expect(looked.filter((most) => most !== undefined)).toEqual(['20000', '6000'])
})
