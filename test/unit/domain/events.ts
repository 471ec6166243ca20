import fc from 'fast-check'
import type { EmploymentKey, PersonKey } from '../../../src/domain/ids.ts'
import type { Instant } from '../../../src/domain/instant.ts'
import { type Worker, type WorkerEvent, workerStatuses } from '../../../src/domain/worker-event.ts'

export const at = (n: number): Instant => n as Instant

type EventChanges = Partial<Omit<WorkerEvent, 'worker'>> & {
  readonly worker?: Partial<Worker> & { readonly jobCode?: string }
}

/** An active snapshot of employment E, in force from 10, recorded and received at 1. */
export const anEvent = (id: string, { worker = {}, ...changes }: EventChanges = {}): WorkerEvent => {
  const { jobCode = 'RM', ...rest } = worker
  return {
    source: '/hr',
    id,
    action: 'assert',
    supersedes: null,
    effectiveAt: at(10),
    recordedAt: at(1),
    sequence: '',
    urgency: 'normal',
    receivedAt: at(1),
    ...changes,
    worker: {
      personKey: 'P' as PersonKey,
      employmentKey: 'E' as EmploymentKey,
      primary: true,
      status: 'active',
      involuntary: false,
      hireDate: null,
      lastDayEndsAt: null,
      contractEndsAt: null,
      attributes: { jobCode },
      ...rest,
    },
  }
}

export const aTermination = (id: string, effectiveAt: number, changes: EventChanges = {}): WorkerEvent =>
  anEvent(id, { effectiveAt: at(effectiveAt), ...changes, worker: { status: 'terminated', ...changes.worker } })

const moment = fc.integer({ min: 0, max: 12 }).map(at)
const maybe = fc.option(moment, { nil: null, freq: 2 })

/** Few moments, few keys, few ids: collisions, corrections and overlaps are the rule, not the exception. */
export const someEvents: fc.Arbitrary<readonly WorkerEvent[]> = fc
  .uniqueArray(
    fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'),
      source: fc.constantFrom('/hr', '/hr', '/payroll'),
      action: fc.constantFrom(
        'assert' as const,
        'assert' as const,
        'assert' as const,
        'correct' as const,
        'rescind' as const,
      ),
      supersedes: fc.constantFrom('a', 'b', 'c', 'd', 'x'),
      effectiveAt: moment,
      recordedAt: fc.integer({ min: 0, max: 3 }).map(at),
      sequence: fc.constantFrom('', '1', '2', '10'),
      urgency: fc.constantFrom('normal' as const, 'normal' as const, 'immediate' as const),
      receivedAt: moment,
      worker: fc.record({
        personKey: fc.constant('P' as PersonKey),
        employmentKey: fc.constantFrom('E1' as EmploymentKey, 'E1' as EmploymentKey, 'E2' as EmploymentKey),
        primary: fc.boolean(),
        status: fc.constantFrom('active' as const, 'terminated' as const, ...workerStatuses),
        involuntary: fc.boolean(),
        hireDate: fc.constantFrom(null, '2020-01-01', '2024-06-30'),
        lastDayEndsAt: maybe,
        contractEndsAt: maybe,
        attributes: fc.record({ jobCode: fc.constantFrom('RM', 'CA') }),
      }),
    }),
    { maxLength: 8, selector: ({ source, id }) => `${source} ${id}` },
  )
  .map((events) =>
    events.map((event) => ({ ...event, supersedes: event.action === 'assert' ? null : event.supersedes })),
  )
