/** What the topic itself can do to us: expire, be made anew, be compacted, hold records that are no messages. */

import { createRequire } from 'node:module'
import type { Batch } from 'kafkajs'
import { afterEach, describe, expect, test } from 'vitest'
import { createDecoder } from '../../src/consumers/decode.ts'
import { fetchedBatch } from '../../src/consumers/fetched-batch.ts'
import { takeBatch } from '../../src/consumers/partition.ts'
import { ConsumerRefused } from '../../src/consumers/refusal.ts'
import { agreeOnPositions, armIngest } from '../../src/engine/ingest-position.ts'
import { addresses } from '../support/stack.ts'
import { workerEvent } from '../support/worker-events.ts'
import { message, openWorld, type World } from './ingest-world.ts'

/** kafkajs' own, which it does not export: what stands between a broker's answer and our handler. */
const KafkaBatch: new (topic: string, fetchedOffset: string, partitionData: unknown) => Batch = createRequire(
  import.meta.url,
)('kafkajs/src/consumer/batch.js')

let world: World
afterEach(() => world.close())

const joiners = (from: number, to: number, prefix = 'e') =>
  Array.from({ length: to - from }, (_, i) =>
    message(`P-${from + i}`, workerEvent(`P-${from + i}`, `${prefix}${from + i}`)),
  )

const remake = async (partitions = 1) =>
  world.withAdmin(async (client) => {
    await client.deleteTopics({ topics: [world.topic] })
    // The name is free again when the controller has forgotten the old one.
    await world.until(async () =>
      client
        .createTopics({ topics: [{ topic: world.topic, numPartitions: partitions }], waitForLeaders: true })
        .catch(() => false),
    )
  })

const expireBefore = (offset: string) =>
  world.withAdmin(async (client) => {
    await client.fetchTopicOffsets(world.topic) // kafkajs loads the topic's metadata here only
    await client.deleteTopicRecords({ topic: world.topic, partitions: [{ partition: 0, offset }] })
  })

/** Grants may go: DESIGN §5, as claims ask it. */
const grantsMayGo = async () => {
  const [row] = await world.rows<{ yes: boolean }>(
    'select count(*) > 0 and bool_and(next_offset >= required_offset) as yes from muster.stream where current',
  )
  return row?.yes ?? false
}

describe('a topic that was made anew', () => {
  test('while we slept, and shorter than before: a new incarnation, a finding, and every event of it', async () => {
    world = await openWorld()
    await world.send(joiners(0, 5))
    const first = await world.start()
    await world.untilInbox(5)
    await first.stop()
    await remake()
    await world.send(joiners(3, 6))
    await world.start()
    await world.untilInbox(8)
    const inbox = await world.inbox()
    expect(
      inbox
        .filter(({ incarnation }) => incarnation === 2)
        .map(({ offset, status, event_id }) => [offset, status, event_id]),
    ).toEqual([
      [0, 'duplicate', 'e3'],
      [1, 'duplicate', 'e4'],
      [2, 'accepted', 'e5'],
    ])
    expect((await world.findings()).map(({ kind, urgent, key }) => [kind, urgent, key])).toEqual([
      ['topic-recreated', true, `${world.topic}/0/1`],
    ])
    expect(await world.streams()).toMatchObject([
      { incarnation: 1, current: false, next: 5 },
      { incarnation: 2, current: true, next: 3 },
    ])
    expect(await grantsMayGo()).toBe(true)
  })

  test('while we slept, and longer than before: seen by the message before our cursor', async () => {
    world = await openWorld()
    await world.send(joiners(0, 3))
    const first = await world.start()
    await world.untilInbox(3)
    await first.stop()
    await remake()
    await world.send(joiners(10, 20))
    await world.start()
    await world.untilInbox(13)
    expect(
      (await world.inbox()).filter(({ incarnation }) => incarnation === 2).map(({ event_id }) => event_id),
    ).toEqual(Array.from({ length: 10 }, (_, i) => `e${10 + i}`))
    expect((await world.findings()).map(({ kind }) => kind)).toEqual(['topic-recreated'])
  })

  test('with the very same bytes: the time tells', async () => {
    world = await openWorld()
    await world.send(joiners(0, 3))
    const first = await world.start()
    await world.untilInbox(3)
    await first.stop()
    await remake()
    await world.send(joiners(0, 4))
    await world.start()
    await world.untilInbox(7)
    expect((await world.findings()).map(({ kind }) => kind)).toEqual(['topic-recreated'])
    expect((await world.inbox()).map(({ incarnation, status }) => `${incarnation} ${status}`)).toEqual([
      ...['1 accepted', '1 accepted', '1 accepted'],
      ...['2 duplicate', '2 duplicate', '2 duplicate', '2 accepted'],
    ])
  })

  test('under our feet', async () => {
    world = await openWorld({ partitions: 2 })
    await world.send(joiners(0, 8))
    await world.start()
    await world.untilInbox(8)
    await remake(2)
    await world.send(joiners(20, 30))
    await world.untilInbox(18)
    const again = (await world.inbox()).filter(({ incarnation }) => incarnation === 2)
    expect(again.map(({ status }) => status)).toEqual(again.map(() => 'accepted'))
    expect(again).toHaveLength(10)
    expect(new Set((await world.findings()).map(({ kind }) => kind))).toEqual(new Set(['topic-recreated']))
    expect(world.fatal).toEqual([])
  })

  test('with fewer partitions: what is gone holds up nobody', async () => {
    world = await openWorld({ partitions: 3 })
    await world.send(joiners(0, 9))
    const first = await world.start()
    await world.untilInbox(9)
    await first.stop()
    await remake(1)
    await world.start()
    await world.until(grantsMayGo)
    expect((await world.streams()).filter(({ current }) => current)).toMatchObject([{ partition: 0, next: 0 }])
  })
})

