import { isUtf8 } from 'node:buffer'
import { isStorableText } from './strict-json.ts'

/** Header name in lower case → its (last) text. */
export type MessageHeaders = ReadonlyMap<string, string>

const none: MessageHeaders = new Map()

/**
 * Headers as JSON that PostgreSQL can hold: name → text, or {"base64": …} where the bytes are none; a list where the
 * name stands more than once. null without headers. kafkajs collects headers in a plain object, so that one called
 * `constructor` comes with what it inherits: only bytes and texts count.
 */
export const headersJson = (headers: Readonly<Record<string, unknown>> | undefined): string | null => {
  if (headers === undefined) return null
  const members: string[] = []
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    const written = (Array.isArray(value) ? value : [value]).flatMap(writable)
    if (written.length === 0) continue
    members.push(
      `${JSON.stringify(name.toWellFormed().replaceAll('\0', ''))}:${written.length === 1 ? written[0] : `[${written}]`}`,
    )
  }
  return members.length === 0 ? null : `{${members}}`
}

const writable = (value: unknown): readonly string[] => {
  if (typeof value === 'string') return [isStorableText(value) ? JSON.stringify(value) : base64(Buffer.from(value))]
  if (!Buffer.isBuffer(value)) return []
  return [isUtf8(value) && !value.includes(0) ? JSON.stringify(value.toString('utf8')) : base64(value)]
}

const base64 = (bytes: Buffer): string => `{"base64":"${bytes.toString('base64')}"}`

/** Reads headers that headersJson wrote. Most messages of a feed carry the same ones: the last are remembered. */
export const createHeaderReader = (): ((json: string | null) => MessageHeaders) => {
  let lastJson = ''
  let last = none
  return (json) => {
    if (json === null) return none
    if (json === lastJson) return last
    const entries = Object.entries(JSON.parse(json) as Record<string, unknown>)
    lastJson = json
    last = new Map(entries.flatMap(([name, value]) => texts(value).map((text) => [name.toLowerCase(), text] as const)))
    return last
  }
}

const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.flatMap(texts) : typeof value === 'string' ? [value] : []
