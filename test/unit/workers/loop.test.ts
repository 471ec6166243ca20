import { describe, expect, test } from 'vitest'
import type { Log, LogFields } from '../../../src/log.ts'
import { createLoop } from '../../../src/workers/loop.ts'

type Told = { readonly level: string; readonly text: string; readonly fields: LogFields }

const recordingLog = (): { readonly log: Log; readonly told: Told[] } => {
  const told: Told[] = []
  const at = (level: string) => (fields: LogFields, text: string) => void told.push({ level, text, fields })
  return { told, log: { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') } }
}

/** Resolves when the loop's turn has been called so often. */
const counter = () => {
  let count = 0
  const waiting: { readonly count: number; readonly done: () => void }[] = []
  return {
    count: () => count,
    add: () => {
      count++
      for (const one of waiting) if (count >= one.count) one.done()
    },
    reaches: (wanted: number) =>
      new Promise<void>((done) => {
        if (count >= wanted) done()
        else waiting.push({ count: wanted, done })
      }),
  }
}

const never = 3_600_000

describe('a stage loop', () => {
  test('goes on while there is more, then rests until it is nudged', async () => {
    const turns = counter()
    const { log } = recordingLog()
    const loop = createLoop({
      name: 'test',
      log,
      pollMs: never,
      turn: async () => {
        turns.add()
        return turns.count() < 3 ? { next: 'now' } : { next: 'rest' }
      },
    })
    loop.start()
    await turns.reaches(3)
    await new Promise(setImmediate)
    expect(turns.count()).toBe(3)
    loop.nudge()
    await turns.reaches(4)
    await loop.stop()
    expect(turns.count()).toBe(4)
  })

  test('remembers a nudge that comes during a turn', async () => {
    const turns = counter()
    let finish = () => {}
    const { log } = recordingLog()
    const loop = createLoop({
      name: 'test',
      log,
      pollMs: never,
      turn: async () => {
        turns.add()
        if (turns.count() === 1)
          await new Promise<void>((done) => {
            finish = done
          })
        return { next: 'rest' }
      },
    })
    loop.start()
    await turns.reaches(1)
    loop.nudge()
    finish()
    await turns.reaches(2)
    await loop.stop()
  })

  test('looks again by itself, without any nudge', async () => {
    const turns = counter()
    const { log } = recordingLog()
    const loop = createLoop({
      name: 'test',
      log,
      pollMs: 1,
      turn: async () => {
        turns.add()
        return { next: 'rest' }
      },
    })
    loop.start()
    await turns.reaches(5)
    await loop.stop()
  })

  test('never ends by an error: it tries again, tells of it without its message, and says when it works again', async () => {
    const turns = counter()
    const { log, told } = recordingLog()
    const loop = createLoop({
      name: 'test',
      log,
      pollMs: never,
      turn: async () => {
        turns.add()
        if (turns.count() === 1) throw new TypeError('P-1001 could not be read')
        if (turns.count() === 2) throw Object.assign(new Error('gone'), { code: '57P01' })
        return { next: 'rest' }
      },
    })
    loop.start()
    await turns.reaches(3)
    await loop.stop()
    expect(told.map(({ level, text }) => [level, text])).toEqual([
      ['error', 'a turn failed: trying again'],
      ['warn', 'database unavailable: waiting'],
      ['info', 'working again'],
    ])
    expect(JSON.stringify(told)).not.toContain('P-1001')
  })

  test('stops when its turn has ended, not before', async () => {
    let finish = () => {}
    let ended = false
    const { log } = recordingLog()
    const loop = createLoop({
      name: 'test',
      log,
      pollMs: never,
      turn: async () => {
        await new Promise<void>((done) => {
          finish = done
        })
        ended = true
        return { next: 'now' }
      },
    })
    loop.start()
    const stopped = loop.stop().then(() => ended)
    finish()
    expect(await stopped).toBe(true)
  })
})