describe('events that nobody read', () => {
  test('expired: a finding says which, what follows is read, grants wait no longer', async () => {
    world = await openWorld()
    await world.send(joiners(0, 4))
    const first = await world.start()
    await world.untilInbox(4)
    await first.stop()
    await world.send(joiners(4, 10))
    await expireBefore('8')
    await world.start()
    const inbox = await world.untilInbox(6)
    expect(inbox.map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 8, 9])
    expect(await world.findings()).toMatchObject([{ kind: 'events-expired', urgent: true, detail: { from: 4, to: 8 } }])
    expect(await grantsMayGo()).toBe(true)
  })

  test('expired to the last one: nothing is waited for', async () => {
    world = await openWorld()
    await world.send(joiners(0, 4))
    await expireBefore('4')
    await world.start()
    await world.until(grantsMayGo)
    expect(await world.findings()).toMatchObject([
      { kind: 'events-expired', urgent: false, detail: { from: 0, to: 4 } },
    ])
  })
})

test('a compacted topic is refused, with what to do', async () => {
  world = await openWorld()
  await world.configureTopic('cleanup.policy', 'compact,delete')
  const refusal = await world.start().catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(ConsumerRefused)
  expect((refusal as ConsumerRefused).message).toContain('compacted')
  expect((refusal as ConsumerRefused).hint).toContain('cleanup.policy=delete')
  expect(await grantsMayGo()).toBe(false)
})

test('a topic that is not there yet is said to be missing', async () => {
  world = await openWorld({ topic: 'never-made', brokers: addresses().kafkaBrokers })
  await expect(world.start()).rejects.toMatchObject({ name: 'TopicMissing', code: 'never-made' })
})

test('a hole in the log that nothing explains is a finding, and what follows is read', async () => {
  world = await openWorld()
  const [position] = await agreeOnPositions(world.engine, world.topic, async () => [{ partition: 0, low: 0, high: 6 }])
  const record = (offset: number, isControlRecord = false) => ({
    offset: String(offset),
    timestamp: '1767225600000',
    key: Buffer.from(`P-${offset}`),
    value: Buffer.from(JSON.stringify(workerEvent(`P-${offset}`, `e${offset}`))),
    headers: {},
    isControlRecord,
  })
  // As kafkajs hands over what a broker sent: 1 is a control record, 2 and 3 are not there.
  const messages = [record(0), record(1, true), record(4), record(5)]
  const batch = new KafkaBatch(world.topic, '0', {
    partition: 0,
    highWatermark: '6',
    abortedTransactions: [],
    messages,
  })
  const decode = createDecoder({ maxBytes: 1024 * 1024, tzVersion: 'x' })
  const control = { resolveOffset: () => {}, heartbeat: async () => {}, isRunning: () => true, isStale: () => false }
  const taken = await takeBatch(
    world.engine,
    decode,
    { stream: position?.stream ?? 0, next: 0 },
    fetchedBatch(batch),
    control,
  )
  expect(taken).toEqual({ kind: 'taken', next: 6 })
  expect((await world.inbox()).map(({ offset }) => offset)).toEqual([0, 4, 5])
  expect(await world.findings()).toMatchObject([{ kind: 'events-missing', urgent: true, detail: { from: 2, to: 4 } }])
})

test('control records and aborted transactions are passed, and are no gap', async () => {
  world = await openWorld()
  const producer = world.kafka.producer({ transactionalId: world.topic, idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  const transaction = async (id: string, end: 'commit' | 'abort') => {
    const transaction = await producer.transaction()
    await transaction.send({
      topic: world.topic,
      messages: [{ key: 'P-1', value: JSON.stringify(workerEvent('P-1', id)) }],
    })
    await transaction[end]()
  }
  await transaction('e0', 'commit')
  await transaction('e1', 'abort')
  await transaction('e2', 'commit')
  await transaction('e3', 'abort')
  await world.start()
  await world.untilInbox(2)
  await world.until(grantsMayGo)
  expect((await world.inbox()).map(({ offset, event_id }) => [offset, event_id])).toEqual([
    [0, 'e0'],
    [4, 'e2'],
  ])
  // An abort that comes alone reaches no handler; its offsets are passed nevertheless.
  await transaction('e4', 'abort')
  await world.until(async () => (await world.streams())[0]?.next === 10)
  await transaction('e5', 'commit')
  await world.untilInbox(3)
  await producer.disconnect()
  expect(await world.findings()).toEqual([])
})

describe('grants wait for what Kafka holds', () => {
  test('from the moment ingest is armed, also when it never gets to Kafka, until the last event at its start is in', async () => {
    world = await openWorld({ partitions: 2 })
    expect(await grantsMayGo()).toBe(false)
    await armIngest(world.engine, [world.topic])
    expect(await grantsMayGo()).toBe(false)
    await world.send(joiners(0, 600))
    await world.start()
    await world.until(grantsMayGo)
    expect(await world.inbox()).toHaveLength(600)
    await armIngest(world.engine, [world.topic])
    expect(await grantsMayGo()).toBe(false)
  })

  test('one who armed and died is helped by one who lives', async () => {
    world = await openWorld()
    await world.send(joiners(0, 3))
    await world.start()
    await world.until(grantsMayGo)
    await armIngest(world.engine, [world.topic])
    expect(await grantsMayGo()).toBe(false)
    await world.until(grantsMayGo)
  })
})
