import { afterEach, expect, test } from 'vitest'
import { createDecoder } from '../../src/consumers/decode.ts'
import type { Decoded } from '../../src/domain/inbox-message.ts'
import { ingest } from '../../src/engine/ingest.ts'
import { agreeOnPositions } from '../../src/engine/ingest-position.ts'
import { terminated, workerEvent } from '../support/worker-events.ts'
import { arrival } from '../unit/consumers/arrivals.ts'
import { message, openWorld, type World } from './ingest-world.ts'

let world: World
afterEach(() => world.close())

const decode = createDecoder({ maxBytes: 1024 * 1024, tzVersion: 'x' })
const decoded = (offset: number, key: string | null, value: unknown): Decoded => {
  const one = { ...arrival(key, value), offset }
  return { ...one, verdict: decode(one) }
}
/** A stream of this world's topic without a consumer. */
const openStream = async () => {
  const [position] = await agreeOnPositions(world.engine, world.topic, async () => [{ partition: 0, low: 0, high: 0 }])
  return position?.stream ?? 0
}
const statuses = async () => (await world.inbox()).map(({ status, reason }) => reason ?? status)

test('an event comes from Kafka into the inbox, its identity waits for evaluation, grants wait no longer', async () => {
  world = await openWorld()
  await world.send([message('P-1', workerEvent('P-1', 'e1')), message('P-2', terminated('P-2', 'e2'))])
  await world.start()
  const inbox = await world.untilInbox(2)
  expect(inbox.map(({ offset, status, event_id, ends_access }) => ({ offset, status, event_id, ends_access }))).toEqual(
    [
      { offset: 0, status: 'accepted', event_id: 'e1', ends_access: false },
      { offset: 1, status: 'accepted', event_id: 'e2', ends_access: true },
    ],
  )
  const people = await world.rows(
    'select person_key, lane, events_seen, events_folded, work_due_at <= muster.now() as due, last_offset from muster.identity order by 1',
  )
  expect(people).toEqual([
    { person_key: 'P-1', lane: 'bulk', events_seen: 1, events_folded: 0, due: true, last_offset: 0 },
    { person_key: 'P-2', lane: 'leaver', events_seen: 1, events_folded: 0, due: true, last_offset: 1 },
  ])
  expect(await world.streams()).toEqual([{ incarnation: 1, partition: 0, next: 2, required: 2, current: true }])
  expect(new Set(world.nudged)).toEqual(new Set(['evaluate:bulk', 'evaluate:leaver']))
  const [stored] = await world.rows<{ body: Record<string, unknown> }>(
    `select body from muster.inbox where event_id = 'e1'`,
  )
  expect(stored?.body).toMatchObject({
    source: '/workday/bank',
    id: 'e1',
    effectiveAt: Date.parse('2025-12-31T18:30:00Z'),
    worker: { personKey: 'P-1' },
  })
})

test('the group learns how far we are, after the database did', async () => {
  world = await openWorld()
  await world.send([0, 1, 2].map((i) => message(`P-${i}`, workerEvent(`P-${i}`, `e${i}`))))
  await world.start()
  const committed = await world.until(() =>
    world.withAdmin(async (client) => {
      const [topic] = await client.fetchOffsets({ groupId: `g-${world.topic}`, topics: [world.topic] })
      return topic?.partitions[0]?.offset === '3' ? '3' : false
    }),
  )
  expect(committed).toBe('3')
  expect(await world.inbox()).toHaveLength(3)
})

