import { pino } from 'pino'

/**
 * What each level obliges: error = somebody must act; warn = Muster coped, look when it repeats; info = life cycle;
 * debug = one line a batch. Never a name, key, mail, DN or HR id: identities appear by subject reference or row id.
 */
export type Log = {
  readonly error: (fields: LogFields, text: string) => void
  readonly warn: (fields: LogFields, text: string) => void
  readonly info: (fields: LogFields, text: string) => void
  readonly debug: (fields: LogFields, text: string) => void
}

export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>

/** JSON lines on stderr: stdout belongs to commands' answers. */
export const createLog = (level: string, name: string): Log =>
  pino({ level, name, base: { name } }, pino.destination({ fd: 2, sync: false }))

/** An error without what it may quote: class, code and place, never its message (drivers put values into messages). */
export const errorFields = (error: unknown): LogFields => {
  const { name, code, stack } = (error ?? {}) as { name?: unknown; code?: unknown; stack?: unknown }
  const place = typeof stack === 'string' ? stack.split('\n').find((line) => line.includes('/src/')) : undefined
  return {
    error: typeof name === 'string' ? name : typeof error,
    code: typeof code === 'string' ? code : undefined,
    at: place
      ?.trim()
      .replace(/^at /, '')
      .replace(/\(?[^ (]*\/src\//, '(src/'),
  }
}
