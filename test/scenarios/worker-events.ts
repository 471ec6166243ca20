import { Temporal } from 'temporal-polyfill'
import { workerAttributes } from '../../src/domain/attributes.ts'
import type { EmploymentKey, PersonKey } from '../../src/domain/ids.ts'
import type { Instant } from '../../src/domain/instant.ts'
import type { WorkerEvent } from '../../src/domain/worker-event.ts'
import type { HrEvent } from './scenario-file.ts'

export const instantOf = (written: string): Instant => Temporal.Instant.from(written).epochMilliseconds as Instant

/** A date means its first existing instant in its zone. */
const startOf = (date: string, zone: string): Instant =>
  Temporal.PlainDate.from(date).toZonedDateTime(zone).epochMilliseconds as Instant

const endOf = (date: string | null, zone: string): Instant | null =>
  date === null ? null : startOf(Temporal.PlainDate.from(date).add({ days: 1 }).toString(), zone)

/** As ingest would store it at `receivedAt`. */
export const workerEvent = (event: HrEvent, receivedAt: Instant): WorkerEvent => {
  const { effectiveAt = '', timezone, recordedtime } = event
  const names = [...Object.keys(workerAttributes), ...Object.keys(event).filter((name) => name.startsWith('custom.'))]
  return {
    source: '/workday/bank',
    id: event.id ?? '',
    action: event.action,
    supersedes: event.supersedes,
    effectiveAt: effectiveAt.includes('T') ? instantOf(effectiveAt) : startOf(effectiveAt, timezone),
    recordedAt: recordedtime === undefined ? receivedAt : instantOf(recordedtime),
    sequence: event.sequence,
    urgency: event.urgency,
    receivedAt,
    worker: {
      personKey: event.person as PersonKey,
      employmentKey: event.employment as EmploymentKey,
      primary: event.primary,
      status: event.status,
      involuntary: event.involuntary,
      hireDate: event.hireDate,
      lastDayEndsAt: endOf(event.lastDayOfWork, timezone),
      contractEndsAt: endOf(event.contractEndDate, timezone),
      attributes: Object.fromEntries(names.map((name) => [name, typeof event[name] === 'string' ? event[name] : null])),
    },
  }
}