test('every kind of garbage stands in quarantine with its reason and harms nobody (laws L5, L12)', async () => {
  world = await openWorld()
  const good = JSON.stringify(workerEvent('P-1', 'x'))
  const garbage: readonly [string, string | null, unknown][] = [
    ['invalid-utf8', 'P-1', Buffer.concat([Buffer.from(good), Buffer.from([0xff])])],
    ['truncated-json', 'P-1', good.slice(0, -5)],
    ['too-large', 'P-1', `{"pad":"${'x'.repeat(5 * 1024 * 1024)}"}`],
    ['duplicate-member', 'P-1', good.replace('"custom":{}', '"custom":{"a":1,"a":2}')],
    ['forbidden-member', 'P-1', good.replace('"custom":{}', '"custom":{"__proto__":{}}')],
    ['wrong-type', 'P-1', workerEvent('P-1', 'x', { worker: { primary: 'yes' } })],
    ['unknown-status', 'P-1', workerEvent('P-1', 'x', { worker: { status: 'retired' } })],
    ['unknown-type', 'P-1', workerEvent('P-1', 'x', { event: { type: 'com.example' } })],
    ['impossible-date', 'P-1', workerEvent('P-1', 'x', { data: { effectiveAt: '2026-02-30' } })],
    ['unknown-zone', 'P-1', workerEvent('P-1', 'x', { data: { timezone: 'Mars/Olympus' } })],
    ['missing-key', null, good],
    ['key-mismatch', 'P-2', good],
    ['tombstone', 'P-1', null],
    ['future-version', 'P-1', workerEvent('P-1', 'x', { event: { type: 'dev.muster.hr.worker.v2' } })],
    ['invalid-text', 'P-1', good.replace('"LENDING"', '"\\u0000"')],
    ['too-deep', 'P-1', '['.repeat(1_000)],
  ]
  const expected = garbage.map(([reason]) => (reason === 'too-deep' ? 'truncated-json' : reason))
  await world.send(
    garbage.flatMap(([, key, value], i) => [message(`G-${i}`, workerEvent(`G-${i}`, `g${i}`)), message(key, value)]),
  )
  await world.start()
  const inbox = await world.untilInbox(garbage.length * 2)
  expect(inbox.map(({ offset }) => offset)).toEqual(inbox.map((_, i) => i))
  expect(inbox.filter(({ status }) => status === 'quarantined').map(({ reason }) => reason)).toEqual(expected)
  expect(inbox.filter(({ status }) => status === 'accepted').map(({ event_id }) => event_id)).toEqual(
    garbage.map((_, i) => `g${i}`),
  )
  // The whole value is kept, also of 5 MB.
  expect(inbox.find(({ reason }) => reason === 'too-large')?.raw?.length).toBe(5 * 1024 * 1024 + 10)
  const entries = await world.rows<{ offset: number; body: Record<string, unknown> }>(
    `select "offset", convert_from(bytes, 'UTF8')::jsonb as body from audit.entry where kind = 'quarantined' order by 1`,
  )
  expect(entries.map(({ offset, body }) => [offset, body.offset, body.reason])).toEqual(
    expected.map((reason, i) => [i * 2 + 1, i * 2 + 1, reason]),
  )
  expect(await world.findings()).toEqual([])
  expect((await world.streams())[0]).toMatchObject({ next: garbage.length * 2 })
})

test('a termination in quarantine is urgent, one with a bad hire date is accepted', async () => {
  world = await openWorld()
  await world.send([
    message('P-1', JSON.stringify(terminated('P-1', 'e1')).slice(0, -3)),
    message('P-2', terminated('P-2', 'e2', { worker: { hireDate: '2026-02-30' } })),
    message('P-9', terminated('P-3', 'e3')),
  ])
  await world.start()
  await world.untilInbox(3)
  expect(await statuses()).toEqual(['truncated-json', 'accepted', 'key-mismatch'])
  const findings = await world.findings()
  expect(findings.map(({ kind, urgent, detail }) => [kind, urgent, detail.offset])).toEqual([
    ['quarantined-termination', true, 0],
    ['quarantined-termination', true, 2],
  ])
})

