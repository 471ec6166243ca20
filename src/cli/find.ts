import type { Command } from './command.ts'
import { type CommandName, commands, type Group } from './commands.ts'
import { usage } from './complaint.ts'

export type Found =
  /** `path`: a group's words, or none. `asked`: false where the line was empty. */
  | { readonly kind: 'help'; readonly path: readonly string[]; readonly asked: boolean }
  | { readonly kind: 'version' }
  | {
      readonly kind: 'command'
      readonly command: Command
      readonly path: readonly string[]
      /** What was written besides the command's own words. */
      readonly args: readonly string[]
    }

const wantsHelp = (argv: readonly string[]): boolean => argv.includes('--help') || argv.includes('-h')

/** Which command a line names; the common options may stand before its words, between them and after them. */
export const find = (argv: readonly string[]): Found => {
  const first = afterOptions(argv)
  const [name, ...rest] = first.rest
  if (name === '--version') return { kind: 'version' }
  if (argv.length === 0) return { kind: 'help', path: [], asked: false }
  if (name === 'help') return { kind: 'help', path: [], asked: true }
  if (name === undefined || name.startsWith('-')) {
    if (wantsHelp(argv)) return { kind: 'help', path: [], asked: true }
    throw usage(
      name === undefined ? 'which command?' : `there is no option ${name}`,
      '`muster help` lists all commands',
    )
  }
  const entry: Command | Group | undefined = Object.hasOwn(commands, name) ? commands[name as CommandName] : undefined
  if (entry === undefined) throw usage(`there is no command ${name}`, '`muster help` lists all of them')
  if ('run' in entry) return { kind: 'command', command: entry, path: [name], args: [...first.options, ...rest] }
  const within = afterOptions(rest)
  const [second, ...others] = within.rest
  const command = second !== undefined && Object.hasOwn(entry.commands, second) ? entry.commands[second] : undefined
  if (command !== undefined && second !== undefined)
    return { kind: 'command', command, path: [name, second], args: [...first.options, ...within.options, ...others] }
  const choice = `one of: ${Object.keys(entry.commands).join(', ')}`
  if (second === undefined || second.startsWith('-')) {
    if (wantsHelp(argv)) return { kind: 'help', path: [name], asked: true }
    throw usage(`muster ${name} what?`, choice)
  }
  const { show }: Readonly<Record<string, Command | Group>> = commands
  // `hold show 2`: what is shown is named after show.
  const shown = second === 'show' && show !== undefined && 'commands' in show && Object.hasOwn(show.commands, name)
  throw usage(`there is no command ${name} ${second}`, shown ? `muster show ${[name, ...others].join(' ')}` : choice)
}

const afterOptions = (
  argv: readonly string[],
): { readonly options: readonly string[]; readonly rest: readonly string[] } => {
  let at = 0
  while (at < argv.length) {
    const width = widthOf(argv[at] as string)
    if (width === 0) break
    at += width
  }
  return { options: argv.slice(0, at), rest: argv.slice(at) }
}

const widthOf = (word: string): number => {
  if (word === '--config') return 2
  return ['--json', '--help', '-h'].includes(word) || word.startsWith('--config=') ? 1 : 0
}
