/** What a processor profile says in a few lines: where a thread was itself, by package or file. */
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { ServeOptions } from '../house/serve.ts'
import type { Probed, Tally } from '../measure/probe.ts'
import type { Bench } from '../row.ts'

type Profile = {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string }
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

/** Runs `work` with an engine that is profiled, where that was asked for, and says what the profiles of this run tell. */
export const profiled = async <T>(bench: Bench, work: (options: ServeOptions) => Promise<T>): Promise<T> => {
  const { profileTo } = bench
  if (profileTo === undefined) return work({})
  rmSync(profileTo, { recursive: true, force: true })
  mkdirSync(profileTo, { recursive: true })
  const result = await work({ profileTo, probe: true })
  bench.say(profileText(profileTo))
  return result
}

/** One block of lines for each thread that left a profile, the busiest first. The whole life of the engine, start included. */
const profileText = (directory: string, lines = 14): string =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.cpuprofile'))
    .map((name) => selfTimes(JSON.parse(readFileSync(join(directory, name), 'utf8')) as Profile))
    .sort((a, b) => b.busy - a.busy)
    .map(({ busy, times }) => {
      const top = [...times].sort((a, b) => b[1] - a[1]).slice(0, lines)
      return [
        `  a thread, ${busy.toFixed(0)} ms busy`,
        ...top.map(([where, ms]) => `    ${ms.toFixed(0).padStart(6)} ms ${where}`),
      ].join('\n')
    })
    .join('\n')

const selfTimes = ({
  nodes,
  samples,
  timeDeltas,
}: Profile): { readonly busy: number; readonly times: ReadonlyMap<string, number> } => {
  const where = new Map(nodes.map(({ id, callFrame }) => [id, place(callFrame)]))
  const times = new Map<string, number>()
  let busy = 0
  samples.forEach((id, i) => {
    const at = where.get(id) ?? ''
    if (at === '(idle)' || at === '(root)') return
    const ms = Math.max(0, timeDeltas[i + 1] ?? 0) / 1_000
    busy += ms
    times.set(at, (times.get(at) ?? 0) + ms)
  })
  return { busy, times }
}

const place = ({ functionName, url }: Profile['nodes'][number]['callFrame']): string => {
  if (functionName.startsWith('(')) return functionName
  const inPackage = /node_modules\/((?:@[^/]+\/)?[^/]+)\/(.*)$/.exec(url)
  const file = inPackage
    ? `${inPackage[1]}/…/${(inPackage[2] ?? '').split('/').at(-1)}`
    : url.replace(/^.*\/src\//, 'src/').replace(/^node:/, 'node:')
  return `${file || 'native'} ${functionName || 'anonymous'}`
}

export const statementsText = ({ statements, directory }: Probed): string => {
  const top = (of: Readonly<Record<string, Tally>>) =>
    Object.entries(of)
      .sort((a, b) => b[1].ms - a[1].ms)
      .slice(0, 16)
      .map(([name, { n, ms }]) => `${name} ${n} × ${(ms / n).toFixed(2)} ms`)
      .join(', ')
  return `  waited for the database (sums over connections): ${top(statements)}\n  calls of the directory out: ${top(directory)}`
}
