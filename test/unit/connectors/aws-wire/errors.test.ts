import { describe, expect, test } from 'vitest'
import { failureOf, listedErrors, outcomeOfRead, outcomeOfWrite } from '../../../../src/connectors/aws-wire/errors.ts'
import type { Outcome } from '../../../../src/domain/outcome.ts'

/** What the SDK throws for an answer of AWS. */
const answered = (name: string, more: Readonly<Record<string, unknown>> = {}, status = 400): Error =>
  Object.assign(new Error('what AWS said'), { name, $metadata: { httpStatusCode: status }, ...more })
const broken = (name: string, more: Readonly<Record<string, unknown>> = {}): Error =>
  Object.assign(new Error('what the system said'), { name, $metadata: { attempts: 1 }, ...more })
const word = (outcome: Outcome): string => {
  if (outcome.kind === 'refused') return `refused:${outcome.reason}`
  return outcome.kind === 'retry' || outcome.kind === 'unknown' ? `${outcome.kind}:${outcome.cause.word}` : outcome.kind
}

/** facts: exception → what a write then is, and what a read before it is. */
const pinned: Readonly<Record<string, readonly [string, string]>> = {
  'ConflictException UNIQUENESS_CONSTRAINT_VIOLATION': ['retry:already-there', 'retry:already-there'],
  'ConflictException CONCURRENT_MODIFICATION': ['retry:concurrent-modification', 'retry:concurrent-modification'],
  ConflictException: ['retry:conflict', 'retry:conflict'],
  'ResourceNotFoundException USER': ['refused:account-missing', 'refused:account-missing'],
  'ResourceNotFoundException GROUP': ['refused:entitlement-missing', 'refused:entitlement-missing'],
  'ResourceNotFoundException GROUP_MEMBERSHIP': ['retry:no-such-membership', 'retry:no-such-membership'],
  'ResourceNotFoundException IDENTITY_STORE': ['refused:configuration', 'refused:configuration'],
  'ResourceNotFoundException KMS_KEY_NOT_FOUND': ['refused:configuration', 'refused:configuration'],
  'ResourceNotFoundException KMS_NotFoundException': ['refused:configuration', 'refused:configuration'],
  ResourceNotFoundException: ['retry:not-found', 'retry:not-found'],
  ThrottlingException: ['throttled', 'throttled'],
  Throttling: ['throttled', 'throttled'],
  TooManyRequestsException: ['throttled', 'throttled'],
  RequestLimitExceeded: ['throttled', 'throttled'],
  AccessDeniedException: ['refused:not-allowed', 'refused:not-allowed'],
  AccessDenied: ['refused:not-allowed', 'refused:not-allowed'],
  'AccessDeniedException KMS_ACCESS_DENIED': ['refused:configuration', 'refused:configuration'],
  'AccessDeniedException KMS_AccessDeniedException': ['refused:configuration', 'refused:configuration'],
  NotAuthorized: ['refused:not-allowed', 'refused:not-allowed'],
  UnauthorizedException: ['refused:not-allowed', 'refused:not-allowed'],
  ValidationException: ['refused:invalid', 'refused:invalid'],
  ValidationError: ['refused:invalid', 'refused:invalid'],
  'ValidationException KMS_INVALID_ARN': ['refused:configuration', 'refused:configuration'],
  'ValidationException KMS_INVALID_KEY_USAGE': ['refused:configuration', 'refused:configuration'],
  'ValidationException KMS_INVALID_STATE': ['refused:configuration', 'refused:configuration'],
  'ValidationException KMS_DISABLED': ['refused:configuration', 'refused:configuration'],
  ServiceQuotaExceededException: ['refused:limit', 'refused:limit'],
  InternalServerException: ['unknown:internal', 'retry:internal'],
  InternalFailure: ['unknown:internal', 'retry:internal'],
  ServiceUnavailable: ['unknown:unavailable', 'retry:unavailable'],
  UnrecognizedClientException: ['refused:credential', 'refused:credential'],
  InvalidClientTokenId: ['refused:credential', 'refused:credential'],
  InvalidSignatureException: ['refused:credential', 'refused:credential'],
  SignatureDoesNotMatch: ['refused:credential', 'refused:credential'],
  IncompleteSignature: ['refused:credential', 'refused:credential'],
  MissingAuthenticationToken: ['refused:credential', 'refused:credential'],
  MissingAuthenticationTokenException: ['refused:credential', 'refused:credential'],
  OptInRequired: ['refused:configuration', 'refused:configuration'],
  UnknownOperationException: ['refused:configuration', 'refused:configuration'],
  NoSuchEntityException: ['retry:no-such-entity', 'retry:no-such-entity'],
  NoSuchEntity: ['retry:no-such-entity', 'retry:no-such-entity'],
  EntityAlreadyExistsException: ['retry:already-there', 'retry:already-there'],
  EntityTemporarilyUnmodifiableException: ['retry:unmodifiable-now', 'retry:unmodifiable-now'],
  ConcurrentModificationException: ['retry:concurrent-modification', 'retry:concurrent-modification'],
  LimitExceededException: ['refused:limit', 'refused:limit'],
  LimitExceeded: ['refused:limit', 'refused:limit'],
  MalformedPolicyDocumentException: ['refused:invalid', 'refused:invalid'],
  InvalidInputException: ['refused:invalid', 'refused:invalid'],
  UnmodifiableEntityException: ['refused:protected', 'refused:protected'],
  ServiceFailureException: ['unknown:internal', 'retry:internal'],
  ExpiredTokenException: ['refused:credential', 'refused:credential'],
  ExpiredToken: ['refused:credential', 'refused:credential'],
  RequestExpired: ['retry:clock-skew', 'retry:clock-skew'],
  RequestTimeTooSkewed: ['retry:clock-skew', 'retry:clock-skew'],
}

