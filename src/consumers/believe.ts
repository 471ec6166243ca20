import { earliestZone } from './calendar.ts'
import { isObject } from './cloud-event.ts'
import { memberSchemas } from './event-schema.ts'

type Members = Readonly<Record<string, unknown>>

/** A termination, or the removal of an assertion: what must not fail for a member that it does not need. */
export const isEasyToBelieve = (event: Members): boolean => {
  const data = event.data
  if (!isObject(data)) return false
  return data.action === 'rescind' || (isObject(data.worker) && data.worker.status === 'terminated')
}

/**
 * The event without the members that are no good, and with what a termination may lack: the action (assert), the zone
 * (the one whose days begin first, so that access ends rather too early than too late). What is really needed is left
 * to the schema: personKey, employmentKey, status and effectiveAt; for a rescission what it names, its body is ignored.
 */
export const believe = (event: Members): { readonly event: Members; readonly dropped: number } => {
  const count = { dropped: 0 }
  const { data } = event
  if (!isObject(data) || !isObject(data.worker)) return { event, dropped: 0 }
  const rescinds = data.action === 'rescind'
  const worker = { ...keep(data.worker, memberSchemas.worker, ['personKey', 'employmentKey', 'status'], count) }
  const mended: Record<string, unknown> = {
    ...keep(data, memberSchemas.data, rescinds ? ['action', 'supersedes', 'effectiveAt'] : ['effectiveAt'], count),
  }
  if (rescinds && memberSchemas.worker.status?.safeParse(worker.status).success !== true) worker.status = 'terminated'
  mended.action ??= 'assert'
  mended.timezone ??= earliestZone
  return {
    event: {
      ...keep(event, memberSchemas.event, ['specversion', 'type', 'source', 'id', 'data'], count),
      data: { ...mended, worker },
    },
    dropped: count.dropped,
  }
}

const keep = (
  members: Members,
  schemas: (typeof memberSchemas)['event'],
  needed: readonly string[],
  count: { dropped: number },
): Members => {
  const kept: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(members)) {
    const schema = schemas[name]
    if (
      name === 'worker' ||
      name === 'data' ||
      needed.includes(name) ||
      schema === undefined ||
      schema.safeParse(value).success
    )
      kept[name] = value
    else count.dropped++
  }
  return kept
}
