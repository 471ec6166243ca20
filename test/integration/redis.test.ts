import { connect } from 'node:net'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Stack } from '../../scripts/stack/stack.ts'
import { createApp } from '../../src/app.ts'
import { openRunningHouse, type RunningHouse } from '../support/running-house.ts'
import { privateStack } from '../support/stack.ts'
import { until } from '../support/until.ts'

let stack: Stack
let running: RunningHouse | undefined
beforeEach(async () => {
  stack = await privateStack(['redis'])
})
afterEach(async () => {
  await running?.close()
  running = undefined
  await stack.stop({ discard: true })
})

const open = async (start = true, spreadLeavers = true) => {
  running = await openRunningHouse({ start, spreadLeavers, env: { MUSTER_REDIS_URL: stack.redisUrl } })
  return running
}
const rm = { jobCode: 'RM', department: 'LENDING', country: 'IN' }

const join = async ({ house }: RunningHouse, person: string) =>
  house.tell({ person, effectiveAt: (await house.now()) - 1000, attributes: rm })
const leave = async ({ house }: RunningHouse, person: string) =>
  house.tell({ person, effectiveAt: await house.now(), status: 'terminated' })
const has = async ({ house }: RunningHouse, person: string) => (await house.groupsOf(person)).includes('CBS_LoanEntry')
const isGone = async ({ house }: RunningHouse, person: string) =>
  (await house.account(person))?.locked === true && (await house.groupsOf(person)).length === 0

const ways = [
  ['around the queue', true],
  ['without a queue', false],
] as const

test.each(ways)(
  'with Redis down from the start leavers go all the same (%s), and joiners go when it comes',
  async (_way, spread) => {
    const mine = await open(false, spread)
    await join(mine, 'P-1')
    await mine.house.quiesce()
    expect(await has(mine, 'P-1')).toBe(true)
    await stack.part('redis').kill('SIGKILL')
    await Promise.all([mine.bulk.start(), mine.leaver.start()])
    await leave(mine, 'P-1')
    await until(() => isGone(mine, 'P-1'))

    await join(mine, 'P-2')
    // The joiner's dispatch stands in the database and nowhere else.
    await until(
      async () =>
        (await mine.house.rows(`select 1 from muster.dispatch where lane = 'bulk' and state = 'queued'`)).length > 0,
    )
    expect(await mine.house.account('P-2')).toBeNull()
    await stack.part('redis').restart()
    await until(() => has(mine, 'P-2'))
  },
)

test('Redis that dies or hangs under way delays joiners and never a leaver; back again, all goes on by itself', async () => {
  const mine = await open()
  await join(mine, 'P-1')
  await join(mine, 'P-2')
  await until(async () => (await has(mine, 'P-1')) && (await has(mine, 'P-2')))

  await stack.part('redis').kill('SIGSTOP')
  await leave(mine, 'P-1')
  await until(() => isGone(mine, 'P-1'))
  await stack.part('redis').kill('SIGCONT')

  await stack.part('redis').kill('SIGKILL')
  await leave(mine, 'P-2')
  await until(() => isGone(mine, 'P-2'))
  await join(mine, 'P-3')
  await stack.part('redis').restart()
  await until(() => has(mine, 'P-3'))
})

test('FLUSHALL loses nothing: the sweeper puts what was queued on the queue again', async () => {
  const mine = await open(false)
  const noWorker = await createApp(mine.config, { roles: ['evaluate', 'dispatch'], lanes: ['bulk'] })
  const redis = new Redis(stack.redisUrl)
  try {
    await noWorker.start()
    await join(mine, 'P-1')
    await until(async () => (await redis.keys('*:wait')).length > 0)
    await redis.flushall()
  } finally {
    redis.disconnect()
    await noWorker.stop()
  }
  await mine.house.shift(61_000)
  await Promise.all([mine.bulk.start(), mine.leaver.start()])
  await until(() => has(mine, 'P-1'))
  const [row] = await mine.house.rows<{ n: number }>('select max(queue_no) as n from muster.dispatch')
  expect(row?.n).toBe(2)
})

test('nothing about anybody is in Redis, whatever is on the queues', async () => {
  const mine = await open()
  // A bare socket: ioredis 6 stumbles over what MONITOR says.
  let seen = ''
  const { hostname, port } = new URL(stack.redisUrl)
  const monitor = connect(Number(port), hostname)
  monitor.setEncoding('utf8').on('data', (text: string) => {
    seen += text
  })
  monitor.write('MONITOR\r\n')
  await mine.house.tell({
    person: 'P-CANARY-1',
    effectiveAt: (await mine.house.now()) - 1000,
    attributes: { ...rm, givenName: 'Canaria', familyName: 'Canarisdottir', username: 'canary.c' },
  })
  await until(() => has(mine, 'P-CANARY-1'))
  await leave(mine, 'P-CANARY-1')
  await until(() => isGone(mine, 'P-CANARY-1'))
  monitor.destroy()
  expect(seen).toMatch(/"dispatch"/)
  expect(seen).not.toMatch(/canar/i)
})