describe('what AWS answers', () => {
  test('every listed exception is pinned, and nothing else', () => {
    expect(Object.keys(pinned).sort()).toEqual([...listedErrors].sort())
  })

  test.each(Object.entries(pinned))('%s', (key, [write, read]) => {
    const [name = '', detail] = key.split(' ')
    const holder =
      detail === undefined
        ? {}
        : /^[A-Z_]+$/.test(detail) && !detail.startsWith('KMS') && name === 'ResourceNotFoundException'
          ? { ResourceType: detail }
          : { Reason: detail }
    const failure = failureOf(answered(name, holder))
    expect([word(outcomeOfWrite(failure)), word(outcomeOfRead(failure))]).toEqual([write, read])
    expect(failure).toMatchObject({ code: name, sent: 'answered', message: 'what AWS said' })
  })

  test('a detail that nobody knows leaves the exception what it is', () => {
    expect(word(outcomeOfWrite(failureOf(answered('ConflictException', { Reason: 'NEW' }))))).toBe('retry:conflict')
  })

  test('an exception that is not listed may have done anything', () => {
    expect(word(outcomeOfWrite(failureOf(answered('SomethingNew'))))).toBe('unknown:unlisted')
    expect(word(outcomeOfRead(failureOf(answered('SomethingNew'))))).toBe('retry:unlisted')
  })

  test('5xx on a write is unknown, whatever it is called; only throttling is surely not applied', () => {
    for (const status of [500, 502, 503, 504]) {
      expect(outcomeOfWrite(failureOf(answered('Unknown', {}, status))).kind).toBe('unknown')
      expect(outcomeOfWrite(failureOf(answered('AccessDeniedException', {}, status))).kind).toBe('unknown')
    }
    expect(outcomeOfWrite(failureOf(answered('ThrottlingException', {}, 503))).kind).toBe('throttled')
  })

  test('a body that is no JSON: the status counts', () => {
    const unparsed = new SyntaxError('Unexpected token <')
    Object.defineProperty(unparsed, '$response', { value: { statusCode: 502 }, enumerable: false })
    expect(word(outcomeOfWrite(failureOf(unparsed)))).toBe('unknown:server-error')
  })

  test('the time that AWS names is waited for; without one a second', () => {
    expect(outcomeOfWrite(failureOf(answered('ThrottlingException', { RetryAfterSeconds: 7 })))).toEqual({
      kind: 'throttled',
      retryAfterMs: 7_000,
      scope: 'target',
    })
    expect(outcomeOfWrite(failureOf(answered('ThrottlingException')))).toMatchObject({ retryAfterMs: 1_000 })
  })
})

describe('what does not come back', () => {
  test.each([
    ['nobody listens', broken('Error', { code: 'ECONNREFUSED', syscall: 'connect' })],
    ['connecting takes too long', broken('Error', { code: 'ETIMEDOUT', syscall: 'connect' })],
    ['the name is not known', broken('Error', { code: 'ENOTFOUND', syscall: 'getaddrinfo' })],
    ['the certificate is refused', broken('Error', { code: 'SELF_SIGNED_CERT_IN_CHAIN' })],
    ['the SDK gives up connecting', broken('TimeoutError')],
    ['there are no credentials', broken('CredentialsProviderError')],
  ])('%s: surely not applied', (_, error) => {
    expect(failureOf(error).sent).toBe('not-sent')
    expect(outcomeOfWrite(failureOf(error)).kind).toBe('retry')
  })

  test.each([
    ['the token file is not there', broken('Error', { code: 'ENOENT', syscall: 'open' })],
    ['the token file is not ours to read', broken('Error', { code: 'EACCES', syscall: 'open' })],
  ])('%s: a refused credential, surely not applied', (_, error) => {
    expect(failureOf(error).sent).toBe('not-sent')
    expect(outcomeOfWrite(failureOf(error))).toMatchObject({ kind: 'refused', reason: 'credential' })
  })

  test.each([
    ['the connection breaks', broken('Error', { code: 'ECONNRESET' })],
    ['the pipe breaks', broken('Error', { code: 'EPIPE' })],
    ['no answer in time', broken('TimeoutError', { code: 'ETIMEDOUT' })],
    ['we gave up', broken('AbortError')],
  ])('%s: may have been applied', (_, error) => {
    expect(failureOf(error).sent).toBe('sent')
    expect(outcomeOfWrite(failureOf(error)).kind).toBe('unknown')
    expect(outcomeOfRead(failureOf(error)).kind).toBe('retry')
  })

  test('a bug of ours is no outcome', () => {
    expect(() => failureOf(new TypeError('x is not a function'))).toThrow(TypeError)
    expect(() => failureOf('text')).toThrow('text')
  })
})
