import { copyBack } from './lz4.ts'

/**
 * Snappy, bare or in the frames of snappy-java, which Kafka's Java client writes (magic, two versions, then blocks with
 * their length). Format: github.com/google/snappy/blob/main/format_description.txt
 */
export const decompressSnappy = (data: Buffer): Buffer => {
  if (!data.subarray(0, 8).equals(magic)) return unpack(data)
  const blocks: Buffer[] = []
  for (let at = 16; at < data.length; ) {
    const size = data.readUInt32BE(at)
    blocks.push(unpack(data.subarray(at + 4, at + 4 + size)))
    at += 4 + size
  }
  return Buffer.concat(blocks)
}

const magic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])

/** What a batch may become at most: the broker takes none larger. */
const most = 256 * 1024 * 1024

const unpack = (block: Buffer): Buffer => {
  let at = 0
  let size = 0
  for (let shift = 0; ; shift += 7) {
    const byte = block.readUInt8(at++)
    size += (byte & 0x7f) * 2 ** shift
    if (byte < 128) break
  }
  if (size > most) throw new RangeError('a Snappy block is too large')
  const out = Buffer.allocUnsafe(size)
  let end = 0
  while (at < block.length) {
    const tag = block.readUInt8(at++)
    switch (tag & 3) {
      case 0: {
        let length = (tag >> 2) + 1
        if (length > 60) {
          const bytes = length - 60
          length = block.readUIntLE(at, bytes) + 1
          at += bytes
        }
        if (at + length > block.length || end + length > size) throw new RangeError('a Snappy block overflows')
        end += block.copy(out, end, at, at + length)
        at += length
        break
      }
      case 1:
        end = copyBack(out, end, ((tag >> 5) << 8) | block.readUInt8(at), ((tag >> 2) & 7) + 4)
        at += 1
        break
      case 2:
        end = copyBack(out, end, block.readUInt16LE(at), (tag >> 2) + 1)
        at += 2
        break
      default:
        end = copyBack(out, end, block.readUInt32LE(at), (tag >> 2) + 1)
        at += 4
    }
  }
  if (end !== size) throw new RangeError('a Snappy block ends too early')
  return out
}
