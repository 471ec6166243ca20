import { lastWorker } from '../domain/fold.ts'
import type { IdentityAt, IdentityHistory } from '../domain/identity.ts'
import type { Instant } from '../domain/instant.ts'
import type { AttributeValue, Worker } from '../domain/worker-event.ts'

export type Profile = Readonly<Record<string, AttributeValue>>

/**
 * A termination says who has left and need not repeat what they are like: what it leaves out is what HR said of them before. Their
 * accounts are looked for by it.
 */
export const profileAt = (history: IdentityHistory, { primary, leaver }: IdentityAt, now: Instant): Profile | null => {
  const profile = profileOf(primary)
  const before = leaver ? lastWorker(history, now) : null
  if (profile === null || before === null) return profile
  const known = Object.entries({ ...before.attributes, hireDate: before.hireDate })
  return { ...profile, ...Object.fromEntries(known.filter(([name]) => isEmpty(profile[name]))) }
}

const isEmpty = (value: AttributeValue | undefined): boolean => value === undefined || value === null || value === ''

/** What rules and account mappings may read of the primary employment. */
export const profileOf = (worker: Worker | null): Profile | null =>
  worker === null
    ? null
    : {
        ...worker.attributes,
        personKey: worker.personKey,
        employmentKey: worker.employmentKey,
        hireDate: worker.hireDate,
        // Its last second: midnight would read as the day after.
        lastDayOfWorkEnd:
          worker.lastDayEndsAt === null
            ? null
            : `${new Date(worker.lastDayEndsAt - 1_000).toISOString().slice(0, 19)}Z`,
      }
