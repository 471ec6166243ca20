import type { ProcessEnvironment } from '../config.ts'
import type { ExitCode } from './complaint.ts'
import type { Paint } from './paint.ts'

export type Values = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>

export type Call = {
  /** What follows the command's own words. */
  readonly words: readonly string[]
  readonly values: Values
  readonly env: ProcessEnvironment
  /** --config, else MUSTER_CONFIG, else undefined. */
  readonly directory: string | undefined
  /** A terminal watches stderr: progress is welcome. */
  readonly watched: boolean
  readonly progress: (text: string) => void
}

/** One answer in two forms: a value for machines (--json), lines for people. */
export type Answer = {
  readonly json: unknown
  readonly lines: (paint: Paint) => readonly string[]
  readonly exit?: ExitCode
}

/** One of a command's own options. `about`: what it means, in one line of its help; `takes`: what a text stands for. */
export type Option = { readonly about: string } & (
  | { readonly type: 'boolean' }
  | { readonly type: 'string'; readonly takes: string; readonly multiple?: boolean }
)

export type Command = {
  readonly summary: string
  /** After `muster <name>`. */
  readonly usage: string
  readonly options?: Readonly<Record<string, Option>>
  /** For `--help` of this command alone: what its words mean, one line each. */
  readonly more?: readonly string[]
  readonly run: (call: Call) => Promise<Answer>
}

export const textValue = (values: Values, name: string): string | undefined => {
  const value = values[name]
  return typeof value === 'string' ? value : undefined
}
