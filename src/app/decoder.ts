import { createDecoder, type Decode } from '../consumers/decode.ts'

/** The decoder that ingest uses, for messages that are judged again. */
export const todaysDecoder = (): Decode =>
  createDecoder({ maxBytes: maxMessageBytes, tzVersion: process.versions.tz ?? 'unknown' })

/** A longer value is quarantined unread. */
export const maxMessageBytes = 1024 * 1024
