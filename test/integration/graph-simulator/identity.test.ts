/** @azure/identity against the token endpoint: secret, certificate, federated assertion; and what is refused. */
import { createPrivateKey, createSign, generateKeyPairSync, randomUUID, webcrypto } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import 'reflect-metadata'
import { ClientAssertionCredential, ClientCertificateCredential, ClientSecretCredential } from '@azure/identity'
import * as x509 from '@peculiar/x509'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { App } from '../../../simulators/graph/apps.ts'
import { defaultApp } from '../../../simulators/graph/graph.ts'
import { clientOf, identityOptions, scope, secretCredential, started } from './started.ts'

const { clientId } = defaultApp
const asApp = (more: Partial<App>): App => ({ clientId, roles: ['User.Read.All'], ...more })

/** A self-signed RSA certificate, and the file that ClientCertificateCredential reads. */
const certificate = async () => {
  x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[1])
  const algorithm = {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
  }
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=muster',
    keys,
    signingAlgorithm: algorithm,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
  })
  const key = createPrivateKey({
    key: Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)),
    format: 'der',
    type: 'pkcs8',
  })
  const pem = made.toString('pem')
  const dir = mkdtempSync(join(tmpdir(), 'muster-certificate-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  const file = join(dir, 'client.pem')
  writeFileSync(file, `${key.export({ format: 'pem', type: 'pkcs8' })}\n${pem}\n`, { mode: 0o600 })
  return { pem, file }
}

test('a client secret', async () => {
  const simulator = await started()
  const token = await secretCredential(simulator).getToken(scope)
  expect(token.expiresOnTimestamp).toBeGreaterThan(Date.now() + 3_000_000)
  const claims = JSON.parse(Buffer.from(token.token.split('.')[1] ?? '', 'base64url').toString())
  expect(claims).toMatchObject({ tid: simulator.tenant.id, appid: clientId, roles: defaultApp.roles })
})

test('a certificate', async () => {
  const { pem, file } = await certificate()
  const simulator = await started({ apps: [asApp({ certificates: [pem] })] })
  const credential = new ClientCertificateCredential(simulator.tenant.id, clientId, file, identityOptions(simulator))
  expect(await clientOf(simulator, credential).api('/users').get()).toMatchObject({ value: [] })
})

test('a certificate of the same name that nobody registered', async () => {
  const [registered, other] = [await certificate(), await certificate()]
  const simulator = await started({ apps: [asApp({ certificates: [registered.pem] })] })
  const credential = new ClientCertificateCredential(
    simulator.tenant.id,
    clientId,
    other.file,
    identityOptions(simulator),
  )
  await expect(credential.getToken(scope)).rejects.toThrow('AADSTS700027')
})

describe('a federated assertion', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const trusted = {
    issuer: 'https://cluster.example/issuer',
    subject: 'system:serviceaccount:muster:engine',
    publicKey: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
  }
  const assertion = (more: Readonly<Record<string, unknown>> = {}, key = privateKey) => {
    const now = Math.floor(Date.now() / 1000)
    const claims = {
      iss: trusted.issuer,
      sub: trusted.subject,
      aud: 'api://AzureADTokenExchange',
      jti: randomUUID(),
      iat: now,
      nbf: now,
      exp: now + 600,
      ...more,
    }
    const text = [{ alg: 'RS256', typ: 'JWT' }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.')
    return `${text}.${createSign('sha256').update(text).sign(key).toString('base64url')}`
  }
  const tokenBy = async (jwt: string) => {
    const simulator = await started({ apps: [asApp({ federated: [trusted] })] })
    const credential = new ClientAssertionCredential(
      simulator.tenant.id,
      clientId,
      async () => jwt,
      identityOptions(simulator),
    )
    return credential.getToken(scope)
  }

  test('of the trusted workload', async () => {
    expect((await tokenBy(assertion())).token).not.toBe('')
  })
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  test.each([
    ['another subject', assertion({ sub: 'system:serviceaccount:muster:other' }), 'AADSTS700213'],
    ['another audience', assertion({ aud: 'https://elsewhere.example' }), 'AADSTS700213'],
    ['expired', assertion({ exp: Math.floor(Date.now() / 1000) - 3_600 }), 'AADSTS700024'],
    ['signed by somebody else', assertion({}, stranger), 'AADSTS700027'],
  ])('%s', async (_, jwt, code) => {
    await expect(tokenBy(jwt)).rejects.toThrow(code)
  })
})

test.each([
  ['a wrong secret', clientId, 'wrong', 'AADSTS7000215'],
  ['an unknown application', randomUUID(), 'wrong', 'AADSTS700016'],
])('%s', async (_, id, secret, code) => {
  const simulator = await started()
  const credential = new ClientSecretCredential(simulator.tenant.id, id, secret, identityOptions(simulator))
  await expect(credential.getToken(scope)).rejects.toThrow(code)
})

test('another tenant', async () => {
  const simulator = await started()
  const credential = new ClientSecretCredential(randomUUID(), clientId, 'x', identityOptions(simulator))
  await expect(credential.getToken(scope)).rejects.toThrow('endpoints_resolution_error') // its discovery was refused
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, scope })
  const said = await fetch(simulator.tokenUrl.replace(simulator.tenant.id, randomUUID()), {
    method: 'POST',
    body: form,
  })
  expect(said.status).toBe(400)
  expect(await said.json()).toMatchObject({ error: 'invalid_request', error_codes: [90002] })
})

test('without a token, with somebody else’s, with an expired or a revoked one: 401 as documented', async () => {
  const simulator = await started({ tokenLifeMs: 3_600_000 })
  const get = async (authorization?: string) => {
    const response = await fetch(`${simulator.url}/v1.0/users`, {
      headers: authorization === undefined ? {} : { authorization },
    })
    const { error } = (await response.json()) as { error: { code: string; message: string } }
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer /)
    return [response.status, error.code, error.message]
  }
  expect(await get()).toEqual([401, 'InvalidAuthenticationToken', 'Access token is empty.'])
  expect((await get('Bearer nonsense')).slice(0, 2)).toEqual([401, 'InvalidAuthenticationToken'])
  const { token } = await secretCredential(simulator).getToken(scope)
  expect((await get(`Bearer ${token.slice(0, -2)}xx`)).slice(0, 2)).toEqual([401, 'InvalidAuthenticationToken'])
  simulator.revokeTokens()
  expect((await get(`Bearer ${token}`)).slice(0, 2)).toEqual([401, 'InvalidAuthenticationToken'])
  simulator.setTokenLifeMs(0)
  const { token: expired } = await secretCredential(simulator).getToken(scope)
  expect(await get(`Bearer ${expired}`)).toEqual([
    401,
    'InvalidAuthenticationToken',
    'Lifetime validation failed, the token is expired.',
  ])
})
