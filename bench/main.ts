/** npm run bench: what Muster costs, against floors and rivals of the same run. See BENCHMARKS.md. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { progressLines } from '../scripts/stack/progress.ts'
import { startBenchStack } from './house/bench-stack.ts'
import { addPeople, morePeople, type People } from './house/people.ts'
import { type Options, readOptions, usage } from './options.ts'
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
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  mkdirSync(out, { recursive: true })
  const stack = await startBenchStack(progressLines(process.stderr))
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
    const { lines, failed } = await measureRows(bench, options.rows)
    publish(options, lines)
    return failed ? 1 : 0
  } finally {
    await stack.stop()
  }
}

const publish = (options: Options, lines: readonly Line[]): void => {
  const file = join(out, `${new Date().toISOString().replaceAll(':', '-')}${options.quick ? '-quick' : ''}.json`)
  writeFileSync(file, `${JSON.stringify({ options, lines }, null, 1)}\n`)
  process.stdout.write(options.json ? `${JSON.stringify({ lines })}\n` : tableText(lines))
}

process.exitCode = await main()
