import fc from 'fast-check'
import { expect, test } from 'vitest'
import { guidBytes, guidText, isGuid, sidText } from '../../../../src/connectors/ad/guid.ts'

test('the first three fields are turned round (MS-DTYP §2.3.4)', () => {
  // The well-known container GUID of Users, as MS-ADTS §6.1.1.4 writes it, and its bytes.
  const bytes = Buffer.from('15ca d1a9 0fb8 d111 bdc5 0000f80367c1'.replaceAll(' ', ''), 'hex')
  expect(guidText(bytes)).toBe('a9d1ca15-b80f-11d1-bdc5-0000f80367c1')
  expect(guidBytes('a9d1ca15-b80f-11d1-bdc5-0000f80367c1')).toEqual(bytes)
})

test('there and back again', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (random) => {
      const text = guidText(Buffer.from(random))
      expect(isGuid(text)).toBe(true)
      expect(guidBytes(text)).toEqual(Buffer.from(random))
    }),
  )
})

test.each(['', 'CN=x', '<GUID=a9d1ca15-b80f-11d1-bdc5-0000f80367c1>', 'a9d1ca15b80f11d1bdc50000f80367c1'])(
  '%j is none',
  (text) => expect(isGuid(text)).toBe(false),
)

test('a SID, its sub-authorities without sign', () => {
  const bytes = Buffer.from('010500000000000515000000ffffffff0200000003000000f4010000', 'hex')
  expect(sidText(bytes)).toBe('S-1-5-21-4294967295-2-3-500')
})
