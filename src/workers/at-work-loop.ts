import type { Log } from '../log.ts'
import { createLoop, type Loop } from './loop.ts'

const everyMs = 10_000

/** Says again and again that this process lives. For the doctor's eyes only: no decision hangs on it. */
export const createAtWorkLoop = (log: Log, say: () => Promise<void>): Loop =>
  createLoop({
    name: 'at-work',
    log,
    pollMs: everyMs,
    turn: async () => {
      await say()
      return { next: 'rest' }
    },
  })
