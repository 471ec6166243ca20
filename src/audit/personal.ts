import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { canonicalText } from './canonical.ts'

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
  const text = canonicalText(storable(body)) ?? '{}'
  const salt = randomBytes(32)
  return {
    ref: randomUUID(),
    subjectRef,
    salt,
    body: text,
    hash: createHash('sha256').update(salt).update(text).digest('hex'),
  }
}

/** PostgreSQL stores no NUL (Active Directory ends its messages with one) and no half of a surrogate pair. */
const storable = (value: unknown): unknown => {
  if (typeof value === 'string') return value.replaceAll('\u0000', '').toWellFormed()
  if (Array.isArray(value)) return value.map(storable)
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [String(storable(key)), storable(one)]))
  return value
}
