import {
  ExpiredTokenException,
  IDPCommunicationErrorException,
  IDPRejectedClaimException,
  InvalidIdentityTokenException,
  STSServiceException,
} from '@aws-sdk/client-sts'
import { expect, test } from 'vitest'
import { credentialTrouble } from '../../../../src/connectors/aws-wire/credential-trouble.ts'
import { failureOf } from '../../../../src/connectors/aws-wire/errors.ts'

const answered = (httpStatusCode: number) => ({ message: 'a text of theirs', $metadata: { httpStatusCode } })
const unnamed = (name: string, status: number) =>
  new STSServiceException({ name, $fault: status < 500 ? 'client' : 'server', ...answered(status) })

/** As the SDK throws them: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html */
test.each([
  ['the identity provider cannot be reached', new IDPCommunicationErrorException(answered(400)), 'retry'],
  ['the request took too long', unnamed('RequestTimeout', 408), 'retry'],
  ['STS is not well', unnamed('InternalFailure', 500), 'retry'],
  ['our clock is wrong', unnamed('RequestExpired', 400), 'retry'],
  ['the identity provider says no', new IDPRejectedClaimException(answered(403)), 'refused'],
  ['the token is none', new InvalidIdentityTokenException(answered(400)), 'refused'],
  ['the token is of yesterday', new ExpiredTokenException(answered(400)), 'refused'],
  ['the role does not let Muster in', unnamed('AccessDenied', 403), 'refused'],
])('credentials are not had, and no call was sent: %s', (_, error, kind) => {
  const failure = failureOf(credentialTrouble(error))
  expect(failure.verdict).toEqual(kind === 'retry' ? { kind } : { kind, reason: 'credential' })
  expect(failure.sent).toBe('not-sent')
})
