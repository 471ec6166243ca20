import type { AttributeValue, Worker } from '../domain/worker-event.ts'

/** What rules and account mappings may read of the primary employment. */
export const profileOf = (worker: Worker | null): Readonly<Record<string, AttributeValue>> | null =>
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
