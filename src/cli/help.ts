import type { Command, Option } from './command.ts'
import { type CommandName, commands, type Group } from './commands.ts'
import type { Paint } from './paint.ts'

/** All commands, a group of them, or one by its words. */
export const helpLines = (paint: Paint, path: readonly string[]): readonly string[] => {
  const [name, second] = path
  const entry: Command | Group | undefined = name === undefined ? undefined : commands[name as CommandName]
  if (entry !== undefined && 'run' in entry) return oneLines(paint, entry)
  const inner = entry === undefined || second === undefined ? undefined : entry.commands[second]
  if (inner !== undefined) return oneLines(paint, inner)
  const all =
    entry !== undefined
      ? Object.values(entry.commands)
      : Object.values(commands).flatMap((one: Command | Group) => ('run' in one ? [one] : Object.values(one.commands)))
  const width = Math.max(...all.map((command) => command.usage.length))
  const lines = all.map((command) => `  muster ${paint.cyan(command.usage.padEnd(width))}  ${command.summary}`)
  if (entry !== undefined) return [...lines, '', `\`muster ${name} COMMAND --help\` explains one.`]
  return [
    `${paint.bold('muster')}: HR says who joins, moves and leaves; every directory agrees, with proof.`,
    '',
    ...lines,
    '',
    'Every command: --json, --help. Configuration: --config DIR or MUSTER_CONFIG. `muster --version` tells the version.',
    'Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 refused by a guard or policy.',
  ]
}

const oneLines = (paint: Paint, command: Command): readonly string[] => [
  `muster ${paint.cyan(command.usage)}`,
  `  ${command.summary}`,
  ...(command.more ?? []).map((line) => `  ${line}`),
  ...optionLines(Object.entries(command.options ?? {})),
]

const optionLines = (options: readonly (readonly [string, Option])[]): readonly string[] => {
  const words = options.map(
    ([name, option]) => `--${name}${option.type === 'string' ? ` ${option.takes}${option.multiple ? '…' : ''}` : ''}`,
  )
  const width = Math.max(0, ...words.map((word) => word.length))
  return options.map(([, { about }], at) => `  ${(words[at] ?? '').padEnd(width)}  ${about}`)
}
