import { afterEach, expect, test } from 'vitest'
import { terminated, workerEvent } from '../support/worker-events.ts'
import { message, openWorld, type World } from './ingest-world.ts'

let world: World
afterEach(() => world.close())

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
  const streams = await world.rows(
    'select topic = $1 as ours, incarnation, partition, next_offset, required_offset from muster.stream',
    world.topic,
  )
  expect(streams).toEqual([{ ours: true, incarnation: 1, partition: 0, next_offset: 2, required_offset: 2 }])
  expect(new Set(world.nudged)).toEqual(new Set(['evaluate:bulk', 'evaluate:leaver']))
})
