import type { Cause, Outcome, RefusalReason } from '../../domain/outcome.ts'

/** Why an exchange did not succeed. */
export type Failure = {
  /** HTTP status; null when Graph said nothing. */
  readonly status: number | null
  /** Graph's error code and request id, or the system's code of a broken connection. */
  readonly code: string
  readonly word: string
  /** Graph's own text: may be personal data. */
  readonly message?: string
  /** Whether the request may have reached Graph. */
  readonly sent: boolean
  /** Of `throttled`: when to ask again, and what is used up. */
  readonly retryAfterMs?: number
  readonly scope?: string
}

export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: Failure }

export const ok = <T>(value: T): Result<T> => ({ ok: true, value })
export const failed = (failure: Failure): { readonly ok: false; readonly failure: Failure } => ({ ok: false, failure })

type Verdict =
  | { readonly kind: 'throttled' | 'retry' | 'unknown' }
  | { readonly kind: 'refused'; readonly reason: RefusalReason }
  /** Something named in the request is not there, or not yet: the caller reads which. */
  | { readonly kind: 'missing' }

type Row = {
  readonly word: string
  readonly verdict: Verdict
  /** One element may have caused it for the whole request: worth reading what is there, and sending the others. */
  readonly element?: true
}

const refused = (reason: RefusalReason): Verdict => ({ kind: 'refused', reason })

/** HTTP status → what we know then (facts: Graph error codes). The code beside it is too generic to decide anything. */
const table: Readonly<Record<number, Row>> = {
  400: { word: 'bad-request', verdict: refused('invalid'), element: true },
  401: { word: 'not-signed-in', verdict: refused('credential') },
  403: { word: 'forbidden', verdict: refused('not-allowed') },
  404: { word: 'not-found', verdict: { kind: 'missing' }, element: true },
  405: { word: 'method-not-allowed', verdict: refused('configuration') },
  406: { word: 'not-acceptable', verdict: refused('configuration') },
  408: { word: 'request-timeout', verdict: { kind: 'unknown' } },
  409: { word: 'conflict', verdict: { kind: 'retry' } },
  410: { word: 'gone', verdict: { kind: 'missing' } },
  411: { word: 'length-required', verdict: refused('configuration') },
  412: { word: 'precondition-failed', verdict: { kind: 'retry' } },
  413: { word: 'too-large', verdict: refused('invalid') },
  415: { word: 'media-type', verdict: refused('configuration') },
  422: { word: 'unprocessable', verdict: refused('invalid'), element: true },
  423: { word: 'locked', verdict: { kind: 'retry' } },
  // Part of a $batch that waited for one that failed: never begun.
  424: { word: 'failed-dependency', verdict: { kind: 'retry' } },
  429: { word: 'throttled', verdict: { kind: 'throttled' } },
  500: { word: 'server-error', verdict: { kind: 'unknown' } },
  501: { word: 'not-implemented', verdict: refused('configuration') },
  502: { word: 'bad-gateway', verdict: { kind: 'unknown' } },
  503: { word: 'unavailable', verdict: { kind: 'unknown' } },
  504: { word: 'gateway-timeout', verdict: { kind: 'unknown' } },
  507: { word: 'no-room', verdict: refused('limit') },
}

/** Graph's codes that say more than their status does. */
const codes: Readonly<Record<string, Row>> = {
  Directory_QuotaExceeded: { word: 'quota', verdict: refused('limit') },
  Directory_ConcurrencyViolation: { word: 'conflict', verdict: { kind: 'retry' } },
  Directory_BindingRedirection: { word: 'redirected', verdict: { kind: 'unknown' } },
  // Of a list that is read page by page: it says nothing of what is listed. A change log begins anew (changes.ts).
  Directory_ExpiredPageToken: { word: 'page-expired', verdict: { kind: 'retry' } },
}

const fallback: Row = { word: 'unlisted-status', verdict: { kind: 'unknown' } }

/** Code as it is recorded: `Request_BadRequest/9b3c…`, the request id last. */
const bareCode = (code: string): string => code.split('/')[0] ?? code

const rowOf = ({ status, code }: Failure): Row => {
  const known = codes[bareCode(code)]
  if (known !== undefined) return known
  return status === null ? fallback : (table[status] ?? fallback)
}

