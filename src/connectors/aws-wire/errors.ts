import type { Cause, Outcome, RefusalReason } from '../../domain/outcome.ts'

/** Whether the request may have reached AWS. */
export type Sent = 'not-sent' | 'sent' | 'answered'

/** Why a call did not succeed. */
export type Failure = {
  /** The exception's name, or the system's code of a broken connection. */
  readonly code: string
  readonly word: string
  readonly verdict: Verdict
  readonly sent: Sent
  /** AWS's own text: may be personal data. */
  readonly message?: string
  /** Throttled: when to come back. */
  readonly retryAfterMs?: number
}

export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: Failure }
export const ok = <T>(value: T): Result<T> => ({ ok: true, value })
export const failed = (failure: Failure): { readonly ok: false; readonly failure: Failure } => ({ ok: false, failure })

export type Verdict =
  | { readonly kind: 'throttled' | 'retry' | 'unknown' }
  | { readonly kind: 'refused'; readonly reason: RefusalReason }
  /** It is there (or gone) already, or the name is taken: the caller reads. */
  | { readonly kind: 'already' }
  /** AWS says what is missing, or (sso-admin) does not: then the caller reads. */
  | { readonly kind: 'missing'; readonly what: 'account' | 'entitlement' | 'membership' | 'something' }

type Row = { readonly word: string; readonly verdict: Verdict }

const refused = (reason: RefusalReason): Verdict => ({ kind: 'refused', reason })
const missing = (what: Extract<Verdict, { kind: 'missing' }>['what']): Verdict => ({ kind: 'missing', what })

/**
 * Exceptions of identitystore, sso-admin (service models 2020-06-15 and 2020-07-20), iam, and of every AWS service (IAM user
 * guide, common errors) → what we know then. `Name DETAIL` (Reason or ResourceType) goes before `Name`. What is not listed
 * is `unknown`.
 */
const table: Readonly<Record<string, Row>> = {
  'ConflictException UNIQUENESS_CONSTRAINT_VIOLATION': { word: 'already-there', verdict: { kind: 'already' } },
  'ConflictException CONCURRENT_MODIFICATION': { word: 'concurrent-modification', verdict: { kind: 'retry' } },
  // sso-admin: an earlier write has not spread yet, or the AWS account is being changed.
  ConflictException: { word: 'conflict', verdict: { kind: 'retry' } },
  'ResourceNotFoundException USER': { word: 'no-such-user', verdict: missing('account') },
  'ResourceNotFoundException GROUP': { word: 'no-such-group', verdict: missing('entitlement') },
  'ResourceNotFoundException GROUP_MEMBERSHIP': { word: 'no-such-membership', verdict: missing('membership') },
  'ResourceNotFoundException IDENTITY_STORE': { word: 'no-such-identity-store', verdict: refused('configuration') },
  'ResourceNotFoundException KMS_KEY_NOT_FOUND': { word: 'kms', verdict: refused('configuration') },
  'ResourceNotFoundException KMS_NotFoundException': { word: 'kms', verdict: refused('configuration') },
  ResourceNotFoundException: { word: 'not-found', verdict: missing('something') },
  ThrottlingException: { word: 'throttled', verdict: { kind: 'throttled' } },
  Throttling: { word: 'throttled', verdict: { kind: 'throttled' } },
  TooManyRequestsException: { word: 'throttled', verdict: { kind: 'throttled' } },
  RequestLimitExceeded: { word: 'throttled', verdict: { kind: 'throttled' } },
  AccessDeniedException: { word: 'access-denied', verdict: refused('not-allowed') },
  AccessDenied: { word: 'access-denied', verdict: refused('not-allowed') },
  'AccessDeniedException KMS_ACCESS_DENIED': { word: 'kms', verdict: refused('configuration') },
  'AccessDeniedException KMS_AccessDeniedException': { word: 'kms', verdict: refused('configuration') },
  NotAuthorized: { word: 'access-denied', verdict: refused('not-allowed') },
  UnauthorizedException: { word: 'access-denied', verdict: refused('not-allowed') },
  ValidationException: { word: 'invalid', verdict: refused('invalid') },
  ValidationError: { word: 'invalid', verdict: refused('invalid') },
  'ValidationException KMS_INVALID_ARN': { word: 'kms', verdict: refused('configuration') },
  'ValidationException KMS_INVALID_KEY_USAGE': { word: 'kms', verdict: refused('configuration') },
  'ValidationException KMS_INVALID_STATE': { word: 'kms', verdict: refused('configuration') },
  'ValidationException KMS_DISABLED': { word: 'kms', verdict: refused('configuration') },
  ServiceQuotaExceededException: { word: 'quota', verdict: refused('limit') },
  InternalServerException: { word: 'internal', verdict: { kind: 'unknown' } },
  InternalFailure: { word: 'internal', verdict: { kind: 'unknown' } },
  ServiceUnavailable: { word: 'unavailable', verdict: { kind: 'unknown' } },
  UnrecognizedClientException: { word: 'unknown-credentials', verdict: refused('credential') },
  InvalidClientTokenId: { word: 'unknown-credentials', verdict: refused('credential') },
  InvalidSignatureException: { word: 'bad-signature', verdict: refused('credential') },
  SignatureDoesNotMatch: { word: 'bad-signature', verdict: refused('credential') },
  IncompleteSignature: { word: 'bad-signature', verdict: refused('credential') },
  MissingAuthenticationToken: { word: 'no-credentials', verdict: refused('credential') },
  MissingAuthenticationTokenException: { word: 'no-credentials', verdict: refused('credential') },
  OptInRequired: { word: 'not-subscribed', verdict: refused('configuration') },
  UnknownOperationException: { word: 'no-such-operation', verdict: refused('configuration') },
  // iam (service model 2010-05-08), as the SDK names them. The kind of what is missing is in its message only: the caller reads.
  NoSuchEntityException: { word: 'no-such-entity', verdict: missing('something') },
  NoSuchEntity: { word: 'no-such-entity', verdict: missing('something') },
  EntityAlreadyExistsException: { word: 'already-there', verdict: { kind: 'already' } },
  EntityTemporarilyUnmodifiableException: { word: 'unmodifiable-now', verdict: { kind: 'retry' } },
  ConcurrentModificationException: { word: 'concurrent-modification', verdict: { kind: 'retry' } },
  LimitExceededException: { word: 'quota', verdict: refused('limit') },
  LimitExceeded: { word: 'quota', verdict: refused('limit') },
  MalformedPolicyDocumentException: { word: 'malformed-policy', verdict: refused('invalid') },
  InvalidInputException: { word: 'invalid', verdict: refused('invalid') },
  UnmodifiableEntityException: { word: 'unmodifiable', verdict: refused('protected') },
  ServiceFailureException: { word: 'internal', verdict: { kind: 'unknown' } },
  ExpiredTokenException: { word: 'expired-credentials', verdict: refused('credential') },
  ExpiredToken: { word: 'expired-credentials', verdict: refused('credential') },
  // Refused before it was looked at: the next attempt has the right time.
  RequestExpired: { word: 'clock-skew', verdict: { kind: 'retry' } },
  RequestTimeTooSkewed: { word: 'clock-skew', verdict: { kind: 'retry' } },
}
export const listedErrors: readonly string[] = Object.keys(table)

