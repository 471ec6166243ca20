/** npm run bench: what Muster costs, against floors and rivals of the same run. See BENCHMARKS.md. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkout } from '../scripts/stack/download.ts'
import { progressLines } from '../scripts/stack/progress.ts'
import { startBenchStack } from './house/bench-stack.ts'
import { addPeople, morePeople, type People } from './house/people.ts'
import { type Options, readOptions, usage } from './options.ts'
import { describeMachine, type Machine } from './report/machine.ts'
import { writeMeasured } from './report/markdown.ts'
import { tableText } from './report/table.ts'
import type { Bench, Line } from './row.ts'
import { measureRows } from './rows/all.ts'

const out = join(import.meta.dirname, 'out')

const main = async (): Promise<number> => {
  const options = readOptions(process.argv.slice(2))
  if (options === null) {
    process.stderr.write(usage)
    return 2
  }
  mkdirSync(out, { recursive: true })
  const stack = await startBenchStack(progressLines(process.stderr))
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      setTimeout(() => process.exit(130), 5_000).unref()
      void stack.stop().finally(() => process.exit(130))
    })
  let people: People | undefined
  const bench: Bench = {
    stack,
    scale: options.scale,
    standing: async (count) =>
      (people = await (people === undefined ? addPeople(stack.ldap, count) : morePeople(stack.ldap, people, count))),
    say: (text) => process.stderr.write(`${text}\n`),
    profileTo: options.profile ? join(out, 'profiles') : undefined,
  }
  try {
    const machine = await describeMachine(stack)
    const { lines, failed } = await measureRows(bench, options.rows)
    publish(options, machine, lines)
    if (options.write && failed) bench.say('BENCHMARKS.md is left as it was: not every row could be measured')
    if (options.write && !failed)
      writeMeasured(join(checkout, 'BENCHMARKS.md'), machine, lines, ['npm run bench', ...commandTail()].join(' '))
    return failed ? 1 : 0
  } finally {
    await stack.stop()
  }
}

/** What was asked for beside writing it down. */
const commandTail = (): readonly string[] => {
  const rest = process.argv.slice(2).filter((argument) => argument !== '--write')
  return rest.length === 0 ? [] : ['--', ...rest]
}

const publish = (options: Options, machine: Machine, lines: readonly Line[]): void => {
  const file = join(out, `${new Date().toISOString().replaceAll(':', '-')}${options.quick ? '-quick' : ''}.json`)
  writeFileSync(file, `${JSON.stringify({ options, machine, lines }, null, 1)}\n`)
  process.stdout.write(options.json ? `${JSON.stringify({ machine, lines })}\n` : tableText(lines))
}

process.exitCode = await main()
