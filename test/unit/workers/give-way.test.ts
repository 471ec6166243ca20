import { expect, test } from 'vitest'
import { createGiveWay, giveWayMemory, patienceMs } from '../../../src/workers/give-way.ts'

/** A clock that stands still but for waits, and runs `meanwhile` in each. */
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
    passed: () => ms - 1_000,
  }
}

test('nobody asks: bulk work goes at once', async () => {
  const { clock, passed } = standing()
  await createGiveWay(giveWayMemory(), clock).given()
  expect(passed()).toBe(0)
})

test('bulk work of one thread rests until a leaver of another is gone', async () => {
  const memory = giveWayMemory()
  const leavers = createGiveWay(memory, standing().clock)
  const { clock, passed } = standing((ms) => ms >= 30 && leavers.over())
  leavers.ask(200)
  await createGiveWay(memory, clock).given()
  expect(passed()).toBe(30)
})

test('a leaver that never ends slows bulk work down, and does not stop it', async () => {
  const memory = giveWayMemory()
  const { clock, passed } = standing(() => createGiveWay(memory, clock).ask(200))
  createGiveWay(memory, clock).ask(200)
  await createGiveWay(memory, clock).given()
  expect(passed()).toBe(patienceMs)
})

test('what was asked by a thread that died runs out by itself', async () => {
  const memory = giveWayMemory()
  const { clock, passed } = standing()
  createGiveWay(memory, clock).ask(12)
  await createGiveWay(memory, clock).given()
  expect(passed()).toBe(12)
})