/** Of the system: the request did not leave. A name that cannot be resolved, nobody listening, a certificate refused. */
const unsentCalls = new Set(['connect', 'getaddrinfo'])
const unsentCodes =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_|ERR_SSL_)/

/** Credentials could not be had, by what was thrown (the SDK, credential-trouble.ts): nothing was sent with them. */
const ofCredentials: ReadonlyMap<string, Row> = new Map([
  ['CredentialsProviderError', { word: 'no-credentials', verdict: { kind: 'retry' } }],
  ['TokenProviderError', { word: 'no-credentials', verdict: { kind: 'retry' } }],
  ['SecretUnreadable', { word: 'secret-unreadable', verdict: refused('credential') }],
  ['SignInRefused', { word: 'sign-in-refused', verdict: refused('credential') }],
])

/** How long a family waits when AWS says too many and names no time (sso-admin never does). */
const throttledMs = 1_000

export const member = (error: object, name: string): unknown => Object.entries(error).find(([key]) => key === name)?.[1]
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** What the SDK threw. Anything but an error of a call is a bug, and is thrown on. */
export const failureOf = (error: unknown): Failure => {
  if (!(error instanceof Error)) throw error
  const status = statusOf(error)
  const { name, message } = error
  const said = message === '' ? {} : { message }
  if (status === null) {
    const code = textOf(member(error, 'code'))
    const notHad = ofCredentials.get(name)
    if (notHad !== undefined) return { code: code || name, ...notHad, sent: 'not-sent', ...said }
    // The SDK's own timeout of connecting has no code, that of the answer has one.
    const isUnsent =
      unsentCalls.has(textOf(member(error, 'syscall'))) ||
      unsentCodes.test(code) ||
      (name === 'TimeoutError' && code === '')
    // Credentials come before the request: a token file that cannot be opened has kept it here.
    if (textOf(member(error, 'syscall')) === 'open')
      return { code, word: 'unreadable-token-file', verdict: refused('credential'), sent: 'not-sent', ...said }
    if (code === '' && name !== 'TimeoutError' && name !== 'AbortError') throw error
    return {
      code: code === '' ? name : code,
      word: isUnsent ? 'unreachable' : 'no-answer',
      verdict: { kind: isUnsent ? 'retry' : 'unknown' },
      sent: isUnsent ? 'not-sent' : 'sent',
      ...said,
    }
  }
  const detail = textOf(member(error, 'Reason')) || textOf(member(error, 'ResourceType'))
  const row = table[`${name} ${detail}`] ?? table[name]
  if (row === undefined || (status >= 500 && row.verdict.kind !== 'throttled')) {
    const word = row?.word ?? (status >= 500 ? 'server-error' : 'unlisted')
    return {
      code: row === undefined ? String(status) : name,
      word,
      verdict: { kind: 'unknown' },
      sent: 'answered',
      ...said,
    }
  }
  const seconds = member(error, 'RetryAfterSeconds')
  const wait = typeof seconds === 'number' && seconds > 0 ? seconds * 1_000 : throttledMs
  return {
    code: name,
    ...row,
    sent: 'answered',
    ...said,
    ...(row.verdict.kind === 'throttled' ? { retryAfterMs: wait } : {}),
  }
}

