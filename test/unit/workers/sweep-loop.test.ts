import { expect, test } from 'vitest'
import type { Engine } from '../../../src/engine/engine.ts'
import type { Reobserving } from '../../../src/engine/reobserve-due.ts'
import type { Queues } from '../../../src/workers/queues.ts'
import { createSweepLoop } from '../../../src/workers/sweep-loop.ts'
import type { EngineVerbs } from '../../../src/workers/verbs.ts'
import { until } from '../../support/until.ts'

test('what one turn began to read is known to the next, and whoever stops the loop waits for it', async () => {
  const answer = Promise.withResolvers<void>()
  const events: string[] = []
  const turns: number[] = []
  const sweep: EngineVerbs['sweep'] = async (_, reading: Reobserving) => {
    turns.push(reading.size)
    if (reading.size === 0)
      reading.set(
        'here',
        answer.promise.then(() => void events.push('read')),
      )
    return { requeue: [], expired: 0 }
  }
  const loop = createSweepLoop(
    {} as Engine,
    { sweep } as Partial<EngineVerbs> as EngineVerbs,
    { put: async () => [] } as Partial<Queues> as Queues,
  )
  loop.start()
  await until(() => turns.length > 0)
  loop.nudge()
  await until(() => turns.length > 1)
  expect(turns.slice(0, 2)).toEqual([0, 1])
  const stopping = loop.stop().then(() => void events.push('stopped'))
  // The turn itself is over by then.
  setImmediate(() => answer.resolve())
  await stopping
  expect(events).toEqual(['read', 'stopped'])
})
