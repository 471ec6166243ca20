/** Late outcomes of a target that does not answer, or that nobody names any more: they hold up nothing else. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { accountOutOfSight, type Outcome, type RefusalReason } from '../../../src/domain/outcome.ts'
import { type Reobserving, reobserveDue } from '../../../src/engine/reobserve-due.ts'
import { sweep } from '../../../src/engine/sweep.ts'
import { type House, openHouse, secondTarget, target } from '../../support/house.ts'
import { findingsOf } from './behind-our-back.ts'
import { works } from './people.ts'

let house: House
/** What the first target is asked, one promise a call; until they are opened it says nothing. */
let asked: PromiseWithResolvers<void>[] = []
let isSilent = false
/** What the first target tells of the next that are read, one after the other. */
let told: Outcome[] = []

beforeEach(async () => {
  asked = []
  isSilent = false
  told = []
  house = await openHouse({
    connector: (real) => ({
      ...real,
      observe: async (operations, observing) => {
        const next = told.shift()
        if (next !== undefined) return operations.map(() => next)
        if (!isSilent) return real.observe(operations, observing)
        const answer = Promise.withResolvers<void>()
        asked.push(answer)
        await answer.promise
        return operations.map(() => ({ kind: 'unknown', cause: { code: '', word: 'no-answer', elsewhere: true } }))
      },
    }),
    second: (real) => real,
  })
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
})
afterEach(() => house.close())

/** Outcomes of P-1's that were rejected, one dispatch each, the lowest number first; read so often that each next read is half a minute off. */
const late = (of: string, from: number, count: number) =>
  house.rows(
    `insert into muster.reobservation (dispatch_id, target, lane, actions, recorded_at, next_at, tries)
      select n, $1, 'leaver', jsonb_build_array(jsonb_build_object('id', n, 'identity_id', i.id, 'subject_ref', i.subject_ref, 'kind', 'disable',
        'entitlement_id', null, 'decision_id', n, 'attempts', 1, 'account_id', a.id, 'account_native', a.native_id, 'profile', null)),
        muster.now(), muster.now() - make_interval(days => 1) + make_interval(secs => n), 5
      from generate_series($2::int, $3::int) n, muster.identity i join muster.account a on a.identity_id = i.id where a.target = $4`,
    of,
    from,
    from + count - 1,
    of === 'gone' ? target : of,
  )
const left = async () =>
  (await house.rows<{ id: number }>('select dispatch_id as id from muster.reobservation order by dispatch_id')).map(
    ({ id }) => id,
  )
const due = async () =>
  (
    await house.rows<{ id: number }>(
      'select dispatch_id as id from muster.reobservation where next_at <= muster.now() order by 1',
    )
  ).map(({ id }) => id)

test('one that says nothing is asked once, and neither the turn nor another target waits for it', async () => {
  await late(target, 1, 60)
  await late(secondTarget, 101, 3)
  isSilent = true
  const reading: Reobserving = new Map()
  await sweep(house.engine, reading)
  await expect.poll(left).not.toContain(103)
  await expect.poll(() => asked.length).toBe(1)
  await reading.get(secondTarget)
  expect([[...reading.keys()], (await left()).at(-1)]).toEqual([[target], 60])
  // The next turn does not ask it again; another process takes the next one.
  await sweep(house.engine, reading)
  expect(asked).toHaveLength(1)
  const elsewhere: Reobserving = new Map()
  await reobserveDue(house.engine, elsewhere)
  await expect.poll(() => asked.length).toBe(2)
  const both = [reading.get(target), elsewhere.get(target)]
  for (const { resolve } of asked) resolve()
  await Promise.all(both)
  // It told nothing: the rest goes first in the next turn.
  expect(asked).toHaveLength(2)
  expect(await due()).toEqual((await left()).slice(2))
  expect([reading.size, elsewhere.size]).toEqual([0, 0])
  isSilent = false
  await house.sweep()
  expect(await left()).toHaveLength(10)
})

test('accounts of which nothing can be told stop no other, and where Muster may not look it looks seldom; who lets nobody in is asked once', async () => {
  const refused = (reason: RefusalReason, word: string): Outcome => ({
    kind: 'refused',
    reason,
    cause: { code: '50', word },
  })
  await late(target, 1, 21)
  await house.rows('update muster.reobservation set tries = 12 where dispatch_id < 21')
  told = Array.from({ length: 20 }, (_, n) =>
    n < 10 ? refused('not-allowed', 'not-allowed') : refused('configuration', accountOutOfSight),
  )
  await house.sweep()
  expect(await left()).toEqual(Array.from({ length: 20 }, (_, n) => n + 1))
  const rests = await house.rows<{ s: number }>(
    'select round(extract(epoch from next_at - muster.now()) / 30)::int * 30 as s from muster.reobservation order by dispatch_id',
  )
  expect(rests.map(({ s }) => s)).toEqual(Array.from({ length: 20 }, (_, n) => (n < 10 ? 30 : 900)))
  await house.shift(1_000_000)
  for (const silence of [
    refused('credential', 'bind-refused'),
    { kind: 'throttled', retryAfterMs: 1_000, scope: 'corp' },
  ] as const) {
    told = [silence, silence]
    await house.sweep()
    expect(told).toHaveLength(1)
  }
})

test('of a target that muster.yaml does not name any more they are told, read by nobody, and stop no other', async () => {
  await late('gone', 1, 2)
  await late(secondTarget, 101, 1)
  await house.sweep()
  expect(
    await house.rows(
      'select dispatch_id as id, tries, next_at > muster.now() as later from muster.reobservation order by 1',
    ),
  ).toEqual([
    { id: 1, tries: 6, later: true },
    { id: 2, tries: 6, later: true },
  ])
  expect(await findingsOf(house)).toEqual(['late-outcome-unread!', 'late-outcome-unread!'])
})
