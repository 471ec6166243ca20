/** Crashes, rebalances and outages: every offset ends in exactly one row, whatever happens in between (law L5). */
import { afterEach, expect, test } from 'vitest'
import type { Stack } from '../../scripts/stack/stack.ts'
import { startConsumer } from '../../src/consumers/hr-events.ts'
import { plainConnection } from '../../src/consumers/kafka-client.ts'
import { databaseIn, privateStack } from '../support/stack.ts'
import { terminated, workerEvent } from '../support/worker-events.ts'
import { message, openWorld, type World } from './ingest-world.ts'

let world: World
let stack: Stack | undefined
afterEach(async () => {
  await world.close()
  await stack?.stop({ discard: true })
  stack = undefined
})

const joiners = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => message(`P-${from + i}`, workerEvent(`P-${from + i}`, `e${from + i}`)))

/** As many rows as messages, offsets without holes, one event seen per identity. */
const expectExactly = async (count: number) => {
  const partitions = await world.rows<{ rows: number; first: number; last: number; next: number; accepted: number }>(
    `select count(*) as rows, min(b."offset") as first, max(b."offset") as last, s.next_offset as next, count(*) filter (where status = 'accepted') as accepted
     from muster.stream s join muster.inbox b on b.stream_id = s.id group by s.id, s.next_offset`,
  )
  for (const { rows, first, last, next } of partitions) expect([first, last, next]).toEqual([0, rows - 1, rows])
  expect(partitions.reduce((sum, { rows }) => sum + rows, 0)).toBe(count)
  expect(partitions.reduce((sum, { accepted }) => sum + accepted, 0)).toBe(count)
  expect(await world.rows('select count(*) as people, sum(events_seen)::int as events from muster.identity')).toEqual([
    { people: count, events: count },
  ])
  expect(await world.findings()).toEqual([])
}

const setGroupOffsets = (offset: string) =>
  world.withAdmin((client) =>
    client.setOffsets({ groupId: `g-${world.topic}`, topic: world.topic, partitions: [{ partition: 0, offset }] }),
  )

test('the group forgot our offsets (crash before the commit, a lost group): nothing is doubled', async () => {
  world = await openWorld()
  await world.send(joiners(0, 300))
  const first = await world.start()
  await world.untilInbox(300)
  await first.stop()
  await setGroupOffsets('120')
  await world.send(joiners(300, 310))
  await world.start()
  await world.untilInbox(310)
  await expectExactly(310)
})

test('the group is ahead of us (a database restored from yesterday): nothing is skipped', async () => {
  world = await openWorld()
  await world.send(joiners(0, 100))
  await setGroupOffsets('90')
  await world.start()
  await world.untilInbox(100)
  await expectExactly(100)
})

test('two instances come and go while events flow', async () => {
  world = await openWorld({ partitions: 4 })
  const total = 6_000
  await world.send(joiners(0, 2_000))
  const first = await world.start()
  const sending = (async () => {
    for (let from = 2_000; from < total; from += 500) await world.send(joiners(from, from + 500))
  })()
  await world.untilInbox(200)
  const second = await world.start()
  await world.untilInbox(2_500)
  await first.stop()
  await world.untilInbox(4_000)
  await world.start()
  await sending
  await world.untilInbox(total)
  await second.stop()
  await expectExactly(total)
  expect(world.fatal).toEqual([])
})

test('a zombie writes what it fetched before somebody else was faster', async () => {
  world = await openWorld()
  await world.send(joiners(0, 1_000))
  // Two groups of one member each: both are given the partition, as a member that was thrown out believes it still is.
  await Promise.all([world.start(), world.start({ groupId: `h-${world.topic}` })])
  await world.untilInbox(1_000)
  await world.send(joiners(1_000, 1_500))
  await world.untilInbox(1_500)
  await expectExactly(1_500)
})

test('the broker is killed and comes back', async () => {
  stack = await privateStack(['kafka', 'postgres'])
  world = await openWorld({ partitions: 2, brokers: stack.kafkaBrokers, database: await databaseIn(stack) })
  await world.send(joiners(0, 500))
  await world.start()
  await world.untilInbox(500)
  await stack.part('kafka').kill('SIGKILL')
  await stack.part('kafka').restart()
  await world.send(joiners(500, 1_000))
  await world.untilInbox(1_000)
  await expectExactly(1_000)
  expect(world.fatal).toEqual([])
})

test('the database goes away in the middle and comes back', async () => {
  stack = await privateStack(['kafka', 'postgres'])
  world = await openWorld({ partitions: 2, brokers: stack.kafkaBrokers, database: await databaseIn(stack) })
  await world.send(joiners(0, 200))
  await world.start()
  await world.untilInbox(200)
  await stack.part('postgres').kill('SIGQUIT')
  await world.send(joiners(200, 3_000))
  await world.send([message('P-1', terminated('P-1', 'bye'))])
  await stack.part('postgres').restart()
  await world.until(
    async () =>
      (await world.rows<{ n: number }>('select count(*) as n from muster.inbox').catch(() => []))[0]?.n === 3_001,
  )
  expect(await world.rows(`select lane from muster.identity where person_key = 'P-1'`)).toEqual([{ lane: 'leaver' }])
  expect(await world.rows('select sum(events_seen)::int as events from muster.identity')).toEqual([{ events: 3_001 }])
  expect(world.fatal).toEqual([])
})

test.each(['gzip', 'snappy', 'lz4', 'zstd'])('events compressed with %s are read', async (type) => {
  world = await openWorld()
  // The broker compresses anew what comes: the frames are those of Kafka's own libraries.
  await world.configureTopic('compression.type', type)
  await world.send(joiners(0, 700))
  await world.start()
  await world.untilInbox(700)
  await expectExactly(700)
})

test('without a broker the start fails, leaves nothing running, and grants wait', async () => {
  world = await openWorld()
  const nowhere = plainConnection(['127.0.0.1:1'])
  const start = startConsumer({
    engine: world.engine,
    connection: nowhere,
    topics: [world.topic],
    groupId: 'g',
    onFatal: (why) => void world.fatal.push(why),
  })
  await expect(start).rejects.toMatchObject({ name: expect.stringContaining('KafkaJS') })
  expect(await world.streams()).toMatchObject([{ partition: 0, next: 0 }])
  expect((await world.streams())[0]?.required).toBeGreaterThan(1e15)
  expect(world.fatal).toEqual([])
})
