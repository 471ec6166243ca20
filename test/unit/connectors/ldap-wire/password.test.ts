import { expect, test } from 'vitest'
import type { ConnectionSettings } from '../../../../src/connectors/ldap-wire/connection.ts'
import { outcomeOfWrite, resultFailure } from '../../../../src/connectors/ldap-wire/errors.ts'
import { createPassword } from '../../../../src/connectors/ldap-wire/password.ts'

test('what was refused is not tried again for a minute, another password at once', async () => {
  let now = 0
  let file: string | null = 'old'
  const settings = { bindPassword: 'configured', currentPassword: async () => file } as ConnectionSettings
  const password = createPassword(settings, () => now)
  const said = async () => {
    const given = await password.now()
    return given.ok ? given.value : given.failure.word
  }
  expect(await said()).toBe('old')
  password.refused('old', resultFailure(49, ''))
  now = 59_999
  expect(await said()).toBe('invalid-credentials')
  file = 'new'
  expect(await said()).toBe('new')
  file = 'old'
  now = 60_000
  expect(await said()).toBe('old')
  file = null
  expect(await said()).toBe('configured')
})

test('a file that cannot be read is a refused credential: the target’s trouble, nothing was sent', async () => {
  const settings = { bindPassword: 'x', currentPassword: () => Promise.reject(new Error('gone')) }
  const given = await createPassword(settings as unknown as ConnectionSettings).now()
  expect(given.ok ? null : outcomeOfWrite(given.failure, 'account')).toEqual({
    kind: 'refused',
    reason: 'credential',
    cause: { code: '', word: 'secret-unreadable' },
  })
})
