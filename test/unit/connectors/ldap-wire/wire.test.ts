/** One connection with several requests in flight. */

import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { PresenceFilter } from 'ldapts'
import { afterEach, expect, test, vi } from 'vitest'
import { createLdapClient } from '../../../../src/connectors/ldap-wire/client.ts'
import { frameReader } from '../../../../src/connectors/ldap-wire/framing.ts'

afterEach(() => void vi.useRealTimers())

const [bindRequest, searchRequest] = [0x60, 0x63]

/** Takes every bind, and every search but those for `silent`; on its first connection it answers none. Tells of each search. */
const server = async (onSearch: (base: string, connection: number) => void) => {
  let connections = 0
  const listening = createServer((socket) => {
    connections += 1
    const connection = connections
    const done = (id: number, tag: number) =>
      socket.write(Buffer.from([0x30, 12, 2, 1, id, tag, 7, 0x0a, 1, 0, 4, 0, 4, 0]))
    const frames = frameReader(({ messageId, operation, bytes }) => {
      // Ids of one octet: the first requests of this thread.
      if (operation === bindRequest) done(messageId, 0x61)
      if (operation !== searchRequest) return
      const base = bytes.includes('cn=silent') ? 'cn=silent' : 'cn=other'
      onSearch(base, connection)
      if (connection > 1 && base !== 'cn=silent') done(messageId, 0x65)
    })
    socket.on('error', () => {}).on('data', (bytes) => frames.push(bytes))
  })
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  return { url: `ldap://127.0.0.1:${(listening.address() as AddressInfo).port}`, close: () => listening.close() }
}

test('of several reads in flight only the one that was too slow has timed out; the others are asked again', async () => {
  const inFlight = Promise.withResolvers<void>()
  const seen: string[] = []
  const { url, close } = await server((base, connection) => {
    seen.push(`${base} ${connection}`)
    if (seen.length === 2) inFlight.resolve()
  })
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const operationMs = 15_000
  const client = createLdapClient({
    url,
    security: 'plain',
    bindDn: 'cn=muster',
    bindPassword: 'secret',
    timeouts: { connectMs: 5_000, operationMs },
    createConnections: 1,
  })
  const filter = new PresenceFilter({ attribute: 'objectClass' })
  const read = (base: string) => client.search({ base, scope: 'base', filter, attributes: [] })
  const answers = [read('cn=silent'), read('cn=other')]
  await inFlight.promise
  vi.advanceTimersByTime(operationMs)
  expect(await Promise.all(answers)).toMatchObject([
    { ok: false, failure: { code: 'ETIMEDOUT', word: 'operation-timeout', sent: true } },
    { ok: true, value: [] },
  ])
  expect(seen).toEqual(['cn=silent 1', 'cn=other 1', 'cn=other 2'])
  client.close()
  close()
})
