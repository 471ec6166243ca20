/** What is quarantined can be looked at, and replayed when decoder or feed were mended. */
import { afterEach, expect, test } from 'vitest'
import { createDecoder } from '../../src/consumers/decode.ts'
import type { Actor } from '../../src/domain/actor.ts'
import { listQuarantine, showQuarantined, streamOf } from '../../src/engine/read-quarantine.ts'
import { replayAll, replayQuarantined } from '../../src/engine/replay-quarantined.ts'
import { terminated, workerEvent } from '../support/worker-events.ts'
import { message, openWorld, type World } from './ingest-world.ts'

let world: World
afterEach(() => world.close())

const actor: Actor = { type: 'os-user', name: 'test', authenticated: false }
/** As the consumer of these tests judged: a small limit is the fault that is mended. */
const strict = 1_100
const today = createDecoder({ maxBytes: 1024 * 1024, tzVersion: 'today' })
const long = { worker: { custom: { note: 'x'.repeat(400) } } }

const read = async () => {
  world = await openWorld()
  await world.send([
    message('P-1', workerEvent('P-1', 'e0', long)),
    message('P-2', terminated('P-2', 'e1', long)),
    message('P-3', '{"broken":'),
    message('P-4', workerEvent('P-4', 'e3')),
    message('P-4', workerEvent('P-4', 'e3', { worker: { jobCode: 'CA' } })),
  ])
  await world.start({ maxBytes: strict })
  await world.untilInbox(5)
  return (await streamOf(world.engine, world.topic, 0)) ?? 0
}

test('the list and the message with its bytes', async () => {
  const stream = await read()
  const lines = await listQuarantine(world.engine, { limit: 10 })
  expect(
    lines.map(({ topic, partition, incarnation, offset, reason, id }) => ({
      topic,
      partition,
      incarnation,
      offset,
      reason,
      id,
    })),
  ).toEqual(
    [
      [0, 'too-large', null],
      [1, 'too-large', null],
      [2, 'truncated-json', null],
      [4, 'same-id-other-bytes', 'e3'],
    ].map(([offset, reason, id]) => ({ topic: world.topic, partition: 0, incarnation: 1, offset, reason, id })),
  )
  expect(
    (await listQuarantine(world.engine, { limit: 1, after: { stream, offset: 1 } })).map(({ offset }) => offset),
  ).toEqual([2])
  expect((await listQuarantine(world.engine, { limit: 9, reason: 'too-large' })).map(({ offset }) => offset)).toEqual([
    0, 1,
  ])
  const shown = await showQuarantined(world.engine, stream, 2)
  expect(shown).toMatchObject({
    reason: 'truncated-json',
    size: 10,
    problems: [{ path: '', message: 'ends too early' }],
  })
  expect([shown?.key?.toString(), shown?.raw?.toString()]).toEqual(['P-3', '{"broken":'])
  expect(await showQuarantined(world.engine, stream, 3)).toBeUndefined()
})

test('one that is good today takes effect, is audited with who did it, and its finding closes', async () => {
  const stream = await read()
  world.nudged.length = 0
  expect(await replayQuarantined(world.engine, today, stream, 1, actor)).toEqual({ kind: 'accepted' })
  expect(world.nudged).toEqual(['evaluate:leaver'])
  expect(
    await world.rows(
      `select lane, events_seen, events_folded, last_offset, work_due_at <= muster.now() as due from muster.identity where person_key = 'P-2'`,
    ),
  ).toEqual([{ lane: 'leaver', events_seen: 1, events_folded: 0, last_offset: 1, due: true }])
  expect(
    await world.rows(`select status, ends_access, body->>'id' as id, reason, problem, tz_version, replayed_at is not null as replayed, identity_id is not null as known
      from muster.inbox where "offset" = 1`),
  ).toEqual([
    {
      status: 'accepted',
      ends_access: true,
      id: 'e1',
      reason: null,
      problem: null,
      tz_version: 'today',
      replayed: true,
      known: true,
    },
  ])
  const [entry] = await world.rows<{ body: Record<string, unknown> }>(
    `select convert_from(bytes, 'UTF8')::jsonb as body from audit.entry where kind = 'quarantine-replayed' and "offset" = 1`,
  )
  expect(entry?.body).toMatchObject({ actor, offset: 1, reason: 'too-large', outcome: 'accepted' })
  expect(
    await world.rows(`select closed_at is null as open from muster.finding where kind = 'quarantined-termination'`),
  ).toEqual([{ open: false }])
  expect(await replayQuarantined(world.engine, today, stream, 1, actor)).toEqual({ kind: 'unknown' })
})

test('what is still no good stays, what came in meanwhile is a duplicate', async () => {
  const stream = await read()
  expect(await replayQuarantined(world.engine, today, stream, 2, actor)).toEqual({
    kind: 'quarantined',
    reason: 'truncated-json',
  })
  expect(await replayQuarantined(world.engine, today, stream, 4, actor)).toEqual({
    kind: 'quarantined',
    reason: 'same-id-other-bytes',
  })
  expect(await replayAll(world.engine, today, 'too-large', actor)).toEqual({
    accepted: 2,
    duplicates: 0,
    quarantined: 0,
  })
  // The other event under its id still is another one.
  expect(await replayAll(world.engine, today, undefined, actor)).toEqual({ accepted: 0, duplicates: 0, quarantined: 2 })
  await world.send([message('P-1', workerEvent('P-1', 'e0', long))])
  await world.untilInbox(6)
  expect(await replayAll(world.engine, today, 'too-large', actor)).toEqual({
    accepted: 0,
    duplicates: 1,
    quarantined: 0,
  })
  expect(await world.rows(`select sum(events_seen)::int as events from muster.identity`)).toEqual([{ events: 3 }])
})

test('two people replay the same message at the same time: it takes effect once', async () => {
  const stream = await read()
  const done = await Promise.all([0, 1, 2].map(() => replayQuarantined(world.engine, today, stream, 0, actor)))
  expect(done.map(({ kind }) => kind).sort()).toEqual(['accepted', 'unknown', 'unknown'])
  expect(await world.rows(`select events_seen from muster.identity where person_key = 'P-1'`)).toEqual([
    { events_seen: 1 },
  ])
})
