/** A mode change locks everybody and the target's row; who sees a leaver off locks both as well, in the same order. */
import { afterEach, expect, test } from 'vitest'
import { carryOut } from '../../../src/engine/provision.ts'
import { seeOff } from '../../../src/engine/see-off.ts'
import { setTargetMode } from '../../../src/engine/set-target-mode.ts'
import { createGates } from '../../support/faults.ts'
import { type House, openHouse, target } from '../../support/house.ts'
import { brokenLaws } from './laws.ts'
import { leaves, works } from './people.ts'

let house: House
afterEach(() => house.close())

const actor = { type: 'os-user', name: 'test', authenticated: false } as const

test('a mode is set while a leaver is evaluated and not yet past the guard: each waits for the other once, none is a victim', async () => {
  const gates = createGates()
  house = await openHouse({ settings: { pause: gates.pause } })
  const start = await house.now()
  for (const person of ['P-1', 'P-2']) await house.tell(works(person, start - 1000))
  await house.quiesce()
  await house.tell(leaves('P-1', await house.now()))
  await house.shift(5)
  const repeats = house.engine.db.counters.repeats

  const saved = gates.stopAt('evaluate:saved')
  const leaving = seeOff(house.engine)
  await saved.reached
  const setting = setTargetMode(house.engine, target, 'plan', actor)
  await house.waitingForALock()
  saved.open()
  const [seen, set] = await Promise.all([leaving, setting])

  expect(house.engine.db.counters.repeats).toBe(repeats)
  expect(set).toEqual({ kind: 'set', before: 'enforce', mode: 'plan' })
  // By the mode before, and seen: both are evaluated again under the new one.
  expect(seen.claims).toHaveLength(1)
  expect(
    await house.rows('select person_key from muster.identity where work_due_at <= muster.now() order by 1'),
  ).toEqual([{ person_key: 'P-1' }, { person_key: 'P-2' }])
  for (const claim of seen.claims) await carryOut(house.engine, claim, seen.begun)
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual([])
  expect(await brokenLaws(house)).toEqual([])
})

test('two set the same mode at once: one has set it, and it is audited once', async () => {
  house = await openHouse()
  const kinds: string[] = []
  const set = async () => void kinds.push((await setTargetMode(house.engine, target, 'observe', actor)).kind)
  // Both have read the mode before when the first may commit.
  const commit = await house.holdAudit([set, set])
  await commit()
  expect(kinds.sort()).toEqual(['set', 'unchanged'])
  expect(await house.rows(`select 1 from audit.entry where kind = 'target-mode-set'`)).toHaveLength(1)
})

test('a mode that it has already makes nobody due; of an unknown target nothing is set', async () => {
  house = await openHouse()
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  expect(await setTargetMode(house.engine, target, 'enforce', actor)).toEqual({ kind: 'unchanged', mode: 'enforce' })
  expect(await setTargetMode(house.engine, 'nowhere', 'plan', actor)).toEqual({
    kind: 'unknown-target',
    known: [target],
  })
  expect(await house.rows('select 1 from muster.identity where work_due_at <= muster.now()')).toEqual([])
})
