import type { Outcome } from '../../domain/outcome.ts'
import { causeOf, type Failure } from '../ldap-wire/errors.ts'

/** The controller said that it is so, or a read did: not proved yet. */
export type Written = {
  readonly kind: 'written'
  readonly changed: boolean
  /** Result code of the change; '' when none was sent. */
  readonly code: string
  /** Of the lock of an account: whether it was open, the change having named the value that it replaced. */
  readonly wasEnabled?: boolean
}

/** The read that was to prove it failed. */
export const unverified = (failure: Failure, changed: boolean): Outcome => ({
  kind: changed ? 'unknown' : 'retry',
  cause: { ...causeOf(failure), word: `unverified-${failure.word}` },
})
