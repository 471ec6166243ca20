/** The schedule of reconciliation, where a target does not answer, and where it answers again. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { answering } from '../../../src/connectors/answering.ts'
import { type Listing, reconcileDue } from '../../../src/engine/reconcile-due.ts'
import { openFinding } from '../../../src/store/findings.ts'
import { type House, openHouse, target } from '../../support/house.ts'
import { findingsOf } from './behind-our-back.ts'
import { works } from './people.ts'

let house: House
let ending: AbortController
beforeEach(() => {
  ending = new AbortController()
})
afterEach(async () => {
  vi.restoreAllMocks()
  ending.abort()
  await house.close()
})

test('a target whose list never ends is listed again, or told: days without a reconciliation are not silent', async () => {
  let asked = 0
  house = await openHouse({
    connector: (real) =>
      answering({
        ...real,
        membersOf: async function* () {
          asked += 1
          await new Promise<never>(() => {})
        },
      }),
  })
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()
  // Whatever patience a listing has, it is over as soon as it was asked.
  const patience = new AbortController()
  vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => patience.signal)
  const listing: Listing = new Map()
  await reconcileDue(house.engine, listing, ending.signal)
  await expect.poll(() => asked).toBe(1)
  patience.abort()
  await expect
    .poll(async () => {
      await house.shift(86_400_000)
      await reconcileDue(house.engine, listing, ending.signal)
      await house.sweep()
      return asked > 1 || (await findingsOf(house)).length > 0
    })
    .toBe(true)
})

test.each(['target-away', 'credential-refused'])(
  'a target that is back is listed now and not in an hour, and not each time that it comes and goes: %s',
  async (kind) => {
    house = await openHouse()
    const listing: Listing = new Map()
    const isListed = async () => {
      await reconcileDue(house.engine, listing, ending.signal)
      const begun = listing.has(target)
      await Promise.all(listing.values())
      return begun
    }
    const incident = async () => {
      await openFinding(house.engine.db, { kind, key: target, urgent: false, identityId: null, detail: { target } })
      await house.shift(121_000)
      await house.sweep()
      expect(await findingsOf(house)).not.toContain(kind)
    }
    expect(await isListed()).toBe(true)
    await house.shift(900_000)
    expect(await isListed()).toBe(false)
    await incident()
    expect(await isListed()).toBe(true)
    await incident()
    expect(await isListed()).toBe(false)
    await house.shift(600_000)
    expect(await isListed()).toBe(true)
    await house.shift(600_000)
    expect(await isListed()).toBe(false)
  },
)

test('what takes long is not listed by another process beside it, nor right after it; who died in it holds nobody up', async () => {
  let gate = Promise.withResolvers<void>()
  house = await openHouse({
    connector: (real) => ({
      ...real,
      membersOf: async function* (...asked) {
        await gate.promise
        yield* real.membersOf(...asked)
      },
    }),
  })
  const [one, other]: [Listing, Listing] = [new Map(), new Map()]
  const begins = async (listing: Listing) => {
    const before = listing.size
    await reconcileDue(house.engine, listing, ending.signal)
    return listing.size > before
  }
  expect(await begins(one)).toBe(true)
  await openFinding(house.engine.db, { kind: 'target-away', key: target, urgent: false, identityId: null, detail: {} })
  await house.sweep()
  expect(await findingsOf(house)).toEqual([])
  for (let minutes = 0; minutes < 16; minutes += 8) {
    await house.shift(480_000)
    expect(await begins(one)).toBe(false)
    expect(await begins(other)).toBe(false)
  }
  gate.resolve()
  await Promise.all(one.values())
  expect(await begins(other)).toBe(false)
  gate = Promise.withResolvers<void>()
  await house.shift(600_000)
  expect(await begins(other)).toBe(true)
  // It says no more that it is at it.
  await house.shift(3_600_000)
  expect(await begins(one)).toBe(true)
  gate.resolve()
  await Promise.all([...one.values(), ...other.values()])
})
