import { expect, test } from 'vitest'
import { credentialKind } from '../../../../src/connectors/aws-wire/credential-kind.ts'
import type { WireSettings } from '../../../../src/connectors/aws-wire/settings.ts'

const kindOf = (credentials: WireSettings['credentials'], held: { sessionToken?: string; expiration?: Date }) =>
  credentialKind({ credentials }, { config: { credentials: async () => held } })
const keys = { from: 'keys', accessKeyId: 'AKIA', secretAccessKey: 's' } as const
const webIdentity = { from: 'webIdentity', roleArn: 'r', tokenFile: '/t', sessionName: 'muster' } as const
const expiration = new Date('2026-11-21T21:42:17Z')
const session = { sessionToken: 't', expiration }

test('a session says until when', async () => {
  const until = 'a session until 2026-11-21T21:42:17.000Z, then another'
  expect(await kindOf(webIdentity, session)).toEqual({ facts: [`by web identity: ${until}`] })
  expect(await kindOf({ from: 'default' }, session)).toEqual({ facts: [`by credentials that the SDK found: ${until}`] })
})

test('keys that nobody ends', async () => {
  const { facts, unknown } = await kindOf(keys, {})
  expect([facts, unknown]).toEqual([['by configured keys: static keys, which do not end by themselves'], undefined])
})

test.each([keys, { from: 'default' } as const])(
  'keys of a session whose end nobody tells: not known (%j)',
  async (credentials) => {
    const { facts, unknown } = await kindOf(credentials, { sessionToken: 't' })
    expect(facts?.[0]).toMatch(/: keys of a session$/)
    expect(unknown).toEqual([expect.stringContaining('when the keys')])
  },
)
