import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decompressLz4 } from '../../../src/consumers/lz4.ts'
import { decompressSnappy } from '../../../src/consumers/snappy.ts'

/** An LZ4 frame of one block: literals, then a copy that overlaps itself, then literals. */
const lz4 = (block: Buffer) => {
  const size = Buffer.alloc(4)
  size.writeUInt32LE(block.length)
  return Buffer.concat([Buffer.from('04224d18604082', 'hex'), size, block, Buffer.alloc(4)])
}

test('copies may overlap what they write', () => {
  // 2 literals "ab", copy 4 + 15 + 0 = 19 from 2 back, then 1 literal "c".
  expect(decompressLz4(lz4(Buffer.from('2f61620200001063', 'hex'))).toString()).toBe(`${'ab'.repeat(10)}ac`)
  // 22 bytes: 2 literals "ab", copy 19 from 2 back (tag 2), 1 literal "c".
  expect(decompressSnappy(Buffer.from('160461624a02000063', 'hex')).toString()).toBe(`${'ab'.repeat(10)}ac`)
})

test("garbage ends in an error, never in another one's bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const unpack of [
        () => decompressLz4(lz4(Buffer.from(bytes))),
        () => decompressSnappy(Buffer.concat([Buffer.from([40]), bytes])),
      ])
        try {
          expect(unpack().length).toBeGreaterThanOrEqual(0)
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError)
        }
    }),
    { numRuns: 2_000 },
  )
})
