import { isOutage } from '../engine/outage.ts'
import { errorFields, type Log } from '../log.ts'

/** What one turn of a loop found: go on at once, look again after a while, or rest until a nudge or the poll. */
export type Turn =
  | { readonly next: 'now' }
  | { readonly next: 'soon'; readonly afterMs: number }
  | { readonly next: 'rest' }

export const turnAgain = (more: boolean): Turn => (more ? { next: 'now' } : { next: 'rest' })

export type LoopOptions = {
  readonly name: string
  readonly log: Log
  /** The net under the nudges: longest rest, ms. */
  readonly pollMs: number
  /** One batch. `signal` aborts when the loop is told to stop; a turn that ignores it is waited for. */
  readonly turn: (signal: AbortSignal) => Promise<Turn>
}

export type Loop = {
  readonly start: () => void
  /** There may be work: remembered when it comes during a turn. */
  readonly nudge: () => void
  /** Resolves when the turn that runs has ended. */
  readonly stop: () => Promise<void>
}

const firstBackoffMs = 100
const longestBackoffMs = 5_000

/**
 * A stage that never ends by itself: turns while there is more, then waits for a nudge or the poll. A turn that throws is
 * repeated with growing pauses, which nudges do not shorten: a dead database is not asked more often because work piles up.
 */
export const createLoop = ({ name, log, pollMs, turn }: LoopOptions): Loop => {
  const ending = new AbortController()
  let nudged = false
  let wake = () => {}
  let running: Promise<void> | undefined
  let failures = 0

  const sleep = (ms: number, wakes: boolean) =>
    new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer)
        ending.signal.removeEventListener('abort', done)
        wake = () => {}
        resolve()
      }
      const timer = setTimeout(done, ms)
      ending.signal.addEventListener('abort', done)
      if (wakes) wake = done
    })

  const rest = async (ms: number) => {
    if (!nudged && !ending.signal.aborted) await sleep(ms, true)
    nudged = false
  }

  const backOff = async (error: unknown) => {
    failures++
    const waits = isOutage(error)
    // Every turn of an outage would say the same: told at 1, 2, 4, 8 … failures.
    if ((failures & (failures - 1)) === 0)
      log[waits ? 'warn' : 'error'](
        { loop: name, failures, ...errorFields(error) },
        waits ? 'database unavailable: waiting' : 'a turn failed: trying again',
      )
    await sleep(Math.min(longestBackoffMs, firstBackoffMs * 2 ** Math.min(failures - 1, 10)), false)
  }

  const run = async () => {
    while (!ending.signal.aborted) {
      try {
        nudged = false
        const result = await turn(ending.signal)
        if (failures > 0) log.info({ loop: name, failures }, 'working again')
        failures = 0
        if (result.next === 'soon') await rest(Math.min(result.afterMs, pollMs))
        else if (result.next === 'rest') await rest(pollMs)
      } catch (error) {
        if (!ending.signal.aborted) await backOff(error)
      }
    }
  }

  return {
    start: () => {
      running ??= run()
    },
    nudge: () => {
      nudged = true
      wake()
    },
    stop: async () => {
      ending.abort()
      await running
    },
  }
}
