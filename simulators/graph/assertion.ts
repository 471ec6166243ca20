/** Client assertions (RFC 7523): a JWT signed with a registered certificate, or by a trusted workload identity. */
import { constants, createHash, createPublicKey, type KeyObject, verify, X509Certificate } from 'node:crypto'
import type { App } from './apps.ts'

export type Assertion = { readonly ok: true } | { readonly ok: false; readonly code: number; readonly text: string }

type Claims = {
  readonly iss?: string
  readonly sub?: string
  readonly aud?: string | readonly string[]
  readonly exp?: number
  readonly nbf?: number
}
type Header = { readonly alg?: string; readonly x5t?: string; readonly 'x5t#S256'?: string }

const invalid = (code: number, text: string): Assertion => ({ ok: false, code, text })

export const checkAssertion = (
  app: App,
  jwt: string,
  at: { readonly audiences: readonly string[]; readonly nowS: number },
): Assertion => {
  const parts = jwt.split('.')
  const [header, claims] = [json(parts[0]) as Header | undefined, json(parts[1]) as Claims | undefined]
  if (parts.length !== 3 || header === undefined || claims === undefined)
    return invalid(50027, 'JWT token is invalid or malformed.')
  if (claims.exp === undefined || claims.exp < at.nowS - skewS || (claims.nbf ?? 0) > at.nowS + skewS)
    return invalid(700024, 'Client assertion is not within its valid time range.')
  return claims.iss === app.clientId
    ? certificateAssertion(app, jwt, header, claims, at.audiences)
    : federatedAssertion(app, jwt, header, claims)
}

const skewS = 300

const certificateAssertion = (
  app: App,
  jwt: string,
  header: Header,
  claims: Claims,
  audiences: readonly string[],
): Assertion => {
  if (claims.sub !== app.clientId) return invalid(700021, 'Client assertion application identifier does not match.')
  if (!audienceIn(claims, audiences))
    return invalid(700023, 'Client assertion audience claim does not match Realm issuer.')
  const certificate = (app.certificates ?? [])
    .map((pem) => new X509Certificate(pem))
    .find(({ raw }) => {
      const [sha1, sha256] = ['sha1', 'sha256'].map((name) => createHash(name).update(raw).digest('base64url'))
      return header['x5t#S256'] === sha256 || header.x5t === sha1
    })
  if (certificate === undefined)
    return invalid(
      700027,
      'The certificate with identifier used to sign the client assertion is not registered on application.',
    )
  return isSigned(jwt, header, certificate.publicKey)
    ? { ok: true }
    : invalid(700027, 'Client assertion failed signature validation.')
}

const federatedAssertion = (app: App, jwt: string, header: Header, claims: Claims): Assertion => {
  const trusted = (app.federated ?? []).find(
    ({ issuer, subject, audience }) =>
      issuer === claims.iss && subject === claims.sub && audienceIn(claims, [audience ?? 'api://AzureADTokenExchange']),
  )
  if (trusted === undefined)
    return invalid(700213, 'No matching federated identity record found for presented assertion subject.')
  return isSigned(jwt, header, createPublicKey(trusted.publicKey))
    ? { ok: true }
    : invalid(700027, 'Client assertion failed signature validation.')
}

const audienceIn = ({ aud }: Claims, wanted: readonly string[]): boolean =>
  (typeof aud === 'string' ? [aud] : (aud ?? [])).some((audience) => wanted.includes(audience))

const isSigned = (jwt: string, { alg }: Header, key: KeyObject): boolean => {
  const end = jwt.lastIndexOf('.')
  const [data, signature] = [Buffer.from(jwt.slice(0, end)), Buffer.from(jwt.slice(end + 1), 'base64url')]
  if (key.asymmetricKeyType !== 'rsa') return false
  if (alg === 'RS256') return verify('sha256', data, key, signature)
  if (alg !== 'PS256') return false
  const pss = { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
  return verify('sha256', data, pss, signature)
}

const json = (part: string | undefined): unknown => {
  try {
    const value: unknown = JSON.parse(Buffer.from(part ?? '', 'base64url').toString())
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