test('the same event again is a duplicate; another one under its id is quarantined, urgently when it is a termination', async () => {
  world = await openWorld()
  const event = workerEvent('P-1', 'e1')
  await world.send([
    message('P-1', event),
    message('P-1', event),
    message('P-1', workerEvent('P-1', 'e1', { worker: { jobCode: 'CA' } })),
  ])
  await world.start()
  await world.untilInbox(3)
  await world.send([
    message('P-1', event),
    message('P-1', terminated('P-1', 'e1')),
    message('P-1', workerEvent('P-1', 'e2')),
    message('P-2', workerEvent('P-2', 'e1', { event: { source: '/another' } })),
  ])
  await world.untilInbox(7)
  expect(await statuses()).toEqual([
    'accepted',
    'duplicate',
    'same-id-other-bytes',
    'duplicate',
    'same-id-other-bytes',
    'accepted',
    'accepted',
  ])
  expect(await world.rows('select person_key, events_seen from muster.identity order by 1')).toEqual([
    { person_key: 'P-1', events_seen: 2 },
    { person_key: 'P-2', events_seen: 1 },
  ])
  expect((await world.findings()).map(({ kind, detail }) => [kind, detail.offset])).toEqual([
    ['same-id-other-bytes', 2],
    ['same-id-other-bytes', 4],
    ['quarantined-termination', 4],
  ])
})

test('the same event in binary mode with other context is another one', async () => {
  world = await openWorld()
  const { data } = workerEvent('P-1', 'e1')
  const headers = {
    ce_specversion: '1.0',
    ce_type: 'dev.muster.hr.worker.v1',
    ce_source: '/s',
    ce_id: 'e1',
    ce_time: '2026-01-01T00:00:00Z',
  }
  await world.send([
    message('P-1', data, headers),
    message('P-1', data, { ...headers, traceparent: '00-2' }),
    message('P-1', data, { ...headers, ce_time: '2026-01-02T00:00:00Z' }),
  ])
  await world.start()
  await world.untilInbox(3)
  expect(await statuses()).toEqual(['accepted', 'duplicate', 'same-id-other-bytes'])
})

test('clients may write any timestamp and any header', async () => {
  world = await openWorld()
  await world.configureTopic('message.timestamp.after.max.ms', '9223372036854775807')
  const producer = world.kafka.producer()
  await producer.connect()
  const timestamps = ['0', '1', '9000000000000000', String(Date.parse('2100-01-01T00:00:00Z')), '1767225600000']
  await producer.send({
    topic: world.topic,
    messages: timestamps.map((timestamp, i) => ({
      key: `P-${i}`,
      value: JSON.stringify(workerEvent(`P-${i}`, `e${i}`)),
      timestamp,
      headers: { constructor: 'a', ['__proto__']: 'b', 'n\0ul': Buffer.from([0]), bin: Buffer.from([0xff, 0xfe]) },
    })),
  })
  await producer.disconnect()
  await world.start()
  await world.untilInbox(timestamps.length)
  expect(await statuses()).toEqual(timestamps.map(() => 'accepted'))
  expect(await world.rows('select appended_at <= received_at as sane from muster.inbox')).toEqual(
    timestamps.map(() => ({ sane: true })),
  )
})

test('late messages change nothing, and counts rise only for what is new', async () => {
  world = await openWorld()
  const stream = await openStream()
  const events = [0, 1, 2, 3].map((i) => decoded(i, 'P-1', workerEvent('P-1', `e${i}`)))
  expect(await ingest(world.engine, stream, events.slice(0, 2))).toEqual({
    next: 2,
    accepted: 2,
    duplicates: 0,
    quarantined: 0,
    late: 0,
  })
  expect(await ingest(world.engine, stream, events.slice(0, 2))).toEqual({
    next: 2,
    accepted: 0,
    duplicates: 0,
    quarantined: 0,
    late: 2,
  })
  expect(await ingest(world.engine, stream, events)).toEqual({
    next: 4,
    accepted: 2,
    duplicates: 0,
    quarantined: 0,
    late: 2,
  })
  expect(await world.rows('select events_seen from muster.identity')).toEqual([{ events_seen: 4 }])
  await world.rows('update muster.stream set current = false')
  expect(await ingest(world.engine, stream, [decoded(4, 'P-1', workerEvent('P-1', 'e4'))])).toMatchObject({
    next: null,
    accepted: 0,
  })
  expect(await world.inbox()).toHaveLength(4)
})

