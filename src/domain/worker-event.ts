import type { EmploymentKey, PersonKey } from './ids.ts'
import type { Instant } from './instant.ts'

export const workerStatuses = ['prehire', 'active', 'leave', 'suspended', 'terminated'] as const
export type WorkerStatus = (typeof workerStatuses)[number]

/** What a birthright rule or an account mapping may look at. */
export type AttributeValue = string | number | boolean | null
export type WorkerAttributes = Readonly<Record<string, AttributeValue>>

/**
 * One snapshot of one employment, as ingest stored it: every date that decides something is already an instant,
 * resolved once in the worker's zone (DESIGN §3).
 */
export type Worker = {
  readonly personKey: PersonKey
  readonly employmentKey: EmploymentKey
  readonly primary: boolean
  readonly status: WorkerStatus
  readonly involuntary: boolean
  /** ISO date or null; only orders employments when no single one is primary. */
  readonly hireDate: string | null
  /** End of `lastDayOfWork` in the worker's zone: the first instant of the next day. */
  readonly lastDayEndsAt: Instant | null
  /** End of `contractEndDate`, likewise. */
  readonly contractEndsAt: Instant | null
  /**
   * All other attributes, flat: the body's own names (givenName, department, jobCode …) and `custom.<name>`.
   * Absent is null. Rules and account mappings read these.
   */
  readonly attributes: WorkerAttributes
}

/** An accepted worker event. */
export type WorkerEvent = {
  readonly source: string
  /** HR's event id; (source, id) is unique among accepted events. May be personal data. */
  readonly id: string
  readonly action: 'assert' | 'correct' | 'rescind'
  /** Id (same source) of the assertion that `correct` and `rescind` remove. */
  readonly supersedes: string | null
  readonly effectiveAt: Instant
  /** CloudEvents `recordedtime`, else `time`. */
  readonly recordedAt: Instant
  /** CloudEvents `sequence`, compared as text; '' when absent. */
  readonly sequence: string
  readonly urgency: 'normal' | 'immediate'
  /** When ingest stored it, by the database's clock. Involuntary and immediate terminations end access then. */
  readonly receivedAt: Instant
  readonly worker: Worker
}
