import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { type ProcessEnvironment, processEnvironment } from '../config.ts'
import type { Answer, Command, Values } from './command.ts'
import { Complaint, type ExitCode, usage } from './complaint.ts'
import { databaseTrouble, plainMessage } from './database-trouble.ts'
import { find } from './find.ts'
import { helpLines } from './help.ts'
import { jsonText } from './json-text.ts'
import { paintFor } from './paint.ts'
import { version } from './version.ts'

export type Terminal = {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  readonly outColour: boolean
  readonly errColour: boolean
  readonly watched: boolean
}

const common = {
  config: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const satisfies ParseArgsOptionsConfig

/** Runs one command line and answers with the exit code. Everything that it says goes through `terminal`. */
export const run = async (argv: readonly string[], env: ProcessEnvironment, terminal: Terminal): Promise<ExitCode> => {
  const asJson = argv.includes('--json')
  try {
    const found = find(argv)
    if (found.kind === 'version') {
      say({ json: { version: version() }, lines: () => [`muster ${version()}`] }, asJson, terminal)
      return 0
    }
    if (found.kind === 'help' || argv.includes('--help') || argv.includes('-h')) {
      if (found.kind === 'help' && !found.asked) {
        terminal.err(`${helpLines(paintFor(terminal.errColour), []).join('\n')}\n`)
        return 2
      }
      terminal.out(`${helpLines(paintFor(terminal.outColour), found.path).join('\n')}\n`)
      return 0
    }
    const { words, values } = parse(found.command, found.args)
    const directory = typeof values.config === 'string' ? values.config : env.MUSTER_CONFIG || undefined
    const answer = await found.command.run({
      words,
      values,
      env,
      directory,
      watched: terminal.watched,
      progress: (text) => terminal.watched && terminal.err(`${text}\n`),
    })
    say(answer, asJson, terminal)
    return answer.exit ?? 0
  } catch (error) {
    return complain(asComplaint(error), asJson, terminal)
  }
}

const say = ({ json, lines }: Answer, asJson: boolean, terminal: Terminal): void => {
  const text = asJson ? jsonText(json) : lines(paintFor(terminal.outColour)).join('\n')
  if (text !== '') terminal.out(`${text}\n`)
}

const complain = (
  { exit, message, hint, details }: Complaint,
  asJson: boolean,
  { out, err, errColour }: Terminal,
): ExitCode => {
  const paint = paintFor(errColour)
  const lines = [
    `${paint.red('muster:')} ${message}`,
    ...details.map((detail) => `  ${detail}`),
    ...(hint === null ? [] : [`  ${paint.cyan('→')} ${hint}`]),
  ]
  err(`${lines.join('\n')}\n`)
  if (asJson) out(`${jsonText({ error: { message, hint, details } })}\n`)
  return exit
}

const asComplaint = (error: unknown): Complaint => {
  if (error instanceof Complaint) return error
  const trouble = databaseTrouble(error)
  return trouble ?? new Complaint(1, plainMessage(error instanceof Error ? error.message : String(error)))
}

/** What a usage names in capitals, outside its options. */
const takesWords = ({ usage: text }: Command): boolean => /\s[A-Z]/.test(text.replace(/\[[^\]]*\]/g, ''))

const parse = (
  command: Command,
  args: readonly string[],
): { readonly words: readonly string[]; readonly values: Values } => {
  try {
    const { positionals, values } = parseArgs({
      args: [...args],
      options: { ...common, ...command.options },
      allowPositionals: true,
      strict: true,
    })
    if (positionals.length > 0 && !takesWords(command))
      throw new Error(`nothing is expected here: ${positionals.join(' ')}`)
    return { words: positionals, values: values as Values }
  } catch (error) {
    throw usage(
      error instanceof Error ? (error.message.split('. ')[0] ?? '') : String(error),
      `usage: muster ${command.usage}${takesWords(command) ? '' : '; another configuration is named by --config DIRECTORY'}`,
    )
  }
}

if (import.meta.main) {
  const colour = (stream: NodeJS.WriteStream) => stream.isTTY === true && processEnvironment().NO_COLOR === undefined
  process.stdout.on('error', () => process.exit(0)) // `muster … | head`
  process.exitCode = await run(process.argv.slice(2), processEnvironment(), {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    outColour: colour(process.stdout),
    errColour: colour(process.stderr),
    watched: process.stderr.isTTY === true,
  })
}
