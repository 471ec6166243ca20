import fc from 'fast-check'
import { BerWriter } from 'ldapts'
import { expect, test } from 'vitest'
import { decodeEntries, firstValue, valuesOf } from '../../../../src/connectors/ldap-wire/entry.ts'
import { type Frame, frameReader } from '../../../../src/connectors/ldap-wire/framing.ts'

const entry = (id: number, dn: string, members: readonly string[]): Buffer => {
  const writer = new BerWriter()
  writer.startSequence()
  writer.writeInt(id)
  writer.startSequence(0x64)
  writer.writeString(dn)
  writer.startSequence()
  if (members.length > 0) {
    writer.startSequence()
    writer.writeString('member')
    writer.startSequence(0x31)
    for (const member of members) writer.writeString(member)
    writer.endSequence()
    writer.endSequence()
  }
  writer.endSequence()
  writer.endSequence()
  writer.endSequence()
  return writer.buffer
}

test('messages come out whole and in order, wherever the stream was cut', () => {
  const message = fc.record({
    id: fc.integer({ min: 1, max: 70_000 }),
    members: fc.array(fc.string(), { maxLength: 40 }),
  })
  fc.assert(
    fc.property(
      fc.array(message, { minLength: 1, maxLength: 8 }),
      fc.array(fc.nat(200), { maxLength: 30 }),
      (messages, cuts) => {
        const stream = Buffer.concat(messages.map(({ id, members }) => entry(id, `cn=${id}`, members)))
        const frames: Frame[] = []
        const reader = frameReader((frame) => frames.push(frame))
        let at = 0
        for (const cut of [...cuts, stream.length]) {
          expect(reader.push(stream.subarray(at, at + cut))).toBe(true)
          at += cut
        }
        expect(frames.map(({ messageId, operation }) => [messageId, operation])).toEqual(
          messages.map(({ id }) => [id, 0x64]),
        )
        expect(Buffer.concat(frames.map(({ bytes }) => bytes)).equals(stream)).toBe(true)
      },
    ),
  )
})

test.each([
  ['HTTP/1.1 400 Bad Request\r\n', false],
  ['\u0030\u0080', false],
  ['\u0030\u0085', false],
])('%j is not LDAP', (text, expected) => {
  expect(frameReader(() => {}).push(Buffer.from(text, 'latin1'))).toBe(expected)
})

test('entries are decoded whatever their size, without holding the event loop for all of it', async () => {
  const members = Array.from({ length: 10_000 }, (_, at) => `uid=${at},ou=people`)
  let turns = 0
  const count = () => {
    turns += 1
    turning = setImmediate(count)
  }
  let turning = setImmediate(count)
  const decoded = await decodeEntries([entry(2, 'cn=Jöhn', members), entry(2, 'cn=none', [])])
  clearImmediate(turning)
  expect(decoded.map(({ dn }) => dn)).toEqual(['cn=Jöhn', 'cn=none'])
  expect(decoded[0] && valuesOf(decoded[0], 'MEMBER')).toEqual(members)
  expect(decoded[1] && firstValue(decoded[1], 'member')).toBeUndefined()
  expect(turns).toBeGreaterThanOrEqual(4)
})
