import type { Failure } from './errors.ts'

type Row = {
  readonly word: string
  /** It is also what Entra says while a credential that was just made has not reached all of it. */
  readonly mayBeNew?: true
}

/**
 * What only a human can mend; the meaning is Microsoft's (https://learn.microsoft.com/entra/identity-platform/reference-error-codes).
 * Everything else that the token endpoint says may pass: it is overloaded, throttles, or has an outage.
 */
const permanent: Readonly<Record<string, Row>> = {
  // The tenant's id is not an id, or there is no such tenant.
  AADSTS900023: { word: 'tenant-unknown' },
  AADSTS90002: { word: 'tenant-unknown' },
  // No such application in the tenant; it is disabled there.
  AADSTS700016: { word: 'app-unknown' },
  AADSTS7000112: { word: 'app-disabled' },
  // Graph itself is no resource of this tenant; the scope is none.
  AADSTS500011: { word: 'resource-unknown' },
  AADSTS70011: { word: 'scope-invalid' },
  // The secret is not the application's; it has ended.
  AADSTS7000215: { word: 'secret-wrong', mayBeNew: true },
  AADSTS7000222: { word: 'credential-expired' },
  // Neither secret nor assertion was sent.
  AADSTS7000218: { word: 'credential-missing' },
  // The certificate is not registered, or did not sign this.
  AADSTS700027: { word: 'certificate-unknown', mayBeNew: true },
  // Nothing that the application trusts matches the workload's issuer or subject.
  AADSTS70021: { word: 'assertion-not-federated', mayBeNew: true },
  AADSTS700211: { word: 'assertion-not-federated', mayBeNew: true },
  AADSTS700213: { word: 'assertion-not-federated', mayBeNew: true },
  // Conditional access keeps workloads out.
  AADSTS53003: { word: 'blocked-by-policy' },
}

/** Passing, and worth a word of its own. An assertion is renewed by whoever issues it. */
const passing: Readonly<Record<string, string>> = { AADSTS700024: 'assertion-expired' }

/** So long a credential that Entra does not know may be one that it does not know yet. */
export const newCredentialMs = 300_000

/** What OAuth itself says without a code of Entra's (RFC 6749 §5.2). */
const refusals: ReadonlySet<string> = new Set(['invalid_client', 'unauthorized_client'])

/**
 * A token that could not be had: nothing was sent to Graph. A status of 401 is a refusal, none is worth another go. The library's
 * text may quote the request, so only codes are kept. `failingForMs`: since the first failure in a row.
 */
export const tokenFailure = (error: unknown, failingForMs: number): Failure => {
  const text = error instanceof Error ? error.message : ''
  const sts = /AADSTS\d+/.exec(text)?.[0]
  const code = sts ?? systemCode(error)
  const failure = (status: 401 | null, word: string): Failure => ({ status, code, word, sent: false })
  if (sts === undefined) return refusals.has(code) ? failure(401, 'credential-refused') : failure(null, 'no-token')
  const row = permanent[sts]
  if (row === undefined) return failure(null, passing[sts] ?? 'no-token')
  return failure(row.mayBeNew === true && failingForMs < newCredentialMs ? null : 401, row.word)
}

/** What Muster would sign in with cannot be read: nothing was sent, and only a human mends it. */
export const secretUnreadable = (error: unknown): Failure => ({
  status: 401,
  code: systemCode(error),
  word: 'secret-unreadable',
  sent: false,
})

/** The innermost code that an error carries. */
export const systemCode = (error: unknown): string => {
  let code = ''
  for (let at = error; at instanceof Error; at = at.cause) {
    const own = (at as NodeJS.ErrnoException).code ?? (at as { errorCode?: unknown }).errorCode
    if (typeof own === 'string' && own !== '') code = own
    else if (code === '') code = at.name
  }
  return code
}
