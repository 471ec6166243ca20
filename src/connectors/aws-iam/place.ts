import { setTimeout as pause } from 'node:timers/promises'
import type { Gate } from '../aws-wire/transport.ts'
import { placeMs, whileOurs } from '../aws-wire/while-ours.ts'
import type { Iam } from './iam.ts'

/** So long another one's turn is waited for, and so often it is asked. */
const patienceMs = 2_000
const askMs = 50

export type Place = {
  /** For all writes to the role: none when somebody else had it meanwhile. */
  readonly gate: Gate
  /** The role is not to be written for a while: what was sent may still be on its way, or not be shown. */
  readonly keep: () => void
}

/**
 * `work` alone with this role, since IAM has no version to compare; a number of ms when somebody else has it for longer.
 */
export const aloneWith = async <T>(
  iam: Iam,
  role: string,
  gate: Gate,
  work: (place: Place) => Promise<T>,
): Promise<T | number> => {
  const { settings, tools } = iam
  const { budget } = tools
  const places = [{ name: `role:${role.toLowerCase()}`, max: 1 }]
  for (let left = patienceMs; ; ) {
    const held = await budget.occupy(places, placeMs)
    if (held.ok) {
      let isKept = false
      try {
        return await work({
          gate: whileOurs(budget, held.id, settings.timeouts, gate),
          keep: () => {
            isKept = true
          },
        })
      } finally {
        if (!isKept || settings.settle.ms === 0) await budget.vacate(held.id)
        else if (!(await budget.renew(held.id, settings.settle.ms))) await budget.occupy(places, settings.settle.ms)
      }
    }
    const waitMs = Math.min(held.waitMs, askMs)
    if (left < waitMs) return held.waitMs
    left -= waitMs
    await pause(waitMs)
  }
}
