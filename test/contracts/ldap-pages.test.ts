/** Pages of a search as no slapd gives them: from a server that speaks no more of LDAP than this takes. */
import { type AddressInfo, createServer } from 'node:net'
import { BerReader, BerWriter, EqualityFilter } from 'ldapts'
import { expect, test } from 'vitest'
import { ldapSettingsSchema } from '../../src/connectors/ldap/config.ts'
import { createLdapClient } from '../../src/connectors/ldap-wire/client.ts'

test.each([
  {
    what: 'an empty page with a cookie is not the end',
    pages: [
      { names: ['a', 'b'], cookie: 'one' },
      { names: [], cookie: 'two' },
      { names: ['c'], cookie: '' },
    ],
    ends: { ok: true, value: null },
    read: ['a', 'b', 'c'],
  },
  {
    // Some servers name the search by it (389 Directory Server): the pages tell.
    what: 'a cookie that stays the same while the pages go on is one',
    pages: [
      { names: ['a'], cookie: 'one' },
      { names: ['b'], cookie: 'one' },
      { names: ['c'], cookie: '' },
    ],
    ends: { ok: true, value: null },
    read: ['a', 'b', 'c'],
  },
  {
    what: 'a page that comes again under the same cookie is no list, and not asked for for ever',
    pages: Array.from({ length: 9 }, () => ({ names: ['a', 'b'], cookie: 'one' })),
    ends: { ok: false, failure: { word: 'repeated-page' } },
    read: ['a', 'b'],
  },
  {
    what: 'neither is an empty one',
    pages: Array.from({ length: 9 }, () => ({ names: [], cookie: 'one' })),
    ends: { ok: false, failure: { word: 'repeated-page' } },
    read: [],
  },
])('$what', async ({ pages, ends, read }) => {
  const server = createServer((socket) => {
    let page = 0
    socket.on('data', (bytes) => {
      const reader = new BerReader(bytes)
      reader.readSequence()
      const id = reader.readInt() ?? 0
      const operation = reader.readSequence()
      if (operation === 0x60) socket.write(answer(id, 0x61))
      if (operation !== 0x63) return
      const { names, cookie } = pages[page] ?? { names: [], cookie: '' }
      page += 1
      socket.write(Buffer.concat([...names.map((name) => entry(id, name)), answer(id, 0x65, cookie)]))
    })
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const client = createLdapClient(
    ldapSettingsSchema.parse({
      url: `ldap://127.0.0.1:${(server.address() as AddressInfo).port}`,
      security: 'plain',
      bindDn: 'cn=muster',
      bindPassword: 'secret',
      peopleBase: 'ou=people',
      groupsBase: 'ou=groups',
      account: { attributes: {} },
    }),
  )
  const seen: string[] = []
  const search = {
    base: 'dc=x',
    scope: 'sub',
    filter: new EqualityFilter({ attribute: 'cn', value: 'x' }),
    attributes: ['cn'],
  } as const
  const told = await client.searchPages(search, 2, (entries) => seen.push(...entries.map(({ dn }) => dn)))
  expect(told).toMatchObject(ends)
  expect(seen).toEqual(read)
  client.close()
  server.close()
})

const answer = (id: number, operation: number, cookie?: string): Buffer => {
  const writer = new BerWriter()
  writer.startSequence()
  writer.writeInt(id)
  writer.startSequence(operation)
  writer.writeEnumeration(0)
  writer.writeString('')
  writer.writeString('')
  writer.endSequence()
  if (cookie !== undefined) {
    const value = new BerWriter()
    value.startSequence()
    value.writeInt(0)
    value.writeString(cookie)
    value.endSequence()
    writer.startSequence(0xa0)
    writer.startSequence()
    writer.writeString('1.2.840.113556.1.4.319')
    writer.writeBuffer(value.buffer, 0x04)
    writer.endSequence()
    writer.endSequence()
  }
  writer.endSequence()
  return writer.buffer
}

const entry = (id: number, name: string): Buffer => {
  const writer = new BerWriter()
  writer.startSequence()
  writer.writeInt(id)
  writer.startSequence(0x64)
  writer.writeString(name)
  writer.startSequence()
  writer.endSequence()
  writer.endSequence()
  writer.endSequence()
  return writer.buffer
}