test('two partitions bring the same event at the same time: one is accepted, the other a duplicate', async () => {
  world = await openWorld()
  const positions = await agreeOnPositions(world.engine, world.topic, async () =>
    [0, 1, 2].map((partition) => ({ partition, low: 0, high: 0 })),
  )
  for (let round = 0; round < 5; round++) {
    const events = Array.from({ length: 40 }, (_, i) => [`P-${i}`, workerEvent(`P-${i}`, `r${round}e${i}`)] as const)
    const batches = positions.map((_, p) =>
      (p === 1 ? [...events].reverse() : events).map(([key, event], i) => decoded(round * 40 + i, key, event)),
    )
    const done = await Promise.all(positions.map(({ stream }, p) => ingest(world.engine, stream, batches[p] ?? [])))
    expect(done.reduce((sum, { accepted }) => sum + accepted, 0)).toBe(40)
    expect(done.reduce((sum, { duplicates }) => sum + duplicates, 0)).toBe(80)
  }
  expect(await world.rows('select distinct events_seen from muster.identity')).toEqual([{ events_seen: 5 }])
})

test('what the database refuses although no check foresaw it costs its own row only', async () => {
  world = await openWorld()
  const stream = await openStream()
  const events = Array.from({ length: 9 }, (_, i) =>
    decoded(i, `P-${i}`, (i === 6 ? terminated : workerEvent)(`P-${i}`, `e${i}`)),
  )
  const poisoned = events.map((event, i) =>
    (i === 2 || i === 6) && event.verdict.kind === 'accepted'
      ? { ...event, verdict: { ...event.verdict, event: { ...event.verdict.event, source: 'x\0' } } }
      : event,
  )
  expect(await ingest(world.engine, stream, poisoned)).toEqual({
    next: 9,
    accepted: 7,
    duplicates: 0,
    quarantined: 2,
    late: 0,
  })
  expect(await statuses()).toEqual([
    'accepted',
    'accepted',
    'not-storable',
    'accepted',
    'accepted',
    'accepted',
    'not-storable',
    'accepted',
    'accepted',
  ])
  expect((await world.findings()).map(({ kind, detail }) => [kind, detail.offset])).toEqual([
    ['quarantined-termination', 6],
  ])
})

test('one statement per batch, and a leaver lane that stays until evaluation says otherwise', async () => {
  world = await openWorld()
  const stream = await openStream()
  const before = world.engine.db.counters.statements
  await ingest(
    world.engine,
    stream,
    Array.from({ length: 500 }, (_, i) => decoded(i, `P-${i % 100}`, workerEvent(`P-${i % 100}`, `e${i}`))),
  )
  expect(world.engine.db.counters.statements - before).toBe(1)
  await ingest(world.engine, stream, [decoded(500, 'P-1', terminated('P-1', 'x'))])
  await ingest(world.engine, stream, [decoded(501, 'P-1', workerEvent('P-1', 'y'))])
  await ingest(world.engine, stream, [
    decoded(502, 'P-2', workerEvent('P-2', 'z', { worker: { lastDayOfWork: '2026-01-02' } })),
  ])
  await ingest(world.engine, stream, [
    decoded(503, 'P-3', workerEvent('P-3', 'w', { worker: { lastDayOfWork: '2999-01-02' } })),
  ])
  expect(
    await world.rows(
      `select person_key, lane, last_offset from muster.identity where person_key in ('P-1', 'P-2', 'P-3') order by 1`,
    ),
  ).toEqual([
    { person_key: 'P-1', lane: 'leaver', last_offset: 501 },
    { person_key: 'P-2', lane: 'leaver', last_offset: 502 },
    { person_key: 'P-3', lane: 'bulk', last_offset: 503 },
  ])
  expect(await world.rows(`select event_id from muster.inbox where ends_access order by "offset"`)).toEqual([
    { event_id: 'x' },
    { event_id: 'z' },
  ])
})
