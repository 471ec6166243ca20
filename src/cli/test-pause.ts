import { writeSync } from 'node:fs'

export type Pauses = { readonly pause: (label: string) => Promise<void>; readonly resume: () => void }

/**
 * Holds a process still for tests that kill it at a stage boundary: MUSTER_TEST_PAUSE=claim:read,leaver/provision:called.
 * A label with a lane before it counts in that lane's thread only. Each pause is told on stderr as one line of JSON and
 * lasts until `resume`, after which nothing pauses any more.
 */
export const pausesFor = (labels: string | undefined, lane: string): Pauses | undefined => {
  if (labels === undefined || labels === '') return undefined
  const wanted = new Set(
    labels
      .split(',')
      .flatMap((label) =>
        label.includes('/') ? (label.startsWith(`${lane}/`) ? [label.slice(lane.length + 1)] : []) : [label],
      ),
  )
  const waiting: (() => void)[] = []
  return {
    pause: (label) => {
      if (!wanted.has(label)) return Promise.resolve()
      writeSync(2, `${JSON.stringify({ paused: label, lane })}\n`)
      return new Promise((resolve) => waiting.push(resolve))
    },
    resume: () => {
      wanted.clear()
      for (const go of waiting.splice(0)) go()
    },
  }
}
