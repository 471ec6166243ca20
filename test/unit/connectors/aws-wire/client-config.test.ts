import { STSClient } from '@aws-sdk/client-sts'
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

test('a file that cannot be read: nothing was sent, and it is tried again', async () => {
  const client = new STSClient(wholeConfig(settings, () => Promise.reject(new Error('gone'))))
  const error = await client.config.credentials().catch((thrown: unknown) => thrown)
  expect(outcomeOfWrite(failureOf(error))).toMatchObject({ kind: 'retry', cause: { word: 'no-credentials' } })
})
