import { createHash, randomBytes, randomUUID } from 'node:crypto'
import canonicalize from 'canonicalize'

/** Personal data of an audit entry: stored beside the log, erasable; the entry holds only `ref` and `hash`. */
export type PersonalDetail = {
  readonly ref: string
  readonly subjectRef: string | null
  readonly salt: Buffer
  readonly body: string
  /** hex SHA-256(salt ‖ canonical body): says nothing once the salt is gone. */
  readonly hash: string
}

export const personalDetail = (subjectRef: string | null, body: Readonly<Record<string, unknown>>): PersonalDetail => {
  const text = canonicalize(body) ?? '{}'
  const salt = randomBytes(32)
  return {
    ref: randomUUID(),
    subjectRef,
    salt,
    body: text,
    hash: createHash('sha256').update(salt).update(text).digest('hex'),
  }
}
