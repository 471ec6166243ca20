import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { afterEach, expect, test, vi } from 'vitest'
import { signIn, wholeConfig } from '../../../../src/connectors/aws-wire/client-config.ts'
import { failureOf, outcomeOfWrite } from '../../../../src/connectors/aws-wire/errors.ts'
import type { WireSettings } from '../../../../src/connectors/aws-wire/settings.ts'
import type { ConnectorTools } from '../../../../src/connectors/connector.ts'

const settings: WireSettings = {
  region: 'eu-west-1',
  credentials: { from: 'keys', accessKeyId: 'AKIAFIRST', secretAccessKey: 'first' },
  timeouts: { connectMs: 1_000, requestMs: 1_000 },
}

const config = (changes: Partial<WireSettings> = {}, secret?: ConnectorTools['secret']) => {
  const all = { ...settings, ...changes }
  return wholeConfig(all, signIn(all, { now: Date.now, ...(secret === undefined ? {} : { secret }) }))
}

test('keys that came from files are read again by the same client', async () => {
  let files: Record<string, string> = { 'credentials.secretAccessKey': 'first' }
  const client = new STSClient(config({}, async (member) => files[member] ?? null))
  expect(await client.config.credentials()).toMatchObject({ accessKeyId: 'AKIAFIRST', secretAccessKey: 'first' })
  files = { 'credentials.accessKeyId': 'AKIASECOND', 'credentials.secretAccessKey': 'second' }
  expect(await client.config.credentials()).toMatchObject({ accessKeyId: 'AKIASECOND', secretAccessKey: 'second' })
})

afterEach(() => vi.unstubAllEnvs())
/** Nothing of the machine's own is found. */
const only = (environment: Readonly<Record<string, string>>) => {
  const nothing = ['AWS_PROFILE', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN']
  for (const name of nothing) vi.stubEnv(name, undefined)
  for (const [name, value] of Object.entries({ AWS_EC2_METADATA_DISABLED: 'true', ...environment }))
    vi.stubEnv(name, value)
}

test('keys in a shared file are read again once AWS does not take them', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'muster-shared-'))
  const file = join(directory, 'credentials')
  const put = (id: string) =>
    writeFileSync(file, `[default]\naws_access_key_id = ${id}\naws_secret_access_key = secret\n`)
  put('AKIAFIRST')
  only({ AWS_SHARED_CREDENTIALS_FILE: file, AWS_CONFIG_FILE: join(directory, 'none') })
  let clock = Date.now()
  const signed = signIn({ ...settings, credentials: { from: 'default' } }, { now: () => clock })
  const first = await signed.current()
  expect(first).toMatchObject({ accessKeyId: 'AKIAFIRST' })
  clock += 10_000
  expect(await signed.others(first)).toBe(false)
  put('AKIASECOND')
  expect(await signed.credentials()).toMatchObject({ accessKeyId: 'AKIAFIRST' })
  clock += 10_000
  expect(await signed.others(first)).toBe(true)
  expect(await signed.credentials()).toMatchObject({ accessKeyId: 'AKIASECOND' })
  rmSync(directory, { recursive: true })
})

const whatComes = async (client: STSClient) =>
  outcomeOfWrite(failureOf(await client.config.credentials().catch((thrown: unknown) => thrown)))

test('a file that cannot be read is a refused credential, and nothing was sent', async () => {
  const client = new STSClient(config({}, () => Promise.reject(new Error('gone'))))
  expect(await whatComes(client)).toMatchObject({
    kind: 'refused',
    reason: 'credential',
    cause: { word: 'secret-unreadable' },
  })
})

test.each([
  [
    'AccessDenied',
    403,
    { kind: 'refused', reason: 'credential', cause: { code: 'AccessDenied', word: 'sign-in-refused' } },
  ],
  ['InvalidIdentityToken', 400, { kind: 'refused', reason: 'credential' }],
  ['InternalFailure', 500, { kind: 'retry' }],
  ['Throttling', 400, { kind: 'throttled' }],
] as const)('a web identity of which STS says %s', async (code, status, outcome) => {
  const sts = createServer((_, response) => {
    response.writeHead(status, { 'content-type': 'text/xml' })
    response.end(
      `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>no</Message></Error></ErrorResponse>`,
    )
  })
  await new Promise<void>((resolve) => sts.listen(0, '127.0.0.1', resolve))
  try {
    const { port } = sts.address() as AddressInfo
    const credentials = {
      from: 'webIdentity',
      roleArn: 'r',
      sessionName: 's',
      tokenFile: import.meta.filename,
    } as const
    const endpoint = `http://127.0.0.1:${port}`
    expect(await whatComes(new STSClient(config({ endpoint, credentials })))).toMatchObject(outcome)
    // The same, found by the SDK.
    only({
      AWS_WEB_IDENTITY_TOKEN_FILE: import.meta.filename,
      AWS_ROLE_ARN: 'r',
      AWS_ENDPOINT_URL_STS: endpoint,
      AWS_REGION: 'eu-west-1',
      AWS_SHARED_CREDENTIALS_FILE: '/none',
      AWS_CONFIG_FILE: '/none',
      AWS_MAX_ATTEMPTS: '1',
    })
    expect(await whatComes(new STSClient(config({ credentials: { from: 'default' } })))).toMatchObject(outcome)
  } finally {
    sts.close()
  }
})

test.each([
  ['AccessDenied', 403],
  ['InvalidIdentityToken', 400],
  ['IDPRejectedClaim', 403],
  ['ExpiredTokenException', 400],
])(
  'a web identity that STS does not take (%s) is the credential’s trouble, not that of whom a change is about',
  async (code, status) => {
    const server = createServer((_, response) => {
      response.writeHead(status, { 'content-type': 'text/xml' })
      response.end(
        `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>no</Message></Error><RequestId>r</RequestId></ErrorResponse>`,
      )
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const directory = mkdtempSync(join(tmpdir(), 'muster-web-identity-'))
    const tokenFile = join(directory, 'token')
    writeFileSync(tokenFile, 'token')
    const client = new STSClient(
      config({
        endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        credentials: {
          from: 'webIdentity',
          roleArn: 'arn:aws:iam::123456789012:role/muster',
          tokenFile,
          sessionName: 'muster',
        },
      }),
    )
    try {
      const error = await client.send(new GetCallerIdentityCommand({})).catch((thrown: unknown) => thrown)
      expect(outcomeOfWrite(failureOf(error))).toMatchObject({ kind: 'refused', reason: 'credential' })
    } finally {
      client.destroy()
      server.close()
      rmSync(directory, { recursive: true })
    }
  },
)
