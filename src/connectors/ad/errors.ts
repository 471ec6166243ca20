import type { Outcome } from '../../domain/outcome.ts'
import { causeOf, type Failure, outcomeOfWrite, type Subject } from '../ldap-wire/errors.ts'

/**
 * AD begins its messages with the Windows error in hex; it tells what the LDAP code does not (MS-ERREF §2.2). The text
 * itself is only for the record.
 */
export const windowsError = ({ message }: Failure): string | undefined =>
  /^([0-9A-F]{8}):/i.exec(message ?? '')?.[1]?.toUpperCase()

const words: Readonly<Record<string, Pick<Extract<Outcome, { kind: 'refused' }>, 'reason'> & { word: string }>> = {
  /** ERROR_PASSWORD_RESTRICTION: the account would be enabled without a password that the policy takes. */
  '0000052D': { reason: 'invalid', word: 'needs-password' },
  /** ERROR_USER_EXISTS. */
  '00000524': { reason: 'name-taken', word: 'name-taken' },
  /** ERROR_DS_UPN_VALUE_NOT_UNIQUE_IN_FOREST. */
  '000021C8': { reason: 'name-taken', word: 'upn-taken' },
  /** ERROR_DS_ATT_VAL_ALREADY_EXISTS of a new entry's name. */
  '00002083': { reason: 'name-taken', word: 'name-taken' },
}

/** Outcome of a change that the controller did not confirm. */
export const outcomeOfChange = (failure: Failure, subject: Subject): Outcome => {
  const known = failure.result === null ? undefined : words[windowsError(failure) ?? '']
  if (known === undefined) return outcomeOfWrite(failure, subject)
  return { kind: 'refused', reason: known.reason, cause: { ...causeOf(failure), word: known.word } }
}
