import { expect, test } from 'vitest'
import {
  createGiveWay,
  giveWayMemory,
  leaverArrivesMs,
  leaversComeMs,
  leaverTakesMs,
  patienceMs,
} from '../../../src/workers/give-way.ts'

/** A clock that only waits move, and that runs `meanwhile` in each. */
const standing = (meanwhile: (ms: number) => void = () => {}) => {
  let ms = 1_000
  return {
    clock: {
      now: () => BigInt(Math.round(ms * 1e6)),
      wait: async (by: number) => {
        ms += by
        meanwhile(ms - 1_000)
      },
    },
    go: (by: number) => {
      ms += by
    },
    passed: () => ms - 1_000,
  }
}

test('no leaver: bulk work goes at once', async () => {
  const { clock, passed } = standing()
  await createGiveWay(giveWayMemory(), clock).given()
  expect(passed()).toBe(0)
})

test('bulk work of one thread rests until the leaver of another is gone', async () => {
  const memory = giveWayMemory()
  let gone = () => {}
  const { clock, passed } = standing((ms) => ms >= 30 && gone())
  gone = createGiveWay(memory, clock).inHand()
  await createGiveWay(memory, clock).given()
  expect(passed()).toBe(30)
})

test('it rests for the last of several leavers, and each counts once', async () => {
  const memory = giveWayMemory()
  let goneTwo = () => {}
  const { clock, passed } = standing((ms) => ms >= 45 && goneTwo())
  const leavers = createGiveWay(memory, clock)
  const goneOne = leavers.inHand()
  goneTwo = leavers.inHand()
  goneOne()
  goneOne()
  await createGiveWay(memory, clock).given()
  expect(passed()).toBe(45)
})

test('one who arrives does not shorten the time of one who is in hand', async () => {
  const memory = giveWayMemory()
  const { clock, go, passed } = standing()
  const leavers = createGiveWay(memory, clock)
  leavers.inHand()
  leavers.arrives()
  go(leaverArrivesMs + 1)
  await createGiveWay(memory, clock).given()
  expect(passed()).toBe(leaverArrivesMs + 1 + patienceMs)
})

test('leavers without end slow bulk work down, and do not stop it', async () => {
  const memory = giveWayMemory()
  const { clock, passed } = standing(() => createGiveWay(memory, clock).arrives())
  createGiveWay(memory, clock).arrives()
  await createGiveWay(memory, clock).given()
  expect(passed()).toBe(patienceMs)
})

test('what a thread asked for that died runs out by itself', async () => {
  const memory = giveWayMemory()
  const { clock, go, passed } = standing()
  createGiveWay(memory, clock).inHand()
  go(leaverTakesMs)
  await createGiveWay(memory, clock).given()
  expect(passed()).toBe(leaverTakesMs)
})

test('a leaver announces others for a while', async () => {
  const memory = giveWayMemory()
  const { clock, go } = standing()
  const bulk = createGiveWay(memory, clock)
  expect(await bulk.given()).toBe(false)
  createGiveWay(memory, clock).inHand()()
  expect(await bulk.given()).toBe(true)
  go(leaversComeMs - 1)
  expect(await bulk.given()).toBe(true)
  go(1)
  expect(await bulk.given()).toBe(false)
})
