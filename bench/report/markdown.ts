import { readFileSync, writeFileSync } from 'node:fs'
import { type Line, verdictOf } from '../row.ts'
import { goalText, valueText } from './figures.ts'
import type { Machine } from './machine.ts'

const begin = '<!-- measured: npm run bench -- --write -->'
const end = '<!-- end of measured -->'
const words = { aim: '✔ aim', reach: '✔ reach', missed: '✘ missed', information: 'information' } as const

/** Replaces what stands between the markers of the file. Throws when they are not there. */
export const writeMeasured = (file: string, machine: Machine, lines: readonly Line[], command: string): void => {
  const text = readFileSync(file, 'utf8')
  const from = text.indexOf(begin)
  const to = text.indexOf(end)
  if (from < 0 || to < from) throw new Error(`${file} has no place for figures: ${begin} … ${end}`)
  writeFileSync(file, `${text.slice(0, from)}${begin}\n\n${measured(machine, lines, command)}\n${text.slice(to)}`)
}

const measured = (machine: Machine, lines: readonly Line[], command: string): string =>
  [
    `\`${command}\` on ${machine.date}, commit ${machine.commit}.`,
    '',
    `${machine.processors} × ${machine.processor}, ${machine.memoryGiB} GiB, ${machine.system}; Node ${machine.node}, PostgreSQL ${machine.postgres}; load before the start ${machine.loadBefore}.`,
    `PostgreSQL: ${settingsText(machine.postgresSettings)}. Redis: ${settingsText(machine.redisSettings)}. Kafka: acks of all, its own flushing.`,
    '',
    '| # | what | against (floor or rival) | measured | reach | aim | |',
    '|---|---|---|---|---|---|---|',
    ...lines.map((line, i) =>
      row([
        String(i + 1),
        line.what,
        line.against,
        `**${valueText(line)}**`,
        goalText(line, 'reach'),
        goalText(line, 'aim'),
        words[verdictOf(line)],
      ]),
    ),
    '',
    'Measured: the median, and in brackets the lowest and the highest pair.',
    '',
    '### Behind each row',
    ...lines.flatMap((line, i) => ['', `${i + 1}. ${line.what}`, ...line.details.map((detail) => `   - ${detail}`)]),
    '',
    '### slapd.conf of these runs',
    '',
    '```',
    machine.slapdConf,
    '```',
    '',
  ].join('\n')

const settingsText = (settings: Readonly<Record<string, string>>): string =>
  Object.entries(settings)
    .map(([name, value]) => `\`${name} = ${value}\``)
    .join(', ')

const row = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
