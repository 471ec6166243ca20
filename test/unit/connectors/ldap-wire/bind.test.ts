/** Whatever a server answers to a bind is about who binds, never about whom a change is meant for. */

import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { atOnce } from '../../../../src/connectors/connector.ts'
import { ldapSettingsSchema } from '../../../../src/connectors/ldap/config.ts'
import { createLdapConnector } from '../../../../src/connectors/ldap/connector.ts'
import type { NativeId, TargetId } from '../../../../src/domain/ids.ts'

/** Answers each bind with this result code (RFC 4511 §4.2.2). */
const refusing = async (code: number) => {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (request) => {
      // SEQUENCE, length, INTEGER, length, the id; an unbind (0x42) wants no answer.
      const id = request.subarray(2, 4 + (request[3] ?? 0))
      if (request[2 + id.length] !== 0x60) return void socket.end()
      const result = Buffer.from([0x61, 7, 0x0a, 1, code, 4, 0, 4, 0])
      socket.write(Buffer.concat([Buffer.from([0x30, id.length + result.length]), id, result]))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { port: (server.address() as AddressInfo).port, close: () => server.close() }
}

const connectorAt = (port: number) =>
  createLdapConnector(
    'corp' as TargetId,
    ldapSettingsSchema.parse({
      url: `ldap://127.0.0.1:${port}`,
      security: 'plain',
      bindDn: 'cn=muster,dc=example',
      bindPassword: 'secret',
      peopleBase: 'ou=people,dc=example',
      groupsBase: 'ou=groups,dc=example',
      account: { rdn: 'uid={username}' },
    }),
    atOnce,
  )

test.each([
  [19, 'locked for too many tries (389 Directory Server)'],
  [48, 'has no password'],
  [49, 'wrong password'],
  [50, 'may not bind'],
  [53, 'inactivated (389 Directory Server)'],
])('a bind that is answered with %i, %s, is the credential’s trouble', async (code) => {
  const server = await refusing(code)
  const connector = connectorAt(server.port)
  try {
    const account = '6f9619ff-8b86-4d01-b42d-00cf4fc964ff' as NativeId
    const context = { signal: new AbortController().signal, mayWrite: () => true }
    expect(await connector.apply([{ op: 'enable', account }], context)).toMatchObject([
      { kind: 'refused', reason: 'credential' },
    ])
  } finally {
    await connector.close()
    server.close()
  }
})

test.each([32, 50])('a bind that is answered with %i does not tell that Muster has no account there', async (code) => {
  const server = await refusing(code)
  const connector = connectorAt(server.port)
  try {
    // What is told once as complete is never asked again (connectors/own-things).
    expect(await connector.own?.(new AbortController().signal)).toMatchObject({ kind: 'partial' })
  } finally {
    await connector.close()
    server.close()
  }
})
