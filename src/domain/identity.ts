import type { EmploymentKey } from './ids.ts'
import type { Instant } from './instant.ts'
import type { Worker, WorkerEvent } from './worker-event.ts'

/** One assertion in force: from its own effectiveAt until the next assertion of the same employment begins. */
export type Snapshot = { readonly event: WorkerEvent; readonly from: Instant; readonly to: Instant | null }

/** Everything HR says about one employment after corrections and rescissions: in fold order. */
export type EmploymentHistory = {
  readonly employmentKey: EmploymentKey
  /** Empty when every assertion was rescinded. */
  readonly snapshots: readonly Snapshot[]
  /** Half-open spans without access although a snapshot of an access-giving status may be in force (terminations). */
  readonly blocked: readonly { readonly from: Instant; readonly to: Instant | null }[]
  /** Those of them that an involuntary or immediate termination began. */
  readonly endedAtOnce: readonly { readonly from: Instant; readonly to: Instant | null }[]
}

export type IdentityHistory = {
  readonly employments: readonly EmploymentHistory[]
  /** Sorted, unique: every moment at which what `identityAt` answers may change. */
  readonly changePoints: readonly Instant[]
}

export type EmploymentState = 'prehire' | 'active' | 'leave' | 'suspended' | 'ended' | 'rescinded'

export type EmploymentAt = {
  readonly employmentKey: EmploymentKey
  readonly state: EmploymentState
  /** active, leave and suspended give access; the others do not. */
  readonly givesAccess: boolean
  /** The snapshot in force, else the first one to come (prehire), else null (rescinded). */
  readonly worker: Worker | null
}

export type LifecycleState = 'prehire' | 'active' | 'leave' | 'suspended' | 'terminated'

/** The person at one moment of valid time. */
export type IdentityAt = {
  readonly employments: readonly EmploymentAt[]
  /** Best state of any employment: active > leave > suspended > prehire > terminated. */
  readonly lifecycle: LifecycleState
  /** An employment ended or was rescinded, and none gives access (DESIGN §4). Only-prehire is no leaver. */
  readonly leaver: boolean
  /** Account attributes come from here; null when no employment has a snapshot. */
  readonly primary: Worker | null
  /** The accounts of this person may sign in: some employment is active. leave and suspended keep access, disabled. */
  readonly accountsEnabled: boolean
}
