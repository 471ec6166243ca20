import { expect, test } from 'vitest'
import type { EntraSettings } from '../../../../src/connectors/entra/config.ts'
import { outcomeOfWrite } from '../../../../src/connectors/entra/errors.ts'
import { createTokens } from '../../../../src/connectors/entra/tokens.ts'

const missing = '/nonexistent/secret'
const credentials: readonly EntraSettings['credential'][] = [
  { kind: 'federated', tokenFile: missing },
  { kind: 'certificate', certificateFile: missing },
  { kind: 'secret', secretFile: missing },
  { kind: 'secret', secret: 'of before' },
]

test.each(credentials)('a credential that cannot be read is a refused one: %j', async (credential) => {
  const settings = { tenant: 'corp.example', clientId: 'c', cloud: 'global', credential, timeouts: { requestMs: 1 } }
  const tokens = createTokens(
    settings as unknown as EntraSettings,
    () => 0,
    () => Promise.reject(new Error('gone')),
  )
  const token = await tokens.token()
  expect(token.ok ? null : outcomeOfWrite(token.failure, 'account')).toMatchObject({
    kind: 'refused',
    reason: 'credential',
    cause: { word: 'secret-unreadable' },
  })
})
