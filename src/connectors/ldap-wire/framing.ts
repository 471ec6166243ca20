export type Frame = {
  readonly messageId: number
  /** BER tag of the protocol operation. */
  readonly operation: number
  /** The whole LDAP message. */
  readonly bytes: Buffer
}

/** Header of a BER element: where its content starts and how long it is; null when more bytes are needed. */
const header = (bytes: Buffer, at: number): { start: number; length: number } | null | 'invalid' => {
  const first = bytes[at + 1]
  if (first === undefined) return null
  if (first < 0x80) return { start: at + 2, length: first }
  const count = first & 0x7f
  if (count === 0 || count > 4) return 'invalid'
  if (bytes.length < at + 2 + count) return null
  return { start: at + 2 + count, length: bytes.readUIntBE(at + 2, count) }
}

/**
 * Cuts a byte stream into LDAP messages. ldapts' parser joins all bytes again with every chunk, which makes a group of
 * 100,000 members quadratic; here a message is joined once, when it is complete.
 */
export const frameReader = (emit: (frame: Frame) => void): { push: (chunk: Buffer) => boolean } => {
  let chunks: Buffer[] = []
  let held = 0
  let needed = 2
  return {
    /** False when the stream is not LDAP. */
    push: (chunk) => {
      chunks.push(chunk)
      held += chunk.length
      if (held < needed) return true
      const bytes = chunks.length === 1 ? chunk : Buffer.concat(chunks, held)
      let at = 0
      needed = 2
      while (at < bytes.length) {
        if (bytes[at] !== 0x30) return false
        const message = header(bytes, at)
        if (message === 'invalid') return false
        const end = message === null ? at + 6 : message.start + message.length
        if (message === null || end > bytes.length) {
          needed = end - at
          break
        }
        const frame = frameOf(bytes, message.start, bytes.subarray(at, end))
        if (frame === null) return false
        emit(frame)
        at = end
      }
      held = bytes.length - at
      chunks = held === 0 ? [] : [bytes.subarray(at)]
      return true
    },
  }
}

const frameOf = (bytes: Buffer, start: number, message: Buffer): Frame | null => {
  const length = bytes[start + 1]
  if (bytes[start] !== 0x02 || length === undefined || length < 1 || length > 4) return null
  const operation = bytes[start + 2 + length]
  return operation === undefined ? null : { messageId: bytes.readUIntBE(start + 2, length), operation, bytes: message }
}
