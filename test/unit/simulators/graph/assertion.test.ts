/** «Microsoft identity platform application authentication certificate credentials»: what a signed assertion must be. */
import 'reflect-metadata'
import { constants, createHash, generateKeyPairSync, KeyObject, sign, webcrypto, X509Certificate } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import { beforeAll, describe, expect, test } from 'vitest'
import { checkAssertion } from '../../../../simulators/graph/assertion.ts'

const clientId = '9a3d526c-b3c1-4479-ba74-197b5c5751ae'
const audience = 'https://127.0.0.1:8443/tenant/oauth2/v2.0/token'
const nowS = 1_800_000_000
const rsa = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
}
const { privateKey: stranger } = generateKeyPairSync('rsa', { modulusLength: 2048 })
let pem = ''
let key: KeyObject = stranger
let thumbprints: { readonly x5t: string; readonly 'x5t#S256': string } = { x5t: '', 'x5t#S256': '' }

beforeAll(async () => {
  x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[1])
  const keys = await webcrypto.subtle.generateKey(rsa, true, ['sign', 'verify'])
  const made = await x509.X509CertificateGenerator.createSelfSigned({ name: 'CN=muster', keys, signingAlgorithm: rsa })
  pem = made.toString('pem')
  key = KeyObject.from(keys.privateKey)
  const { raw } = new X509Certificate(pem)
  const hash = (name: string) => createHash(name).update(raw).digest('base64url')
  thumbprints = { x5t: hash('sha1'), 'x5t#S256': hash('sha256') }
})

type More = { readonly alg?: string; readonly header?: object; readonly claims?: object; readonly by?: KeyObject }
const assertion = ({ alg = 'PS256', header = {}, claims = {}, by = key }: More = {}) => {
  const parts = [
    { alg, typ: 'JWT', 'x5t#S256': thumbprints['x5t#S256'], ...header },
    { iss: clientId, sub: clientId, aud: audience, nbf: nowS, exp: nowS + 600, ...claims },
  ]
  const text = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  const padding = alg === 'PS256' ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING
  const how = { key: by, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
  return `${text}.${sign('sha256', Buffer.from(text), how).toString('base64url')}`
}
const checked = (jwt: string) => {
  const said = checkAssertion({ clientId, roles: [], certificates: [pem] }, jwt, { audiences: [audience], nowS })
  return said.ok ? 'taken' : said.code
}

describe.each(['PS256', 'RS256'])('%s', (alg) => {
  test('with the registered key', () => {
    expect(checked(assertion({ alg }))).toBe('taken')
  })
  test('with another key under the same thumbprint', () => {
    expect(checked(assertion({ alg, by: stranger }))).toBe(700027)
  })
  test('changed after signing', () => {
    const [header, , signature] = assertion({ alg }).split('.')
    const [, claims] = assertion({ alg, claims: { exp: nowS + 9_000 } }).split('.')
    expect(checked([header, claims, signature].join('.'))).toBe(700027)
  })
})

test('by the older thumbprint, too', () => {
  expect(checked(assertion({ header: { 'x5t#S256': undefined, x5t: thumbprints.x5t } }))).toBe('taken')
})

test.each([
  ['no thumbprint', { header: { 'x5t#S256': undefined } }, 700027],
  ['no algorithm', { header: { alg: 'none' } }, 700027],
  ['a symmetric algorithm', { header: { alg: 'HS256' } }, 700027],
  ['another audience', { claims: { aud: 'https://elsewhere.example' } }, 700023],
  ['another subject', { claims: { sub: 'somebody' } }, 700021],
  ['another issuer', { claims: { iss: 'somebody' } }, 700213],
  ['expired', { claims: { exp: nowS - 301 } }, 700024],
  ['no expiry', { claims: { exp: undefined } }, 700024],
  ['not yet', { claims: { nbf: nowS + 301 } }, 700024],
])('%s', (_, more, code) => {
  expect(checked(assertion(more))).toBe(code)
})

test.each(['', 'x', 'a.b.c', `${'x'.repeat(9)}..`])('«%s» is no assertion', (jwt) => {
  expect(checked(jwt)).toBe(50027)
})
