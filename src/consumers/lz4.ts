/**
 * LZ4 frames, as Kafka's producers write them. Format: github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md and
 * lz4_Block_format.md. Checksums are not compared: the broker read the batch before it took it, and TCP has its own.
 */
export const decompressLz4 = (frame: Buffer): Buffer => {
  if (frame.readUInt32LE(0) !== 0x184d2204) throw new RangeError('not an LZ4 frame')
  const flags = frame.readUInt8(4)
  let at = 7 + ((flags & 0x08) !== 0 ? 8 : 0) + ((flags & 0x01) !== 0 ? 4 : 0)
  const blockChecksum = (flags & 0x10) !== 0 ? 4 : 0
  let out = Buffer.allocUnsafe(frame.length * 4)
  let length = 0
  for (;;) {
    const word = frame.readUInt32LE(at)
    if (word === 0) return out.subarray(0, length)
    const size = word & 0x7fffffff
    const block = frame.subarray(at + 4, at + 4 + size)
    if (block.length < size) throw new RangeError('an LZ4 frame ends too early')
    // A block never grows by more than 255 times.
    const room = length + ((word & 0x80000000) !== 0 ? size : Math.min(size * 255, maxBlock))
    if (room > out.length) out = Buffer.concat([out.subarray(0, length)], Math.max(room, out.length * 2))
    length = (word & 0x80000000) !== 0 ? length + block.copy(out, length) : unpack(block, out, length)
    at += 4 + size + blockChecksum
  }
}

const maxBlock = 4 * 1024 * 1024

/** One block into `out` from `to` on (earlier bytes may be referred to); returns where it ends. */
const unpack = (block: Buffer, out: Buffer, to: number): number => {
  let from = 0
  let end = to
  const byte = (): number => {
    const value = block[from++]
    if (value === undefined) throw new RangeError('an LZ4 block ends too early')
    return value
  }
  const more = (length: number): number => {
    let total = length
    if (length === 15) for (let next = 255; next === 255; total += next) next = byte()
    return total
  }
  while (from < block.length) {
    const token = byte()
    const literals = more(token >> 4)
    if (from + literals > block.length || end + literals > out.length) throw new RangeError('an LZ4 block overflows')
    end += block.copy(out, end, from, from + literals)
    from += literals
    if (from === block.length) break
    end = copyBack(out, end, byte() | (byte() << 8), more(token & 15) + 4)
  }
  return end
}

/** Repeats `length` bytes from `distance` back; what is copied may grow while it is copied. */
export const copyBack = (out: Buffer, end: number, distance: number, length: number): number => {
  const start = end - distance
  if (distance === 0 || start < 0 || end + length > out.length) throw new RangeError('a copy reaches out of its block')
  if (distance >= length) out.copy(out, end, start, start + length)
  else for (let i = 0; i < length; i++) out[end + i] = out[start + i] ?? 0
  return end + length
}
