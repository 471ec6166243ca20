import type { Cause, Outcome, RefusalReason } from '../../domain/outcome.ts'

/** Why an exchange did not succeed. */
export type Failure = {
  /** The server's result code as text, or the system's code of a broken connection. */
  readonly code: string
  /** LDAP result code; null when the server said nothing. */
  readonly result: number | null
  readonly word: string
  /** The server's own text: may be personal data. */
  readonly message?: string
  /** Whether the request may have reached the server. */
  readonly sent: boolean
  /** We could not sign in, and a human must mend it: it says nothing of what was asked for, nor of whether that is there. */
  readonly notLetIn?: true
}

export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: Failure }

export const ok = <T>(value: T): Result<T> => ({ ok: true, value })
export const failed = (failure: Failure): { readonly ok: false; readonly failure: Failure } => ({ ok: false, failure })

type Verdict =
  | { readonly kind: 'throttled' | 'retry' | 'unknown' }
  | { readonly kind: 'refused'; readonly reason: RefusalReason }
  /** The name in the request does not exist, or is another entry: the caller knows whether it named a group or an account. */
  | { readonly kind: 'missing' | 'changed-identity' }
  /** The values are there (or gone) already: the caller reads and sends the difference. */
  | { readonly kind: 'already' }

type Row = {
  readonly word: string
  readonly verdict: Verdict
  /** One value may have caused it for the whole batch: worth sending the halves. */
  readonly element?: true
}

const refused = (reason: RefusalReason): Verdict => ({ kind: 'refused', reason })

/** RFC 4511 §4.1.9 and RFC 4528 result codes → what we know then. A code that is not listed is `unknown`. */
const table: Readonly<Record<number, Row>> = {
  1: { word: 'operations-error', verdict: { kind: 'unknown' } },
  2: { word: 'protocol-error', verdict: refused('configuration') },
  3: { word: 'time-limit-exceeded', verdict: { kind: 'retry' } },
  4: { word: 'size-limit-exceeded', verdict: refused('configuration') },
  7: { word: 'auth-method-not-supported', verdict: refused('configuration') },
  8: { word: 'stronger-auth-required', verdict: refused('configuration') },
  10: { word: 'referral', verdict: refused('configuration') },
  11: { word: 'admin-limit-exceeded', verdict: { kind: 'throttled' } },
  12: { word: 'critical-extension-unavailable', verdict: refused('configuration') },
  13: { word: 'confidentiality-required', verdict: refused('configuration') },
  14: { word: 'sasl-bind-in-progress', verdict: refused('configuration') },
  16: { word: 'no-such-attribute', verdict: { kind: 'already' } },
  17: { word: 'undefined-attribute-type', verdict: refused('configuration') },
  18: { word: 'inappropriate-matching', verdict: refused('configuration') },
  19: { word: 'constraint-violation', verdict: refused('invalid'), element: true },
  20: { word: 'attribute-or-value-exists', verdict: { kind: 'already' } },
  21: { word: 'invalid-syntax', verdict: refused('invalid'), element: true },
  32: { word: 'no-such-object', verdict: { kind: 'missing' } },
  33: { word: 'alias-problem', verdict: refused('invalid') },
  34: { word: 'invalid-dn-syntax', verdict: refused('invalid'), element: true },
  36: { word: 'alias-dereferencing-problem', verdict: refused('invalid') },
  48: { word: 'inappropriate-authentication', verdict: refused('configuration') },
  49: { word: 'invalid-credentials', verdict: refused('credential') },
  50: { word: 'insufficient-access', verdict: refused('not-allowed'), element: true },
  51: { word: 'busy', verdict: { kind: 'throttled' } },
  52: { word: 'unavailable', verdict: { kind: 'retry' } },
  53: { word: 'unwilling-to-perform', verdict: refused('not-allowed'), element: true },
  54: { word: 'loop-detected', verdict: refused('configuration') },
  64: { word: 'naming-violation', verdict: refused('invalid'), element: true },
  65: { word: 'object-class-violation', verdict: refused('invalid'), element: true },
  66: { word: 'not-allowed-on-non-leaf', verdict: refused('invalid') },
  67: { word: 'not-allowed-on-rdn', verdict: refused('invalid') },
  68: { word: 'entry-already-exists', verdict: refused('name-taken') },
  69: { word: 'object-class-mods-prohibited', verdict: refused('invalid') },
  71: { word: 'affects-multiple-servers', verdict: refused('configuration') },
  80: { word: 'other', verdict: { kind: 'unknown' } },
  122: { word: 'assertion-failed', verdict: { kind: 'changed-identity' } },
}