export type Said = {
  readonly status: number
  readonly code: string
  readonly requestId: string
  readonly message: string
  readonly retryAfterMs: number | null
  readonly scope: string
}

/** How long a lane waits when Graph says «later» and not when: the window of its resource units. */
export const defaultRetryAfterMs = 10_000

/** What Graph answered, as a failure. A 503 that names a time has not done anything; without one nobody knows. */
export const statusFailure = ({ status, code, requestId, message, retryAfterMs, scope }: Said): Failure => {
  const isThrottled = status === 429 || (status === 503 && retryAfterMs !== null)
  const failure: Failure = {
    status: isThrottled ? 429 : status,
    code: [code === '' ? String(status) : code, requestId].filter((text) => text !== '').join('/'),
    word: '',
    sent: true,
    ...(message === '' ? {} : { message }),
    ...(isThrottled ? { retryAfterMs: retryAfterMs ?? defaultRetryAfterMs, scope } : {}),
  }
  return { ...failure, word: rowOf(failure).word }
}

const pageLost = 'page-lost'

export const causeOf = (failure: Failure): Cause => ({
  code: failure.code,
  word: failure.word,
  ...(failure.message === undefined ? {} : { message: failure.message }),
  ...(isOfGraph(failure) ? { elsewhere: true as const } : {}),
})

/**
 * No connection, no token (both have a code; what we cannot use of an answer has none), no turn, or Graph itself was not well. A
 * page that it does not find is an answer.
 */
const isOfGraph = ({ status, code, word }: Failure): boolean => {
  if (status !== null) return status === 408 || status >= 500
  return word !== pageLost && (code !== '' || word === 'stopped')
}

export const isElementCaused = (failure: Failure): boolean => failure.status !== null && rowOf(failure).element === true
export const isMissing = (failure: Failure): boolean =>
  failure.status !== null && rowOf(failure).verdict.kind === 'missing'
/** A page after the first that Graph does not find: what is listed was there a moment ago, and the list is not whole. */
export const laterPageFailure = (failure: Failure): Failure =>
  isMissing(failure) ? { ...failure, status: null, word: pageLost } : failure
export const isPageLost = ({ word }: Failure): boolean => word === pageLost
export const isThrottled = (failure: Failure): boolean => failure.word === 'throttled'

/** Which object the request named: decides what «not there» means. */
export type Subject = 'account' | 'entitlement'

/** Outcome of a change that Graph did not confirm. */
export const outcomeOfWrite = (failure: Failure, subject: Subject): Outcome => {
  const cause = causeOf(failure)
  if (isThrottled(failure))
    return {
      kind: 'throttled',
      retryAfterMs: failure.retryAfterMs ?? defaultRetryAfterMs,
      scope: failure.scope ?? 'target',
    }
  if (failure.status === null) return failure.sent ? { kind: 'unknown', cause } : { kind: 'retry', cause }
  const { verdict } = rowOf(failure)
  switch (verdict.kind) {
    case 'throttled':
    case 'unknown':
      return { kind: 'unknown', cause }
    case 'retry':
      return { kind: 'retry', cause }
    case 'refused':
      return { kind: 'refused', reason: verdict.reason, cause }
    case 'missing':
      return { kind: 'refused', reason: subject === 'account' ? 'account-missing' : 'entitlement-missing', cause }
    default:
      return verdict satisfies never
  }
}

/**
 * Outcome of a change of an account that was read a moment before: Graph's «not found» then is a replica that does not know it
 * yet, or it was deleted since; the next look tells.
 */
export const outcomeOfChange = (failure: Failure): Outcome =>
  isMissing(failure)
    ? { kind: 'retry', cause: { ...causeOf(failure), word: 'not-replicated' } }
    : outcomeOfWrite(failure, 'account')

/** Outcome of an operation whose reads failed before anything was written. */
export const outcomeOfRead = (failure: Failure, subject: Subject): Outcome => {
  const outcome = outcomeOfWrite(failure, subject)
  return outcome.kind === 'unknown' ? { kind: 'retry', cause: outcome.cause } : outcome
}

/** What a snapshot gives as the reason why it is not complete. */
export const failureText = ({ word, code }: Failure): string => (code === '' ? word : `${word} (${code})`)
