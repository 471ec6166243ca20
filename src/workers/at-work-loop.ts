import type { Log } from '../log.ts'
import { createLoop, type Loop } from './loop.ts'

const everyMs = 10_000

/** Says again and again that this process lives: for the doctor's eyes, and by which configuration it plans (engine/plan-anew.ts). */
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