const fallback: Row = { word: 'unlisted-result', verdict: { kind: 'unknown' } }
const rowOf = (code: number): Row => table[code] ?? fallback

/** How long a lane waits when the server says that it is busy; it names no time itself. */
const busyMs = 1_000

export const resultFailure = (code: number, message: string): Failure => ({
  code: String(code),
  result: code,
  word: rowOf(code).word,
  ...(message === '' ? {} : { message }),
  sent: true,
})

export const causeOf = (failure: Failure): Cause => ({
  code: failure.code,
  word: failure.word,
  ...(failure.message === undefined ? {} : { message: failure.message }),
  ...(isOfServer(failure) ? { elsewhere: true as const } : {}),
})

/** RFC 4511 §4.1.9, unavailable: the server itself. Of a broken connection the system's code tells; what we cannot use of an answer has none. */
const isOfServer = ({ result, code, notLetIn }: Failure): boolean =>
  notLetIn !== true && (result === null ? code !== '' : result === 52)

export const isElementCaused = (failure: Failure): boolean =>
  failure.result !== null && rowOf(failure.result).element === true
export const isAlready = (failure: Failure): boolean =>
  failure.result !== null && rowOf(failure.result).verdict.kind === 'already'

/** Nothing was sent: what Muster would sign in with cannot be read, which only a human mends. */
export const secretUnreadable: Failure = {
  code: '',
  result: null,
  word: 'secret-unreadable',
  sent: false,
  notLetIn: true,
}

/**
 * What a bind was answered with (RFC 4511 §4.2.2). A refusal, by whatever code a directory says it (49; 19, 53: locked or
 * inactivated; 48: no password; 32: no such account; 50), is about who binds. Without the code as result nobody takes it for an
 * answer to what was to be asked then.
 */
export const bindFailure = (failure: Failure): Failure => {
  const verdict = failure.result === null ? undefined : rowOf(failure.result).verdict.kind
  return verdict === 'refused' || verdict === 'missing'
    ? { ...failure, result: null, sent: false, notLetIn: true }
    : { ...failure, sent: false }
}

/** Which entry the request named: decides what "no such object" means. */
export type Subject = 'account' | 'entitlement'

/** Outcome of a change that the server did not confirm. */
export const outcomeOfWrite = (failure: Failure, subject: Subject): Outcome => {
  const cause = causeOf(failure)
  if (failure.notLetIn === true) return { kind: 'refused', reason: 'credential', cause }
  if (failure.result === null) return failure.sent ? { kind: 'unknown', cause } : { kind: 'retry', cause }
  const { verdict } = rowOf(failure.result)
  switch (verdict.kind) {
    case 'throttled':
      return { kind: 'throttled', retryAfterMs: busyMs, scope: 'target' }
    case 'unknown':
      return { kind: 'unknown', cause }
    case 'retry':
    case 'already':
      return { kind: 'retry', cause }
    case 'refused':
      return { kind: 'refused', reason: verdict.reason, cause }
    case 'missing':
      // An account was resolved a moment before: it was renamed or deleted since, and the next resolve tells which.
      return subject === 'account'
        ? { kind: 'retry', cause }
        : { kind: 'refused', reason: 'entitlement-missing', cause }
    case 'changed-identity':
      return subject === 'account'
        ? { kind: 'retry', cause }
        : { kind: 'refused', reason: 'entitlement-changed-identity', cause }
    default:
      return verdict satisfies never
  }
}

/** Outcome of an operation whose reads failed before anything was written. */
export const outcomeOfRead = (failure: Failure, subject: Subject): Outcome => {
  const outcome = outcomeOfWrite(failure, subject)
  return outcome.kind === 'unknown' ? { kind: 'retry', cause: outcome.cause } : outcome
}
