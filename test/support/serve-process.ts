/** `muster serve` as a process of its own, for tests that kill, stop or pause it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { checkout } from '../../scripts/stack/download.ts'
import type { ConfigDirectory } from './config-directory.ts'

export type ServeOptions = {
  /** After `serve --config DIR`. */
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Labels to hold still at, e.g. `claim:read` or `leaver/provision:called`; see src/cli/test-pause.ts. */
  readonly pauseAt?: string
}

export type ServeProcess = {
  readonly child: ChildProcess
  /** Every line of stderr so far. */
  readonly lines: readonly string[]
  /** Resolves at the first line (also an earlier one) that the test wants. Rejects when the process ends first. */
  readonly line: (wanted: (line: string) => boolean) => Promise<string>
  /** Held still at this label. */
  readonly paused: (label: string) => Promise<void>
  /** Goes on from every pause and pauses no more. */
  readonly resume: () => void
  readonly kill: (signal: NodeJS.Signals) => void
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>
  /** SIGTERM, and the exit code. */
  readonly stop: () => Promise<number | NodeJS.Signals>
}

const node = join(checkout, 'node_modules/.bin/node')
const main = join(checkout, 'src/cli/main.ts')

export const spawnServe = ({ directory, env }: ConfigDirectory, options: ServeOptions = {}): ServeProcess => {
  const child = spawn(
    node,
    ['--disable-warning=TimeoutNegativeWarning', main, 'serve', '--config', directory, ...(options.args ?? [])],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        PATH: process.env.PATH,
        KAFKAJS_NO_PARTITIONER_WARNING: '1',
        ...env,
        ...options.env,
        ...(options.pauseAt ? { MUSTER_TEST_PAUSE: options.pauseAt } : {}),
      },
    },
  )
  const lines: string[] = []
  const waiting = new Set<{
    readonly wanted: (line: string) => boolean
    readonly found: (line: string) => void
    readonly failed: (error: Error) => void
  }>()
  createInterface({ input: child.stderr as NonNullable<typeof child.stderr> }).on('line', (text) => {
    lines.push(text)
    for (const one of waiting)
      if (one.wanted(text)) {
        waiting.delete(one)
        one.found(text)
      }
  })
  const ended = new Promise<number | NodeJS.Signals>((resolve) => {
    child.on('close', (code, signal) => {
      resolve(code ?? (signal as NodeJS.Signals))
      for (const one of waiting)
        one.failed(new Error(`serve ended with ${code ?? signal}:\n${lines.slice(-30).join('\n')}`))
      waiting.clear()
    })
  })
  const line = (wanted: (text: string) => boolean): Promise<string> => {
    const earlier = lines.find(wanted)
    if (earlier !== undefined) return Promise.resolve(earlier)
    return new Promise((found, failed) => waiting.add({ wanted, found, failed }))
  }
  const guard = () => child.kill('SIGKILL')
  process.once('exit', guard)
  void ended.then(() => process.off('exit', guard))
  return {
    child,
    lines,
    line,
    paused: async (label) => void (await line((text) => text.includes(`"paused":"${label}"`))),
    resume: () => void child.kill('SIGUSR2'),
    kill: (signal) => void child.kill(signal),
    ended,
    stop: () => {
      child.kill('SIGTERM')
      return ended
    },
  }
}

/** Started, and every lane at work. */
export const startServe = async (files: ConfigDirectory, options: ServeOptions = {}): Promise<ServeProcess> => {
  const serve = spawnServe(files, { ...options, env: { ...options.env } })
  await serve.line((text) => text.includes('"msg":"ready"'))
  return serve
}
