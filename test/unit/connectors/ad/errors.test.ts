import { describe, expect, test } from 'vitest'
import { outcomeOfChange, windowsError } from '../../../../src/connectors/ad/errors.ts'
import { resultFailure } from '../../../../src/connectors/ldap-wire/errors.ts'

describe('the Windows error in front of the text decides where it is known', () => {
  test.each([
    [53, '0000052D: SvcErr: DSID-031A12D2, problem 5003 (WILL_NOT_PERFORM), data 0', 'refused invalid needs-password'],
    [19, '0000052d: Constraint violation - check_password_restrictions', 'refused invalid needs-password'],
    [68, '00000524: UpdErr: DSID-031A11C4, problem 6005 (ENTRY_EXISTS), data 0', 'refused name-taken name-taken'],
    [19, '000021C8: AtrErr: DSID-03200BD7, #1', 'refused name-taken upn-taken'],
    [
      53,
      '00002077: SvcErr: DSID-03190F0A, problem 5003 (WILL_NOT_PERFORM)',
      'refused not-allowed unwilling-to-perform',
    ],
    [
      50,
      '00002098: SecErr: DSID-03150F94, problem 4003 (INSUFF_ACCESS_RIGHTS)',
      'refused not-allowed insufficient-access',
    ],
    [53, 'needs 0000052D: somewhere else', 'refused not-allowed unwilling-to-perform'],
    [80, '', 'unknown other'],
    [52, '', 'retry unavailable'],
  ])('%i %s', (code, message, expected) => {
    const outcome = outcomeOfChange(resultFailure(code, message), 'account')
    if (!('cause' in outcome)) throw new Error(`no cause: ${outcome.kind}`)
    const reason = outcome.kind === 'refused' ? ` ${outcome.reason}` : ''
    expect(`${outcome.kind}${reason} ${outcome.cause.word}`).toBe(expected)
  })
})

test('no code, no word', () => {
  expect(windowsError(resultFailure(53, 'no'))).toBeUndefined()
})
