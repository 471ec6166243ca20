import { workerAttributes } from '../domain/attributes.ts'
import type { EmploymentKey, PersonKey } from '../domain/ids.ts'
import type { UnreceivedEvent } from '../domain/inbox-message.ts'
import type { Instant } from '../domain/instant.ts'
import type { AttributeValue } from '../domain/worker-event.ts'
import { type Calendar, type DateFault, earliestZone, isDate, type Moment } from './calendar.ts'
import type { WrittenEvent } from './event-schema.ts'
import type { Fault } from './schema-problems.ts'

export type MadeEvent = {
  readonly event: UnreceivedEvent | null
  readonly faults: readonly Fault[]
  readonly dropped: number
}

const attributeNames = Object.keys(workerAttributes) as readonly (keyof typeof workerAttributes)[]

/**
 * The event with every date that decides something as an instant. `easy` (terminations, rescissions): a date that is
 * no good is dropped where the event means something without it, and an unknown zone becomes the earliest one.
 */
export const toWorkerEvent = (written: WrittenEvent, calendar: Calendar, easy: boolean): MadeEvent => {
  const { data } = written
  const { worker } = data
  const faults: Fault[] = []
  let dropped = 0
  let zone = data.timezone
  if (easy && !calendar.isZone(zone)) {
    zone = earliestZone
    dropped++
  }

  const needed = (path: string, moment: Moment): Instant | null => {
    if (!isFault(moment)) return moment.at
    faults.push(faultAt(path, moment.fault))
    return null
  }
  const wanted = (path: string, moment: Moment | null): Instant | null => {
    if (!easy || moment === null || !isFault(moment)) return moment === null ? null : needed(path, moment)
    dropped++
    return null
  }
  const end = (path: string, day: string | null | undefined) =>
    day == null ? null : wanted(path, calendar.end(day, zone))
  const named = (path: string, moment: string | null | undefined) =>
    moment == null ? null : wanted(path, calendar.instant(moment))

  const effectiveAt = needed('/data/effectiveAt', calendar.begin(data.effectiveAt, zone))
  const lastDayEndsAt = end('/data/worker/lastDayOfWork', worker.lastDayOfWork)
  const contractEndsAt = end('/data/worker/contractEndDate', worker.contractEndDate)
  const time = named('/time', written.time)
  // Without either, a termination counts as recorded when it takes effect: nothing of the transport may decide.
  const recordedAt = named('/recordedtime', written.recordedtime) ?? time ?? (easy ? effectiveAt : null)
  const hireDate = worker.hireDate != null && isDate(worker.hireDate) ? worker.hireDate : null
  if (worker.hireDate != null && hireDate === null) {
    if (easy) dropped++
    else faults.push(faultAt('/data/worker/hireDate', 'impossible-date'))
  }
  // Where a date already told that the zone is unknown, the zone is what to mend; where none needed it, it still is.
  if (!easy && !calendar.isZone(zone) && !faults.some(({ reason }) => reason === 'unknown-zone'))
    faults.push(faultAt('', 'unknown-zone'))
  if (recordedAt === null && written.time == null && written.recordedtime == null)
    faults.push({ reason: 'missing-member', path: '/time', message: 'is missing, and recordedtime too' })
  for (const [path, name] of [
    ['/data/worker/personKey', worker.personKey],
    ['/data/worker/employmentKey', worker.employmentKey],
  ] as const)
    if (!isPlainKey(name))
      faults.push({
        reason: 'invalid-text',
        path,
        message: 'holds spaces around it, control characters or text that is not in form NFC',
      })
  if (data.action === 'rescind' && data.supersedes == null)
    faults.push({ reason: 'missing-member', path: '/data/supersedes', message: 'is missing: what is rescinded?' })
  const attributes = attributesOf(worker, faults)
  if (faults.length > 0 || effectiveAt === null || recordedAt === null) return { event: null, faults, dropped }
  return {
    faults,
    dropped,
    event: {
      source: written.source,
      id: written.id,
      action: data.action,
      supersedes: data.supersedes ?? null,
      effectiveAt,
      recordedAt,
      sequence: written.sequence ?? '',
      urgency: data.urgency ?? 'normal',
      worker: {
        personKey: worker.personKey as PersonKey,
        employmentKey: worker.employmentKey as EmploymentKey,
        primary: worker.primary ?? false,
        status: worker.status,
        involuntary: worker.involuntary ?? false,
        hireDate,
        lastDayEndsAt,
        contractEndsAt,
        attributes,
      },
    },
  }
}

const isFault = (moment: Moment | null): moment is { readonly fault: DateFault } => moment !== null && 'fault' in moment

const faultAt = (path: string, fault: DateFault): Fault =>
  fault === 'unknown-zone'
    ? { reason: fault, path: '/data/timezone', message: 'is not a time zone known here' }
    : { reason: fault, path, message: 'is not a date or RFC 3339 instant that exists' }

/** Two keys that look alike must not be two people. */
const isPlainKey = (key: string): boolean =>
  /^[\x21-\x7e]+$/.test(key) || (key === key.trim() && key === key.normalize('NFC') && !/\p{C}/u.test(key))

/** Absent and null attributes are left out: to the rules both are null. */
const attributesOf = (
  worker: WrittenEvent['data']['worker'],
  faults: Fault[],
): Readonly<Record<string, AttributeValue>> => {
  const attributes: Record<string, AttributeValue> = {}
  for (const name of attributeNames) {
    const value = worker[name]
    if (value != null) attributes[name] = value
  }
  for (const name in worker.custom) {
    const value = worker.custom[name]
    if (value == null) continue
    if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value))
      faults.push({
        reason: 'invalid-value',
        path: `/data/worker/custom/${name.slice(0, 64)}`,
        message: 'is a number too large to be exact: write it as text',
      })
    attributes[`custom.${name}`] = value
  }
  return attributes
}
