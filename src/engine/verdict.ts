import type { Outcome } from '../domain/outcome.ts'
import type { Next } from '../planning/retry.ts'
import type { ClaimedAction } from './claim.ts'

/** One action with what its call told, and what follows from that. */
export type Verdict = {
  readonly action: ClaimedAction
  readonly outcome: Outcome
  readonly next: Next
  /** Its change may have gone out in this attempt. */
  readonly sent: boolean
  /** From now on, by the database's clock, ms; null: it has none. Absent: as it was. */
  readonly deadline?: number | null
}

/** `rejected`: the lease was lost meanwhile; nothing is written, and whatever the call did must be observed and repaired. */
export type Settled = 'settled' | 'rejected'
