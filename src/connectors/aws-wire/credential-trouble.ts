import { failureOf, member, statusOf, textOf } from './errors.ts'

export const secretUnreadable = (): Error =>
  Object.assign(new Error('a secret cannot be read'), { name: 'SecretUnreadable' })

/**
 * An exchange for credentials that failed, so that it is not taken for a failure of the call that they were for: what STS refuses
 * is a refused credential, and all else did not send that call. A file that cannot be opened, and throttling, say so themselves.
 */
export const credentialTrouble = (error: unknown): unknown => {
  if (!(error instanceof Error) || textOf(member(error, 'syscall')) === 'open') return error
  const { code, verdict, word } = failureOf(error)
  if (verdict.kind === 'throttled') return error
  const status = statusOf(error)
  // The identity provider could not be reached: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
  const isPassing = error.name === 'IDPCommunicationErrorException' || status === 408
  const isRefused = status !== null && status >= 400 && status < 500 && word !== 'clock-skew' && !isPassing
  return Object.assign(new Error(error.message), {
    name: isRefused ? 'SignInRefused' : 'CredentialsProviderError',
    code,
  })
}