/** HTTP status of the answer; null when there was none. */
export const statusOf = (error: Error): number | null => {
  for (const [holder, name] of [
    ['$metadata', 'httpStatusCode'],
    ['$response', 'statusCode'],
  ] as const) {
    const inner = Object.getOwnPropertyDescriptor(error, holder)?.value
    const status = typeof inner === 'object' && inner !== null ? member(inner, name) : undefined
    if (typeof status === 'number') return status
  }
  return null
}

export const causeOf = ({ code, word, message, sent }: Failure): Cause => ({
  code,
  word,
  ...(message === undefined ? {} : { message }),
  ...(sent !== 'answered' || ofAws.has(word) ? { elsewhere: true as const } : {}),
})

/** AWS itself, or our clock, is not well. */
const ofAws: ReadonlySet<string> = new Set(['internal', 'unavailable', 'server-error', 'clock-skew'])

export const isMissing = (
  { verdict }: Failure,
  ...what: readonly Extract<Verdict, { kind: 'missing' }>['what'][]
): boolean => verdict.kind === 'missing' && what.includes(verdict.what)

export const refusal = (reason: RefusalReason, word: string): Outcome => ({
  kind: 'refused',
  reason,
  cause: { code: '', word },
})
export const retry = (word: string, retryAfterMs?: number): Outcome => ({
  kind: 'retry',
  cause: { code: '', word },
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
})

/** Outcome of a change that AWS did not confirm. */
export const outcomeOfWrite = (failure: Failure): Outcome => {
  const cause = causeOf(failure)
  if (failure.sent === 'not-sent') {
    if (failure.verdict.kind === 'throttled')
      return { kind: 'throttled', retryAfterMs: failure.retryAfterMs ?? throttledMs, scope: 'target' }
    return failure.verdict.kind === 'refused'
      ? { kind: 'refused', reason: failure.verdict.reason, cause }
      : { kind: 'retry', cause }
  }
  if (failure.sent === 'sent') return { kind: 'unknown', cause }
  const { verdict } = failure
  switch (verdict.kind) {
    case 'throttled':
      return { kind: 'throttled', retryAfterMs: failure.retryAfterMs ?? throttledMs, scope: 'target' }
    case 'unknown':
      return { kind: 'unknown', cause }
    case 'retry':
    case 'already':
      return { kind: 'retry', cause }
    case 'refused':
      return { kind: 'refused', reason: verdict.reason, cause }
    case 'missing':
      if (verdict.what === 'account') return { kind: 'refused', reason: 'account-missing', cause }
      if (verdict.what === 'entitlement') return { kind: 'refused', reason: 'entitlement-missing', cause }
      return { kind: 'retry', cause }
    default:
      return verdict satisfies never
  }
}

/** Outcome of an operation whose reads failed before anything was written. */
export const outcomeOfRead = (failure: Failure): Outcome => {
  const outcome = outcomeOfWrite(failure)
  return outcome.kind === 'unknown' ? { kind: 'retry', cause: outcome.cause } : outcome
}

/** Outcome of a change that was made and could not be read back. */
export const unverified = (failure: Failure): Outcome => ({
  kind: 'unknown',
  cause: { ...causeOf(failure), word: `unverified-${failure.word}` },
})

/** For a cause that is one text. */
export const failureText = ({ word, code }: Failure): string => (code === '' ? word : `${word} (${code})`)
