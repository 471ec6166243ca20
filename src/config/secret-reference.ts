import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

/** `env:NAME` or `file:PATH`: how configuration names what it does not say. */
export const referencePattern = /^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/

export type Environment = Readonly<Record<string, string | undefined>>

export type Resolved =
  /** `file`: the absolute path of the file that it came from, if any. */
  | { readonly ok: true; readonly value: string; readonly file: string | null }
  | { readonly ok: false; readonly message: string; readonly hint: string }

/** `directory`: what a relative `file:` path starts from. The value is never part of a message. */
export const resolveReference = (reference: string, env: Environment, directory: string): Resolved => {
  if (reference.startsWith('env:')) {
    const name = reference.slice('env:'.length)
    const value = env[name]
    return value === undefined || value === ''
      ? {
          ok: false,
          message: `the environment variable ${name} is not set`,
          hint: `set ${name}, or name another source here`,
        }
      : { ok: true, value, file: null }
  }
  const path = resolve(directory, reference.slice('file:'.length))
  try {
    const value = readFileSync(path, 'utf8').replace(/\r?\n$/, '')
    if (value !== '') return { ok: true, value, file: path }
    return {
      ok: false,
      message: `the file ${path} is empty`,
      hint: 'write the value into it, or name another source here',
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error'
    return {
      ok: false,
      message: `the file ${path} cannot be read (${code})`,
      hint: 'check that it is there and that this user may read it',
    }
  }
}
