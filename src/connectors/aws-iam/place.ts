import { setTimeout as pause } from 'node:timers/promises'
import type { Iam } from './iam.ts'

/** IAM has no version to compare: whoever of ours changes a role is alone with it. */
const holdMs = 30_000
/** So long another one's turn is waited for, and so often it is asked. */
const patienceMs = 2_000
const askMs = 50

export type Place = {
  readonly id: string
  /** The role is not to be written for a while: what was sent may still be on its way, or not be shown. */
  readonly keep: () => void
}

/** `work` alone with this role; a number of ms when somebody else has it for longer. */
export const aloneWith = async <T>(iam: Iam, role: string, work: (place: Place) => Promise<T>): Promise<T | number> => {
  const { budget } = iam.tools
  const places = [{ name: `role:${role.toLowerCase()}`, max: 1 }]
  for (let left = patienceMs; ; ) {
    const held = await budget.occupy(places, holdMs)
    if (held.ok) {
      let isKept = false
      try {
        return await work({
          id: held.id,
          keep: () => {
            isKept = true
          },
        })
      } finally {
        await budget.vacate(held.id)
        if (isKept && iam.settings.settle.ms > 0) await budget.occupy(places, iam.settings.settle.ms)
      }
    }
    const waitMs = Math.min(held.waitMs, askMs)
    if (left < waitMs) return held.waitMs
    left -= waitMs
    await pause(waitMs)
  }
}
