import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { expect, test } from 'vitest'
import { wholeConfig } from '../../../../src/connectors/aws-wire/client-config.ts'
import { failureOf, outcomeOfWrite } from '../../../../src/connectors/aws-wire/errors.ts'
import type { WireSettings } from '../../../../src/connectors/aws-wire/settings.ts'

const settings: WireSettings = {
  region: 'eu-west-1',
  credentials: { from: 'keys', accessKeyId: 'AKIAFIRST', secretAccessKey: 'first' },
  timeouts: { connectMs: 1_000, requestMs: 1_000 },
}

test('keys that came from files are read again by the same client', async () => {
  let files: Record<string, string> = { 'credentials.secretAccessKey': 'first' }
  const client = new STSClient(wholeConfig(settings, async (member) => files[member] ?? null))
  expect(await client.config.credentials()).toMatchObject({ accessKeyId: 'AKIAFIRST', secretAccessKey: 'first' })
  files = { 'credentials.accessKeyId': 'AKIASECOND', 'credentials.secretAccessKey': 'second' }
  expect(await client.config.credentials()).toMatchObject({ accessKeyId: 'AKIASECOND', secretAccessKey: 'second' })
})

const whatComes = async (client: STSClient) =>
  outcomeOfWrite(failureOf(await client.config.credentials().catch((thrown: unknown) => thrown)))

test('a file that cannot be read is a refused credential, and nothing was sent', async () => {
  const client = new STSClient(wholeConfig(settings, () => Promise.reject(new Error('gone'))))
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
    const client = new STSClient(
      wholeConfig({ ...settings, endpoint: `http://127.0.0.1:${port}`, credentials }, undefined),
    )
    expect(await whatComes(client)).toMatchObject(outcome)
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
      wholeConfig(
        {
          ...settings,
          endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
          credentials: {
            from: 'webIdentity',
            roleArn: 'arn:aws:iam::123456789012:role/muster',
            tokenFile,
            sessionName: 'muster',
          },
        },
        undefined,
      ),
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
