/**
 * Arrays in PostgreSQL's binary format, for statements that carry thousands of values: the driver sends a Buffer as it
 * is, where an array becomes one long text that is escaped here and parsed there (and a bytea in it twice its length).
 * The statement must cast the parameter: `$1::bytea[]`.
 */

const oids = { bytea: 17, int8: 20, int4: 23, text: 25, float8: 701 } as const
const headerLength = 20

const begin = (oid: number, count: number, length: number): Buffer => {
  const out = Buffer.allocUnsafe(headerLength + count * 4 + length)
  out.writeInt32BE(1, 0) // dimensions
  out.writeInt32BE(1, 4) // may hold nulls
  out.writeInt32BE(oid, 8)
  out.writeInt32BE(count, 12)
  out.writeInt32BE(1, 16) // first index
  return out
}

const fixed = (
  oid: number,
  width: number,
  values: readonly (number | null)[],
  write: (out: Buffer, value: number, at: number) => void,
): Buffer => {
  const out = begin(oid, values.length, values.length * width)
  let at = headerLength
  for (const value of values) {
    out.writeInt32BE(value === null ? -1 : width, at)
    at += 4
    if (value === null) continue
    write(out, value, at)
    at += width
  }
  return out.subarray(0, at)
}

export const int4Array = (values: readonly (number | null)[]): Buffer =>
  fixed(oids.int4, 4, values, (out, value, at) => out.writeInt32BE(value, at))

/** Safe integers only. */
export const int8Array = (values: readonly (number | null)[]): Buffer =>
  fixed(oids.int8, 8, values, (out, value, at) => {
    out.writeInt32BE(Math.floor(value / 2 ** 32), at)
    out.writeUInt32BE(value >>> 0, at + 4)
  })

export const float8Array = (values: readonly (number | null)[]): Buffer =>
  fixed(oids.float8, 8, values, (out, value, at) => out.writeDoubleBE(value, at))

const written = (oid: number, encoding: 'utf8' | 'hex', values: readonly (string | null)[]): Buffer => {
  let length = 0
  for (const value of values) if (value !== null) length += Buffer.byteLength(value, encoding)
  const out = begin(oid, values.length, length)
  let at = headerLength
  for (const value of values) {
    const bytes = value === null ? -1 : out.write(value, at + 4, encoding)
    out.writeInt32BE(bytes, at)
    at += 4 + Math.max(bytes, 0)
  }
  return out
}

export const textArray = (values: readonly (string | null)[]): Buffer => written(oids.text, 'utf8', values)

/** bytea[] of the UTF-8 of texts. */
export const utf8Array = (values: readonly (string | null)[]): Buffer => written(oids.bytea, 'utf8', values)

/** bytea[] of what is given in hex. */
export const hexArray = (values: readonly (string | null)[]): Buffer => written(oids.bytea, 'hex', values)

export const byteaArray = (values: readonly (Uint8Array | null)[]): Buffer => {
  let length = 0
  for (const value of values) if (value !== null) length += value.length
  const out = begin(oids.bytea, values.length, length)
  let at = headerLength
  for (const value of values) {
    out.writeInt32BE(value === null ? -1 : value.length, at)
    at += 4
    if (value === null) continue
    out.set(value, at)
    at += value.length
  }
  return out
}
