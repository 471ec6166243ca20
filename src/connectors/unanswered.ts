import { isElsewhere, type Outcome, type RefusalReason } from '../domain/outcome.ts'

/** Refusals that are about who reads, not about what was to be read. */
const ofReader: ReadonlySet<RefusalReason> = new Set(['credential', 'not-allowed', 'configuration', 'invalid'])

/**
 * What is told of an operation that waits for a read of something else, by what `observe` says of it meanwhile. Only whose
 * trouble it is: what a single look shows of the operation itself, `apply` would not believe at once.
 */
export const unanswered = (observed: Outcome | undefined, waits: Outcome): Outcome => {
  switch (observed?.kind) {
    case 'throttled':
      return observed
    case 'refused':
      return ofReader.has(observed.reason) ? observed : waits
    case 'unknown':
      return isElsewhere(observed.cause) ? { kind: 'retry', cause: observed.cause } : waits
    case 'done':
    case 'pending':
    case 'retry':
    case undefined:
      return waits
    default:
      return observed satisfies never
  }
}
